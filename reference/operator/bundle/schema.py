"""The structural schema of PerconaPGCluster: the fields that the contract uses.

What the operator that is certified knows beside them, and the reference operator ignores, is
kept as given where a manifest of the documentation has it.
"""

from __future__ import annotations

from embedded.client import Json
from reference.operator.model import PGBOUNCER_IMAGE, POSTGRES_IMAGE, VERSION

_TEXT: Json = {"type": "string"}
_FLAG: Json = {"type": "boolean"}
_COUNT: Json = {"type": "integer", "format": "int32", "minimum": 0}
_ANYTHING: Json = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
_COUNT_OR_PART: Json = {"x-kubernetes-int-or-string": True}
_QUANTITIES: Json = {
    "type": "object",
    "additionalProperties": {"x-kubernetes-int-or-string": True},
}


def _object(description: str, required: tuple[str, ...] = (), **properties: Json) -> Json:
    schema: Json = {"type": "object", "description": description, "properties": properties}
    return schema | ({"required": list(required)} if required else {})


def _list(items: Json) -> Json:
    return {"type": "array", "items": items}


def _map(values: Json) -> Json:
    return {"type": "object", "additionalProperties": values}


def _defaulted(schema: Json, value: object) -> Json:
    return schema | {"default": value}


def schema() -> Json:
    """Return the openAPIV3Schema of version v2."""
    return _object(
        "A PostgreSQL cluster with replicas, a pooler and TLS.",
        ("spec",),
        apiVersion=_TEXT,
        kind=_TEXT,
        metadata={"type": "object"},
        spec=_spec(),
        status=_status(),
    )


def _spec() -> Json:
    return _object(
        "What is asked for.",
        ("backups", "instances", "postgresVersion"),
        crVersion=_defaulted(_TEXT, VERSION),
        postgresVersion={"type": "integer", "minimum": 12, "maximum": 18},
        image=_defaulted(_TEXT, POSTGRES_IMAGE),
        imagePullPolicy={"type": "string", "enum": ["Always", "Never", "IfNotPresent"]},
        imagePullSecrets=_list(_object("", name=_TEXT)),
        initImage=_TEXT,
        initContainer=_ANYTHING,
        port=_COUNT,
        clusterServiceDNSSuffix=_TEXT,
        tlsOnly=_FLAG,
        pause=_FLAG,
        unmanaged=_FLAG,
        standby=_ANYTHING,
        openshift=_FLAG,
        secrets=_secrets(),
        instances={**_list(_instance_set()), "minItems": 1},
        proxy=_object("", pgBouncer=_pgbouncer()),
        users=_list(_user()),
        patroni=_patroni(),
        metadata=_object("", labels=_map(_TEXT), annotations=_map(_TEXT)),
        backups=_backups(),
        dataSource=_ANYTHING,
        databaseInitSQL=_ANYTHING,
        expose=_ANYTHING,
        exposeReplicas=_ANYTHING,
        extensions=_ANYTHING,
        pmm=_pmm(),
        autoCreateUserSchema=_FLAG,
        enableFeatureGates=_ANYTHING,
    )


def _backups() -> Json:
    volume = {**_ANYTHING, "required": ["volumeClaimSpec"]}
    repo = {**_ANYTHING, "required": ["name"], "properties": {"name": _TEXT, "volume": volume}}
    repos = {"repos": _list(repo), "image": _TEXT}
    return {**_ANYTHING, "properties": {"pgbackrest": {**_ANYTHING, "properties": repos}}}


def _pmm() -> Json:
    """Return a schema that keeps all as given, but demands what must stand beside `enabled`."""
    properties = {"enabled": _FLAG, "querySource": _defaulted(_TEXT, "pgstatmonitor")}
    required = ["enabled", "image", "querySource", "secret", "serverHost"]
    return {**_ANYTHING, "properties": properties, "required": required}


def _secrets() -> Json:
    return _object(
        "Certificates of the user's own.",
        customRootCATLSSecret=_projection("The root that signs, as root.crt and root.key."),
        customTLSSecret=_projection("What the database serves: tls.crt, tls.key, ca.crt."),
        customReplicationTLSSecret=_projection("What replicas show: tls.crt, tls.key, ca.crt."),
    )


def _projection(description: str) -> Json:
    item = _object(
        "One key, and the path at which it is expected.",
        ("key", "path"),
        key=_TEXT,
        path=_TEXT,
        mode={"type": "integer", "format": "int32"},
    )
    return _object(description, name=_TEXT, items=_list(item), optional=_FLAG)


