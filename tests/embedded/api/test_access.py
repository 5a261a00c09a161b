"""Who is let in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.embedded.api.raw import Raw
from tests.embedded.api.serving import Running

Paths = Callable[..., str]
_ROLES = "rbac.authorization.k8s.io"
_ME = "/apis/authentication.k8s.io/v1/selfsubjectreviews"


@contextmanager
def client_with(server: Running, token: str) -> Iterator[Raw]:
    found = Raw(server.url, server.ca, token)
    yield found
    found.close()


def account_token(api: Raw, core: Paths, **spec: object) -> str:
    api.post(core("serviceaccounts"), {"metadata": {"name": "robot"}})
    answer = api.post(core("serviceaccounts", "robot", "token"), {"spec": spec})
    assert answer.code == 201
    return str(answer.body["status"]["token"])


def test_who_has_no_token_is_anonymous(server: Running) -> None:
    with client_with(server, "") as nobody:
        answer = nobody.get("/api/v1/pods")
        discovery = nobody.get("/api")
    assert (answer.code, answer.reason, answer.body["kind"]) == (403, "Forbidden", "Status")
    assert answer.message == (
        'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" '
        "at the cluster scope"
    )
    assert (discovery.code, discovery.message) == (
        403,
        'forbidden: User "system:anonymous" cannot get path "/api"',
    )


def test_anonymous_users_may_be_given_roles(server: Running, api: Raw, core: Paths) -> None:
    binding = {
        "metadata": {"name": "all"},
        "roleRef": {"apiGroup": _ROLES, "kind": "ClusterRole", "name": "view"},
        "subjects": [{"kind": "Group", "apiGroup": _ROLES, "name": "system:unauthenticated"}],
    }
    namespace = core().rsplit("/", 1)[-1]
    bindings = f"/apis/{_ROLES}/v1/namespaces/{namespace}/rolebindings"
    with client_with(server, "") as nobody:
        assert nobody.get(core("pods")).code == 403
        assert api.post(bindings, binding).code == 201
        assert nobody.get(core("pods")).code == 200


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "Bearer "])
def test_a_header_without_a_bearer_token_is_none(server: Running, header: str) -> None:
    with client_with(server, "") as nobody:
        answer = nobody("GET", "/api", more={"Authorization": header})
    assert "system:anonymous" in answer.message


def test_an_unknown_token_is_401_as_a_status(server: Running) -> None:
    with client_with(server, "guessed") as nobody:
        answers = [nobody.get(path) for path in ("/version", "/readyz", "/api/v1/pods")]
    found = {(answer.code, answer.reason, answer.body["kind"]) for answer in answers}
    assert found == {(401, "Unauthorized", "Status")}


def test_health_and_version_are_told_to_everybody(server: Running) -> None:
    with client_with(server, "") as nobody:
        assert [nobody.get(path).body for path in ("/livez", "/readyz", "/healthz")] == [b"ok"] * 3
        assert b"readyz check passed" in nobody.get("/readyz", verbose="").body
        assert nobody.get("/version").body["major"] == "1"
        assert nobody.get("/readyz/ping").code == 403


def test_a_token_stands_for_its_user(api: Raw) -> None:
    info = api.post(_ME, {}).body["status"]["userInfo"]
    assert info["username"] == "admin"
    assert "system:masters" in info["groups"]


def test_a_service_account_token_is_accepted(server: Running, api: Raw, core: Paths) -> None:
    token = account_token(api, core)
    with client_with(server, token) as robot:
        name = robot.post(_ME, {}).body["status"]["userInfo"]["username"]
    namespace = core().rsplit("/", 1)[-1]
    assert name == f"system:serviceaccount:{namespace}:robot"


def test_a_token_dies_with_its_account(server: Running, api: Raw, core: Paths) -> None:
    token = account_token(api, core)
    api.delete(core("serviceaccounts", "robot"))
    with client_with(server, token) as robot:
        assert robot.get("/api").code == 401


def test_a_token_bound_to_a_pod_dies_with_it(server: Running, api: Raw, core: Paths) -> None:
    spec = {"containers": [{"name": "c", "image": "i"}]}
    pod = api.post(core("pods"), {"metadata": {"name": "p"}, "spec": spec}).body
    bound = {"kind": "Pod", "apiVersion": "v1", "name": "p", "uid": pod["metadata"]["uid"]}
    token = account_token(api, core, boundObjectRef=bound)
    with client_with(server, token) as robot:
        assert robot.get("/api").code == 200
        api.delete(core("pods", "p"))
        assert robot.get("/api").code == 401


def test_a_token_for_somebody_else_is_not_for_us(server: Running, api: Raw, core: Paths) -> None:
    token = account_token(api, core, audiences=["vault"])
    with client_with(server, token) as robot:
        assert robot.get("/api").code == 401


def test_a_changed_token_is_401(server: Running, api: Raw, core: Paths) -> None:
    head, body, signature = account_token(api, core).split(".")
    with client_with(server, f"{head}.{body[:-2]}AA.{signature}") as robot:
        assert robot.get("/api").code == 401


def test_token_reviews_know_both_kinds_of_tokens(api: Raw, core: Paths) -> None:
    path = "/apis/authentication.k8s.io/v1/tokenreviews"
    good = api.post(path, {"spec": {"token": account_token(api, core)}}).body["status"]
    bad = api.post(path, {"spec": {"token": "nonsense"}}).body["status"]
    assert (good["authenticated"], bad["authenticated"]) == (True, False)
