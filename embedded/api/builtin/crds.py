"""CustomResourceDefinitions: their defaults, their conditions, what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable

from embedded.api.builtin.rules import BuiltinRules, required, wrong
from embedded.api.cel import rules
from embedded.api.columns import Column
from embedded.api.errors import Cause
from embedded.api.jsons import Json, at
from embedded.api.resources import Resource, World
from embedded.api.schema import structural
from embedded.api.types.builtin import message, scalar
from embedded.api.types.shape import ANY, STRING, Shape
from embedded.timestamps import now

GROUP = "apiextensions.k8s.io"
PLURAL = "customresourcedefinitions"
KIND = "CustomResourceDefinition"
FINALIZER = "customresourcecleanup.apiextensions.k8s.io"

_CONDITION = Shape(
    kind="struct",
    fields=dict.fromkeys(("type", "status", "lastTransitionTime", "reason", "message"), STRING),
)
_CONDITIONS = Shape(kind="list", element=_CONDITION, list_kind="map", keys=("type",))
_STATUS = Shape(
    kind="struct",
    fields={"acceptedNames": ANY, "conditions": _CONDITIONS, "storedVersions": ANY},
)


def shape() -> Shape:
    """The shape of a CRD as it is merged."""
    return Shape(
        kind="struct",
        fields={
            "apiVersion": STRING,
            "kind": STRING,
            "metadata": message("meta.ObjectMeta"),
            "spec": ANY,
            "status": _STATUS,
        },
    )


def _struct(**fields: Shape) -> Shape:
    return Shape(kind="struct", fields=fields)


def _list(element: Shape) -> Shape:
    return Shape(kind="list", element=element)


_BOOL, _INT32 = scalar("bool"), scalar("int32")
_NAMES = _struct(
    **dict.fromkeys(("plural", "singular", "kind", "listKind"), STRING),
    shortNames=_list(STRING),
    categories=_list(STRING),
)
_COLUMN = _struct(
    **dict.fromkeys(("name", "type", "format", "description", "jsonPath"), STRING),
    priority=_INT32,
)
_SCALE = _struct(
    **dict.fromkeys(("specReplicasPath", "statusReplicasPath", "labelSelectorPath"), STRING)
)
_VERSION = _struct(
    **dict.fromkeys(("name", "deprecationWarning"), STRING),
    **dict.fromkeys(("served", "storage", "deprecated"), _BOOL),
    schema=_struct(openAPIV3Schema=ANY),
    subresources=_struct(status=_struct(), scale=_SCALE),
    additionalPrinterColumns=_list(_COLUMN),
    selectableFields=_list(_struct(jsonPath=STRING)),
)
_SPEC = _struct(
    group=STRING,
    scope=STRING,
    names=_NAMES,
    versions=_list(_VERSION),
    conversion=_struct(strategy=STRING, webhook=ANY),
    preserveUnknownFields=_BOOL,
)


def _typed() -> Shape:
    """The shape of a CRD as it is read; the schemas inside are free."""
    return shape().with_fields({"spec": _SPEC})


def resource() -> Resource:
    """The resource of CRDs themselves."""
    return Resource(
        group=GROUP,
        version="v1",
        plural=PLURAL,
        kind=KIND,
        singular="customresourcedefinition",
        list_kind="CustomResourceDefinitionList",
        namespaced=False,
        short_names=("crd", "crds"),
        categories=("api-extensions",),
        status=True,
        generation=True,
        unconditional=False,
        shape=shape(),
        rules=BuiltinRules(
            shape=_typed(),
            defaults=_default,
            on_create=_accept,
            on_update=_refresh,
            warn=_warn,
            check=_check,
        ),
        columns=(
            Column("Name", lambda obj: obj["metadata"]["name"], format="name"),
            Column("Created At", lambda obj: at(obj, "metadata", "creationTimestamp"), "date"),
        ),
    )


def _default(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    names = spec.setdefault("names", {})
    kind = names.get("kind", "")
    names.setdefault("listKind", f"{kind}List")
    names.setdefault("singular", kind.lower())
    spec.setdefault("conversion", {}).setdefault("strategy", "None")


def _accept(obj: Json, _world: World) -> None:
    """Serving begins with the create: the conditions say so in its very answer."""
    stored = [
        version.get("name", "")
        for version in obj["spec"].get("versions") or []
        if version.get("storage")
    ]
    obj["status"] = {
        "acceptedNames": obj["spec"]["names"],
        "storedVersions": stored,
        "conditions": [
            _condition("NamesAccepted", "NoConflicts", "no conflicts found"),
            _condition(
                "Established", "InitialNamesAccepted", "the initial names have been accepted"
            ),
        ],
    }


def _refresh(obj: Json, old: Json, _world: World) -> None:
    """The status follows a changed specification."""
    status = old.get("status") or {}
    versions = obj["spec"].get("versions") or []
    stored = [version.get("name", "") for version in versions if version.get("storage")]
    kept = [name for name in status.get("storedVersions") or [] if name not in stored]
    names = {"acceptedNames": obj["spec"]["names"], "storedVersions": [*kept, *stored]}
    obj["status"] = {**status, **names}


def _condition(kind: str, reason: str, text: str) -> Json:
    return {
        "type": kind,
        "status": "True",
        "lastTransitionTime": now(),
        "reason": reason,
        "message": text,
    }


def terminating() -> Json:
    """The condition of a CRD whose objects are being removed."""
    text = "CustomResource deletion is in progress"
    return _condition("Terminating", "InstanceDeletionInProgress", text)


def _warn(obj: Json) -> Iterable[str]:
    if "deletionTimestamp" in obj["metadata"]:
        return
    for version in obj["spec"]["versions"]:
        for text in rules.unsupported(version["schema"]["openAPIV3Schema"]):
            yield f"version {version['name']}: the rule {text}"


def _check(obj: Json, old: Json | None) -> Iterable[Cause]:
    spec = obj["spec"]
    names, group = spec["names"], spec.get("group", "")
    expected = f"{names.get('plural', '')}.{group}"
    if obj["metadata"].get("name") != expected:
        yield wrong("metadata.name", obj["metadata"].get("name"), f"must be {expected!r}")
    for name in ("plural", "kind"):
        if not names.get(name):
            yield required(f"spec.names.{name}")
    if spec.get("scope") not in ("Cluster", "Namespaced"):
        yield required("spec.scope")
    yield from _check_versions(spec)
    if old is not None:
        for name in ("group", "scope"):
            if spec.get(name) != old["spec"].get(name):
                yield wrong(f"spec.{name}", spec.get(name), "field is immutable")


def _check_schema(schema: Json, path: str) -> Iterable[Cause]:
    try:
        yield from structural.causes(schema, path)
    except (AttributeError, KeyError, TypeError):
        # What is of the wrong type stands anywhere in it.
        yield wrong(path, "", "is no schema: a part of it is of the wrong type")


def _check_versions(spec: Json) -> Iterable[Cause]:
    versions = spec.get("versions") or []
    if sum(bool(version.get("storage")) for version in versions) != 1:
        yield wrong(
            "spec.versions",
            len(versions),
            "must have exactly one version marked as storage version",
        )
    for position, version in enumerate(versions):
        where = f"spec.versions[{position}]"
        if not version.get("name"):
            yield required(f"{where}.name")
        schema = at(version, "schema", "openAPIV3Schema")
        if schema:
            yield from _check_schema(schema, f"{where}.schema.openAPIV3Schema")
        else:
            yield required(f"{where}.schema.openAPIV3Schema")
    if at(spec, "conversion", "strategy") != "None":
        yield wrong("spec.conversion.strategy", "Webhook", "webhooks are not served here")
