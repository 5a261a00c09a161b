"""Manifests that the tests share."""

from __future__ import annotations

from embedded.client import Json


def template(app: str, image: str = "one", **annotations: str) -> Json:
    metadata: Json = {"labels": {"app": app}}
    if annotations:
        metadata["annotations"] = annotations
    return {"metadata": metadata, "spec": {"containers": [{"name": "main", "image": image}]}}


def deployment(name: str, replicas: int = 1, **spec: object) -> Json:
    body = {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": name}},
        "template": template(name),
    }
    return {"metadata": {"name": name}, "spec": body | spec}


def stateful_set(name: str, replicas: int = 1, **spec: object) -> Json:
    body = {
        "replicas": replicas,
        "serviceName": f"{name}-pods",
        "selector": {"matchLabels": {"app": name}},
        "template": template(name),
    }
    return {"metadata": {"name": name}, "spec": body | spec}


def job(name: str, ends: str, **spec: object) -> Json:
    """A Job whose Pods end in this phase."""
    made = template(name, ends=ends)
    made["spec"]["restartPolicy"] = "Never"
    return {"metadata": {"name": name}, "spec": {"template": made} | spec}


def claim(name: str) -> Json:
    return {
        "metadata": {"name": name},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }


def config(name: str, owner: Json | None = None, **metadata: object) -> Json:
    """A ConfigMap, owned by another object if one is given."""
    made: Json = {"metadata": {"name": name} | metadata, "data": {}}
    if owner:
        made["metadata"]["ownerReferences"] = [reference(owner)]
    return made


def reference(owner: Json, **more: object) -> Json:
    metadata = owner["metadata"]
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": metadata["name"],
        "uid": metadata["uid"],
    } | more


def service(name: str, app: str | None, **spec: object) -> Json:
    body: Json = {"ports": [{"port": 5432}]} | spec
    if app:
        body["selector"] = {"app": app}
    return {"metadata": {"name": name}, "spec": body}
