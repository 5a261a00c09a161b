"""Writes are counted by the API's own numbers, and said by kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.kube.client import Kube
from fixtures.kube.resources import CONFIGMAPS, NAMESPACES, SECRETS, Json, Resource
from tests.bench.writes import writes_during
from tests.embedded.client.api_process import api_server


def test_each_write_counts_once(tmp_path: Path) -> None:
    with api_server(tmp_path) as server:
        kube = Kube.connect(server.kubeconfig)
        kube.create(NAMESPACES, _object(NAMESPACES, "here"))

        def window() -> None:
            kube.create(SECRETS, _object(SECRETS, "one"), "here")
            kube.create(CONFIGMAPS, _object(CONFIGMAPS, "one"), "here")
            for value in ("a", "b", "b"):  # the last changes nothing, and is no write
                kube.patch_merge(CONFIGMAPS, "one", {"data": {"value": value}}, "here")
            kube.delete(CONFIGMAPS, "one", "here")
            kube.list(SECRETS)

        writes = writes_during(kube, window)
        kube.close()
    assert writes.count == 5
    assert writes.kinds == {"Secret": 1, "ConfigMap": 4}
    assert str(writes) == "4 ConfigMap, 1 Secret"
    assert writes.a_minute == pytest.approx(60 * 5 / writes.seconds)


def _object(resource: Resource, name: str) -> Json:
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": {"name": name},
    }