def _instance_set() -> Json:
    claim = _object(
        "The claim for the data of each instance.",
        ("accessModes", "resources"),
        accessModes={**_list(_TEXT), "minItems": 1},
        resources=_object("", requests=_QUANTITIES, limits=_QUANTITIES),
        storageClassName=_TEXT,
        volumeMode=_TEXT,
        volumeName=_TEXT,
        selector=_ANYTHING,
    )
    return _object(
        "A set of equal instances.",
        ("dataVolumeClaimSpec",),
        name=_TEXT,
        replicas=_defaulted({**_COUNT, "minimum": 1}, 1),
        dataVolumeClaimSpec=claim,
        resources=_resources(),
        affinity=_ANYTHING,
        tolerations=_list(_ANYTHING),
        topologySpreadConstraints=_list(_ANYTHING),
        priorityClassName=_TEXT,
        sidecars=_list(_ANYTHING),
        containers=_ANYTHING,
        securityContext=_ANYTHING,
        walVolumeClaimSpec=_ANYTHING,
        tablespaceVolumes=_list(_ANYTHING),
        volumeMounts=_list(_ANYTHING),
        initContainer=_ANYTHING,
        initContainers=_list(_ANYTHING),
        minAvailable=_COUNT_OR_PART,
        env=_list(_ANYTHING),
        envFrom=_list(_ANYTHING),
        metadata=_ANYTHING,
    )


def _pgbouncer() -> Json:
    config = {
        "type": "object",
        "description": "Settings of PgBouncer by section.",
        "properties": {
            "global": _map(_TEXT),
            "databases": _map(_TEXT),
            "users": _map(_TEXT),
            "files": _list(_ANYTHING),
        },
    }
    return _object(
        "The pooler.",
        replicas=_defaulted(_COUNT, 1),
        image=_defaulted(_TEXT, PGBOUNCER_IMAGE),
        port=_COUNT,
        config=config,
        customTLSSecret=_projection("What PgBouncer serves: tls.crt, tls.key, ca.crt."),
        exposeSuperusers=_FLAG,
        resources=_resources(),
        affinity=_ANYTHING,
        tolerations=_list(_ANYTHING),
        topologySpreadConstraints=_list(_ANYTHING),
        expose=_ANYTHING,
        sidecars=_list(_ANYTHING),
        containers=_ANYTHING,
        priorityClassName=_TEXT,
        securityContext=_ANYTHING,
        minAvailable=_COUNT_OR_PART,
        env=_list(_ANYTHING),
        envFrom=_list(_ANYTHING),
        metadata=_ANYTHING,
    )


def _resources() -> Json:
    return _object("", requests=_QUANTITIES, limits=_QUANTITIES)


def _user() -> Json:
    return _object(
        "A user, and the databases that belong to it.",
        ("name",),
        name={**_TEXT, "minLength": 1, "maxLength": 63},
        databases=_list(_TEXT),
        options={**_TEXT, "maxLength": 200, "pattern": "^[^;]*$"},
        password=_object("", type=_TEXT),
        secretName=_TEXT,
        grantPublicSchemaAccess=_FLAG,
    )


def _patroni() -> Json:
    return _object(
        "Of Patroni's settings those of PostgreSQL are used.",
        dynamicConfiguration=_ANYTHING,
        leaderLeaseDurationSeconds=_COUNT,
        syncPeriodSeconds=_COUNT,
        port=_COUNT,
        switchover=_ANYTHING,
        createReplicaMethods=_list(_TEXT),
    )


def _status() -> Json:
    instances = _list(_object("", ("name",), name=_TEXT, size=_COUNT, ready=_COUNT))
    condition = _object(
        "",
        ("type", "status", "reason", "message", "lastTransitionTime"),
        type=_TEXT,
        status={"type": "string", "enum": ["True", "False", "Unknown"]},
        reason=_TEXT,
        message=_TEXT,
        lastTransitionTime={"type": "string", "format": "date-time"},
        observedGeneration={"type": "integer", "format": "int64"},
    )
    return _object(
        "What is.",
        state=_TEXT,
        host=_TEXT,
        observedGeneration={"type": "integer", "format": "int64"},
        postgres=_object("", size=_COUNT, ready=_COUNT, instances=instances),
        pgbouncer=_object("", size=_COUNT, ready=_COUNT),
        conditions={
            **_list(condition),
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["type"],
        },
    )
