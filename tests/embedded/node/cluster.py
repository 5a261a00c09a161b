"""A handful of objects, and the look-ups that the node's parts take."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


def pod(**spec: Any) -> Json:
    containers = spec.pop("containers", [{"name": "app", "image": "percona/x:1"}])
    metadata = {
        "name": "db-0",
        "namespace": "ns",
        "uid": "u-1",
        "labels": {"role": "primary"},
        "annotations": {"note": 'a "quoted" word'},
    }
    return {"metadata": metadata, "spec": {"containers": containers, "nodeName": "box"} | spec}


def secret(**data: str) -> Json:
    return {"data": {k: base64.b64encode(v.encode()).decode() for k, v in data.items()}}


@dataclass
class Shelf:
    """Secrets and ConfigMaps by name, all of one namespace."""

    secrets: dict[str, Json] = field(default_factory=dict)
    config_maps: dict[str, Json] = field(default_factory=dict)

    async def secret(self, namespace: str, name: str) -> Json | None:
        return self.secrets.get(name)

    async def config_map(self, namespace: str, name: str) -> Json | None:
        return self.config_maps.get(name)

    async def token(self, pod: Json, source: Json) -> str:
        return f"token of {pod['metadata']['name']} for {source.get('audience', 'the API')}"


def service(name: str = "db", address: str = "None", **spec: Any) -> Json:
    return {
        "metadata": {"namespace": "ns", "name": name},
        "spec": {"clusterIP": address, "ports": [{"port": 5432}]} | spec,
    }


def endpoints(*members: Json, waiting: tuple[Json, ...] = (), port: int = 5432) -> Json:
    subset: Json = {"ports": [{"port": port}]}
    subset |= {"addresses": list(members)} if members else {}
    subset |= {"notReadyAddresses": list(waiting)} if waiting else {}
    return {"metadata": {"namespace": "ns", "name": "db"}, "subsets": [subset]}
