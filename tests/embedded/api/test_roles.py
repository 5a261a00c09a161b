"""Roles and bindings are enforced: what they let through, and who may grant what."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.embedded.api.kubectl import Kubectl
from tests.embedded.api.raw import APPLY, Answer, Raw
from tests.embedded.api.serving import Running

Paths = Callable[..., str]
_GROUP = "rbac.authorization.k8s.io"
_RBAC = f"/apis/{_GROUP}/v1"
_READ_SECRETS = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list"]}


@dataclass(frozen=True)
class Actor:
    """Somebody without rights of their own, and an administrator who gives them some."""

    name: str
    namespace: str
    admin: Raw
    raw: Raw

    def __call__(self, method: str, path: str, body: Any = None, **more: Any) -> Answer:
        return self.raw(method, path, body, **more)

    def here(self, plural: str, *parts: str) -> str:
        return "/".join([f"{_RBAC}/namespaces/{self.namespace}", plural, *parts])

    def core(self, *parts: str) -> str:
        return "/".join(["/api/v1/namespaces", self.namespace, *parts])

    def role(self, name: str, *rules: dict[str, Any]) -> None:
        made = self.admin.post(self.here("roles"), {"metadata": {"name": name}, "rules": rules})
        assert made.code == 201, made.body

    def bind(self, role: str, kind: str = "Role") -> None:
        made = self.admin.post(self.here("rolebindings"), self.binding(role, kind))
        assert made.code == 201, made.body

    def given(self, *rules: dict[str, Any]) -> None:
        self.role("given", *rules)
        self.bind("given")

    def binding(self, role: str, kind: str = "Role") -> dict[str, Any]:
        subject = {"kind": "ServiceAccount", "name": "robot", "namespace": self.namespace}
        return {
            "metadata": {"name": f"to-{role}"},
            "roleRef": {"kind": kind, "name": role, "apiGroup": _GROUP},
            "subjects": [subject],
        }


@pytest.fixture
def robot(server: Running, api: Raw, namespace: str) -> Iterator[Actor]:
    home = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    api.post(home, {"metadata": {"name": "robot"}})
    token = api.post(f"{home}/robot/token", {"spec": {}}).body["status"]["token"]
    raw = Raw(server.url, server.ca, token)
    yield Actor(f"system:serviceaccount:{namespace}:robot", namespace, api, raw)
    raw.close()


@pytest.mark.parametrize(
    ("method", "rest", "query", "asked"),
    [
        ("GET", ("secrets",), {}, 'secrets is forbidden: User "{}" cannot list resource "secrets"'),
        ("GET", ("secrets",), {"watch": "true"}, 'cannot watch resource "secrets" in API group ""'),
        ("GET", ("secrets", "a"), {}, 'secrets "a" is forbidden: User "{}" cannot get'),
        ("PUT", ("secrets", "a"), {}, 'cannot update resource "secrets"'),
        ("PATCH", ("secrets", "a"), {}, 'cannot patch resource "secrets"'),
        ("POST", ("secrets",), {}, 'secrets is forbidden: User "{}" cannot create'),
        ("DELETE", ("secrets", "a"), {}, 'cannot delete resource "secrets"'),
        ("DELETE", ("secrets",), {}, 'cannot deletecollection resource "secrets"'),
        ("GET", ("pods", "a", "log"), {}, 'pods "a" is forbidden: User "{}" cannot get resource'),
        ("POST", ("pods", "a", "exec"), {}, 'cannot create resource "pods/exec"'),
        ("GET", ("nonsense",), {}, 'nonsense is forbidden: User "{}" cannot list'),
    ],
)
def test_what_no_role_allows_is_403(
    robot: Actor, method: str, rest: tuple[str, ...], query: dict[str, str], asked: str
) -> None:
    answer = robot(method, robot.core(*rest), **query)
    assert (answer.code, answer.reason) == (403, "Forbidden")
    assert asked.format(robot.name) in answer.message
    assert f'in the namespace "{robot.namespace}"' in answer.message


def test_the_cluster_scope_and_paths_are_named_as_such(robot: Actor) -> None:
    assert robot("GET", "/api/v1/nodes").message.endswith("at the cluster scope")
    answer = robot("GET", "/metrics")
    assert answer.message == f'forbidden: User "{robot.name}" cannot get path "/metrics"'


@pytest.mark.parametrize(
    "path", ["/api", "/api/v1", "/apis", "/apis/apps/v1", "/version", "/openapi/v3", "/readyz"]
)
def test_everybody_may_look_at_what_is_served(robot: Actor, path: str) -> None:
    assert robot("GET", path).code == 200


def test_a_role_gives_its_verbs_until_its_binding_goes(robot: Actor) -> None:
    robot.given(_READ_SECRETS)
    assert robot("GET", robot.core("secrets")).code == 200
    assert robot("POST", robot.core("secrets"), {"metadata": {"name": "a"}}).code == 403
    assert robot("GET", "/api/v1/namespaces/default/secrets").code == 403
    robot.admin.delete(robot.here("rolebindings", "to-given"))
    assert robot("GET", robot.core("secrets")).code == 403


def test_a_role_that_changes_counts_at_once(robot: Actor) -> None:
    robot.given(_READ_SECRETS)
    rules = [{**_READ_SECRETS, "resources": ["configmaps"]}]
    robot.admin.patch(robot.here("roles", "given"), {"rules": rules})
    codes = [robot("GET", robot.core(plural)).code for plural in ("secrets", "configmaps")]
    assert codes == [403, 200]


def test_names_and_subresources_are_rights_of_their_own(robot: Actor) -> None:
    one = {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["a"], "verbs": ["*"]}
    robot.given(one, {"apiGroups": ["*"], "resources": ["*/scale"], "verbs": ["get"]})
    assert robot("GET", robot.core("configmaps", "a")).code == 404
    assert robot("GET", robot.core("configmaps", "b")).code == 403
    assert robot("GET", robot.core("configmaps")).code == 403
    assert robot("GET", robot.core("configmaps"), fieldSelector="metadata.name=a").code == 200
    apps = f"/apis/apps/v1/namespaces/{robot.namespace}/deployments/a"
    assert [robot("GET", apps).code, robot("GET", f"{apps}/scale").code] == [403, 404]


def test_an_apply_that_creates_asks_for_both_verbs(robot: Actor) -> None:
    robot.given({"apiGroups": [""], "resources": ["configmaps"], "verbs": ["patch"]})
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    path = robot.core("configmaps", "a")
    answer = robot("PATCH", path, body, kind=APPLY, fieldManager="me")
    assert "cannot create resource" in answer.message
    robot.admin.post(robot.core("configmaps"), body)
    assert robot("PATCH", path, body, kind=APPLY, fieldManager="me").code == 200


def test_a_binding_to_no_role_is_the_reason(robot: Actor) -> None:
    robot.bind("lost")
    answer = robot("GET", robot.core("secrets"))
    assert answer.message.endswith(f': RBAC: role.{_GROUP} "lost" not found')


@pytest.mark.parametrize(
    ("role", "codes"), [("view", (200, 403, 403)), ("edit", (200, 200, 403)), ("admin", (200,) * 3)]
)
def test_the_roles_for_users_are_there(robot: Actor, role: str, codes: tuple[int, ...]) -> None:
    robot.bind(role, "ClusterRole")
    paths = robot.core("pods"), robot.core("secrets"), robot.here("roles")
    assert tuple(robot("GET", path).code for path in paths) == codes


def test_a_labelled_role_becomes_part_of_view_edit_and_admin(robot: Actor) -> None:
    label = f"{_GROUP}/aggregate-to-view"
    rule = {"apiGroups": ["example.com"], "resources": ["widgets"], "verbs": ["get"]}
    meta = {"name": f"widgets-{robot.namespace}", "labels": {label: "true"}}
    robot.admin.post(f"{_RBAC}/clusterroles", {"metadata": meta, "rules": [rule]})
    roles = [robot.admin.get(f"{_RBAC}/clusterroles/{name}") for name in ("view", "edit", "admin")]
    assert [rule in found.body["rules"] for found in roles] == [True] * 3
    robot.admin.delete(f"{_RBAC}/clusterroles/{meta['name']}")
    roles = [robot.admin.get(f"{_RBAC}/clusterroles/{name}") for name in ("view", "edit", "admin")]
    assert [rule in found.body["rules"] for found in roles] == [False] * 3


def test_nobody_grants_what_they_do_not_hold(robot: Actor) -> None:
    robot.bind("admin", "ClusterRole")
    make = robot.here("roles")
    held = {"metadata": {"name": "held"}, "rules": [_READ_SECRETS]}
    more = {"metadata": {"name": "more"}, "rules": [{**_READ_SECRETS, "resources": ["nodes"]}]}
    assert robot("POST", make, held).code == 201
    answer = robot("POST", make, more)
    assert answer.code == 403
    assert "is attempting to grant RBAC permissions not currently held" in answer.message
    assert '{APIGroups:[""], Resources:["nodes"], Verbs:["get" "list"]}' in answer.message
    widened = {"rules": more["rules"]}
    kind = "application/merge-patch+json"
    assert robot("PATCH", f"{make}/held", widened, kind=kind).code == 403
    assert (
        robot("PATCH", f"{make}/held", {"metadata": {"labels": {"a": "b"}}}, kind=kind).code == 200
    )
    bind = robot.here("rolebindings")
    assert robot("POST", bind, robot.binding("view", "ClusterRole")).code == 201
    assert robot("POST", bind, robot.binding("cluster-admin", "ClusterRole")).code == 403
    assert robot("POST", bind, robot.binding("lost")).code == 404


def test_escalate_and_bind_are_verbs_that_lift_it(robot: Actor) -> None:
    roles = {"apiGroups": [_GROUP], "resources": ["roles", "rolebindings"], "verbs": ["create"]}
    lifted = {"apiGroups": [_GROUP], "resources": ["roles"], "verbs": ["escalate", "bind"]}
    robot.given(roles, lifted)
    nodes = {"apiGroups": [""], "resources": ["nodes"], "verbs": ["*"]}
    body = {"metadata": {"name": "free"}, "rules": [nodes]}
    assert robot("POST", robot.here("roles"), body).code == 201
    assert robot("POST", robot.here("rolebindings"), robot.binding("free")).code == 201


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ({"apiGroups": [""], "resources": ["pods"]}, "rules[0].verbs"),
        ({"resources": ["pods"], "verbs": ["get"]}, "rules[0].apiGroups"),
        ({"apiGroups": [""], "verbs": ["get"]}, "rules[0].resources"),
        ({"nonResourceURLs": ["/a"], "verbs": ["get"]}, "rules[0].nonResourceURLs"),
    ],
)
def test_a_rule_that_says_too_little_is_422(robot: Actor, rule: dict[str, Any], field: str) -> None:
    answer = robot.admin.post(robot.here("roles"), {"metadata": {"name": "a"}, "rules": [rule]})
    assert (answer.code, answer.body["details"]["causes"][0]["field"]) == (422, field)


def test_reviews_answer_for_oneself_and_for_others(robot: Actor) -> None:
    robot.given(_READ_SECRETS)
    base = "/apis/authorization.k8s.io/v1"

    def spec(verb: str) -> dict[str, Any]:
        found = {"verb": verb, "resource": "secrets", "namespace": robot.namespace}
        return {"resourceAttributes": found}

    for verb, allowed in (("get", True), ("delete", False)):
        own = robot("POST", f"{base}/selfsubjectaccessreviews", {"spec": spec(verb)})
        asked = {"spec": {**spec(verb), "user": robot.name}}
        other = robot.admin.post(f"{base}/subjectaccessreviews", asked)
        place = f"{base}/namespaces/{robot.namespace}/localsubjectaccessreviews"
        local = robot.admin.post(place, asked)
        assert [a.body["status"]["allowed"] for a in (own, other, local)] == [allowed] * 3
    assert robot("POST", f"{base}/subjectaccessreviews", {"spec": {}}).code == 403
    assert robot.admin.post(f"{base}/subjectaccessreviews", {"spec": {}}).code == 422
    elsewhere = f"{base}/namespaces/default/localsubjectaccessreviews"
    asked = {"spec": {**spec("get"), "user": robot.name}}
    assert robot.admin.post(elsewhere, asked).code == 400


def test_a_rules_review_lists_all_rules(robot: Actor) -> None:
    robot.given(_READ_SECRETS)
    path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
    status = robot("POST", path, {"spec": {"namespace": robot.namespace}}).body["status"]
    assert _READ_SECRETS in status["resourceRules"]
    assert any("/version" in rule["nonResourceURLs"] for rule in status["nonResourceRules"])
    assert status["incomplete"] is False


@pytest.fixture
def someone(api: Raw) -> Callable[..., Answer]:
    """Requests that the administrator makes as somebody else."""

    def call(method: str, path: str, body: Any = None, user: str = "jo", **more: str) -> Answer:
        names = {"Impersonate-User": user} if user else {}
        more = {f"Impersonate-{name}": value for name, value in more.items()}
        return api(method, path, body, more={**names, **more})

    return call


_ME = "/apis/authentication.k8s.io/v1/selfsubjectreviews"


def test_acting_as_somebody_is_being_them(someone: Callable[..., Answer]) -> None:
    info = someone("POST", _ME, {}, Group="devs", **{"Extra-scope": "a"}).body["status"]["userInfo"]
    assert info == {
        "username": "jo",
        "groups": ["devs", "system:authenticated"],
        "extra": {"scope": ["a"]},
    }
    assert someone("GET", "/api/v1/pods").code == 403
    assert someone("GET", "/api/v1/pods", Group="system:masters").code == 200
    info = someone("POST", _ME, {}, user="system:serviceaccount:a:b").body["status"]["userInfo"]
    assert "system:serviceaccounts:a" in info["groups"]
    assert someone("POST", _ME, {}, user="", Group="devs").code == 500


@pytest.mark.parametrize(
    ("headers", "asked"),
    [
        ({"User": "jo"}, 'users "jo" is forbidden: User "{}" cannot impersonate resource "users"'),
        ({"User": "al", "Group": "devs"}, 'groups "devs" is forbidden'),
        ({"User": "al", "Uid": "1"}, 'uids.authentication.k8s.io "1" is forbidden'),
        ({"User": "al", "Extra-x": "1"}, 'userextras.authentication.k8s.io "1" is forbidden'),
        ({"User": "system:serviceaccount:a:b"}, 'serviceaccounts "b" is forbidden'),
    ],
)
def test_acting_as_somebody_needs_a_right(
    robot: Actor, headers: dict[str, str], asked: str
) -> None:
    name = f"as-al-{robot.namespace}"
    rule = {"apiGroups": [""], "resources": ["users"], "verbs": ["impersonate"]}
    body = {"metadata": {"name": name}, "rules": [{**rule, "resourceNames": ["al"]}]}
    robot.admin.post(f"{_RBAC}/clusterroles", body)
    binding = {**robot.binding(name, "ClusterRole"), "metadata": {"name": name}}
    robot.admin.post(f"{_RBAC}/clusterrolebindings", binding)
    more = {f"Impersonate-{key}": value for key, value in headers.items()}
    answer = robot("POST", _ME, {}, more=more)
    assert answer.code == 403
    assert asked.format(robot.name) in answer.message
    allowed = robot("POST", _ME, {}, more={"Impersonate-User": "al"})
    assert allowed.body["status"]["userInfo"]["username"] == "al"


def test_kubectl_knows_who_may_do_what(kubectl: Kubectl) -> None:
    assert "jo" in kubectl("--as", "jo", "auth", "whoami")
    kubectl("create", "rolebinding", "b", "--clusterrole=edit", "--user=jo")
    assert kubectl("auth", "can-i", "create", "deployments.apps", "--as", "jo").strip() == "yes"
    assert "deployments.apps" in kubectl("auth", "can-i", "--list", "--as", "jo")
