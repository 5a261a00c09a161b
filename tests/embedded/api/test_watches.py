"""Watches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from kubernetes import client as kube
from kubernetes import watch

from tests.embedded.api.raw import TABLE, Raw

Paths = Callable[..., str]


def seen(events: Iterator[Any], count: int) -> list[tuple[str, str]]:
    """The next events as change and name; closes the watch."""
    found = [
        (event["type"], event["object"]["metadata"]["name"]) for event in islice(events, count)
    ]
    events.close()  # type: ignore[attr-defined]
    return found


def put(api: Raw, path: str, name: str, **labels: str) -> None:
    meta = {"name": name, "labels": labels}
    if api.post(path, {"metadata": meta}).code == 409:
        api.put(f"{path}/{name}", {"metadata": meta})


def test_changes_after_a_version_in_order(api: Raw, core: Paths) -> None:
    path = core("configmaps")
    version = api.get(path).version
    put(api, path, "a")
    put(api, path, "a", x="1")
    api.delete(f"{path}/a")
    events = api.watch(path, resourceVersion=version)
    assert seen(events, 3) == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]


def test_without_a_version_it_begins_with_what_is_there(api: Raw, core: Paths) -> None:
    path = core("configmaps")
    put(api, path, "b")
    put(api, path, "a")
    events = api.watch(path)
    assert seen(events, 2) == [("ADDED", "a"), ("ADDED", "b")]


def test_a_selector_turns_changes_into_arrivals_and_departures(api: Raw, core: Paths) -> None:
    path = core("configmaps")
    version = api.get(path).version
    for labels in ({}, {"on": "1"}, {"on": "1", "x": "y"}, {}):
        put(api, path, "a", **labels)
    put(api, path, "b", on="1")
    events = api.watch(path, resourceVersion=version, labelSelector="on")
    assert seen(events, 4) == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a"), ("ADDED", "b")]


def test_a_watch_of_one_object_by_its_name(api: Raw, core: Paths) -> None:
    path = core("configmaps")
    version = api.get(path).version
    put(api, path, "a")
    put(api, path, "b")
    events = api.watch(path, resourceVersion=version, fieldSelector="metadata.name=b")
    assert seen(events, 1) == [("ADDED", "b")]


def test_other_namespaces_are_not_seen(api: Raw, core: Paths) -> None:
    version = api.get(core("configmaps")).version
    put(api, "/api/v1/namespaces/default/configmaps", f"x{version}")
    put(api, core("configmaps"), "mine")
    assert seen(api.watch(core("configmaps"), resourceVersion=version), 1) == [("ADDED", "mine")]


def test_initial_events_end_with_a_bookmark(api: Raw, core: Paths) -> None:
    path = core("configmaps")
    put(api, path, "a")
    options = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
    events = api.watch(path, allowWatchBookmarks="true", **options)
    first, mark = islice(events, 2)
    assert (first["type"], mark["type"]) == ("ADDED", "BOOKMARK")
    assert mark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert int(mark["object"]["metadata"]["resourceVersion"]) >= int(
        first["object"]["metadata"]["resourceVersion"]
    )
    put(api, path, "b")
    assert seen(events, 1) == [("ADDED", "b")]


def test_initial_events_need_their_match(api: Raw, core: Paths) -> None:
    refused = next(api.watch(core("configmaps"), sendInitialEvents="true"))
    assert (refused["type"], refused["code"]) == ("REFUSED", 422)


def test_the_stream_ends_with_its_time(api: Raw, core: Paths) -> None:
    assert list(api.watch(core("configmaps"), timeoutSeconds=1)) == []


def test_a_version_of_the_future_is_504(api: Raw, core: Paths) -> None:
    refused = next(api.watch(core("configmaps"), resourceVersion=10**9))
    assert refused["code"] == 504


def test_the_end_of_a_kind_ends_its_watches(
    api: Raw, crd: Callable[..., str], namespace: str
) -> None:
    path = crd({"type": "object"})
    things = f"{path}/namespaces/{namespace}/things"
    api.post(things, {"metadata": {"name": "t"}})
    events = api.watch(things, timeoutSeconds=60)
    assert next(events)["type"] == "ADDED"
    group = path.split("/")[2]
    api.delete(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.{group}")
    assert [event["type"] for event in events] == ["DELETED"]


def test_tables_are_watched_too(api: Raw, core: Paths) -> None:
    put(api, core("configmaps"), "a")
    events = api.watch(core("configmaps"), accept=TABLE)
    event = next(events)
    assert (event["type"], event["object"]["kind"]) == ("ADDED", "Table")
    assert event["object"]["rows"][0]["cells"][0] == "a"
    events.close()  # type: ignore[attr-defined]


def test_the_official_client_watches(
    api: Raw, client: kube.ApiClient, core: Paths, namespace: str
) -> None:
    put(api, core("secrets"), "a")
    stream: Any = watch.Watch()  # type: ignore[no-untyped-call]
    for event in stream.stream(
        kube.CoreV1Api(client).list_namespaced_secret, namespace, timeout_seconds=60
    ):
        assert (event["type"], event["object"].metadata.name) == ("ADDED", "a")
        stream.stop()
