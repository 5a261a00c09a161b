"""Faults of the chapter TLSONLY: plaintext where only encrypted channels were promised."""

from reference.faults.fault import Fault, Hit

_SAME_CLUSTER = "where the same cluster is looked at"
_IN_THE_RULES = "the rule that lets it in is seen"
_TOGGLED = (("toggled", 3.0),)
_SERVED = (("served-after-update", 3.0),)
"""What stays at PgBouncer is waited for after each change of its settings."""

USER_RULES_ALWAYS_CONVERTED = Fault(
    name="user-rules-always-converted",
    breaks="A user's host rule is turned into hostssl without tlsOnly, too.",
    requirements=("TLSONLY-1",),
    collateral=tuple(
        Hit(requirement=each, reason="TLSONLY-1 is its control")
        for each in ("TLSONLY-3a", "TLSONLY-3e", "TLSONLY-4a")
    ),
)
IGNORED_AT_CREATION = Fault(
    name="ignored-at-creation",
    breaks="tlsOnly is heeded when it is changed, and not in a cluster that is created with it.",
    requirements=("TLSONLY-2",),
    deadlines=_TOGGLED,
)
MONITOR_ON_LOOPBACK = Fault(
    name="monitor-on-loopback",
    breaks="Under tlsOnly the monitor user keeps its host rule for the loopback.",
    requirements=("TLSONLY-2",),
    collateral=(Hit(requirement="TLSONLY-3e", reason=_IN_THE_RULES),),
    deadlines=_TOGGLED,
)
PLAIN_DEFAULT_RULE = Fault(
    name="plain-default-rule",
    breaks="Under tlsOnly the operator's own default rule is host: TLS is offered, not demanded.",
    requirements=("TLSONLY-2", "TLSONLY-3a", "TLSONLY-3b"),
    collateral=(Hit(requirement="TLSONLY-3e", reason=_SAME_CLUSTER),),
    deadlines=_TOGGLED,
)
PLAINTEXT_AT_PRIMARY = Fault(
    name="plaintext-at-primary",
    breaks="Under tlsOnly the primary lets one user in without TLS.",
    requirements=("TLSONLY-3a",),
    collateral=(
        Hit(requirement="TLSONLY-2", reason=_IN_THE_RULES),
        Hit(requirement="TLSONLY-3e", reason=_SAME_CLUSTER),
        Hit(requirement="TLSONLY-4a", reason=_SAME_CLUSTER),
    ),
    where="data plane",
    deadlines=_TOGGLED,
)
PLAINTEXT_AT_REPLICA = Fault(
    name="plaintext-at-replica",
    breaks="Under tlsOnly the replicas let one user in without TLS.",
    requirements=("TLSONLY-3b",),
    collateral=(
        Hit(requirement="TLSONLY-2", reason=_IN_THE_RULES),
        Hit(requirement="TLSONLY-3e", reason=_SAME_CLUSTER),
        Hit(requirement="TLSONLY-4a", reason=_SAME_CLUSTER),
    ),
    where="data plane",
    deadlines=_TOGGLED,
)
REPLICA_PORT_CLOSED = Fault(
    name="replica-port-closed",
    breaks="Under tlsOnly replicas answer no TCP connection, where plaintext should be refused.",
    requirements=("TLSONLY-3b",),
    collateral=(
        Hit(requirement="TLSONLY-3d", reason="TLS clients do not get in either"),
        Hit(requirement="TLSONLY-3f", reason="a server closes its port by a restart only"),
        Hit(requirement="TLSONLY-3e", reason=_SAME_CLUSTER),
        Hit(requirement="TLSONLY-4a", reason=_SAME_CLUSTER),
    ),
    where="data plane",
    expects="error",
    deadlines=_TOGGLED,
)
PLAINTEXT_AT_POOLER = Fault(
    name="plaintext-at-pooler",
    breaks="Under tlsOnly PgBouncer's client_tls_sslmode is allow.",
    requirements=("TLSONLY-3c",),
    collateral=(
        Hit(requirement="TLSONLY-3e", reason=_SAME_CLUSTER),
        Hit(requirement="TLSONLY-4c", reason="PgBouncer is the same in all clusters"),
    ),
    deadlines=_TOGGLED + _SERVED,
)
REPLICA_LOCKS_CLIENTS_OUT = Fault(
    name="replica-locks-clients-out",
    breaks="Under tlsOnly the rules of the replicas let no ordinary user in at all.",
    requirements=("TLSONLY-3d",),
    collateral=(
        Hit(requirement="TLSONLY-3b", reason="its control, the TLS login, fails"),
        Hit(requirement="TLSONLY-3e", reason="its control, the TLS login, fails"),
        Hit(requirement="TLSONLY-4a", reason="its control, the TLS login, fails"),
    ),
    where="data plane",
    deadlines=_TOGGLED,
)
TOGGLE_UNNOTICED = Fault(
    name="toggle-unnoticed",
    breaks="A replica does not load the rules that a toggled tlsOnly writes.",
    requirements=("TLSONLY-3e",),
    collateral=(Hit(requirement="TLSONLY-4a", reason="its clusters are toggled, too"),),
    where="data plane",
    deadlines=_TOGGLED,
)
TOGGLE_SLOW = Fault(
    name="toggle-slow",
    breaks="tlsOnly takes effect on a live cluster some seconds after the deadline.",
    requirements=("TLSONLY-3e",),
    collateral=(
        Hit(requirement="TLSONLY-4a", reason="its clusters are toggled, too", sometimes=True),
    ),
    deadlines=_TOGGLED,
)
TOGGLE_RESTARTS = Fault(
    name="toggle-restarts",
    breaks="Toggling tlsOnly restarts the instances.",
    requirements=("TLSONLY-3f",),
    collateral=(
        Hit(requirement="TLSONLY-3d", reason="clients find no server during the restart"),
        *(
            Hit(requirement=each, reason="it may look while an instance is away", sometimes=True)
            for each in ("TLSONLY-3e", "TLSONLY-4a", "TLSONLY-4c", "TLSONLY-5b")
        ),
    ),
)
USER_RULES_KEPT = Fault(
    name="user-rules-kept",
    breaks="Under tlsOnly the user's own rules stay as given.",
    requirements=("TLSONLY-4a",),
    versions=("2.6-3.1",),
    deadlines=_TOGGLED,
)
NOGSSENC_RULE_KEPT = Fault(
    name="nogssenc-rule-kept",
    breaks="Under tlsOnly a user's rule of type hostnogssenc stays as given.",
    requirements=("TLSONLY-4a",),
    deadlines=_TOGGLED,
)
POOLER_SETTING_WINS = Fault(
    name="pooler-setting-wins",
    breaks="Under tlsOnly the user's client_tls_sslmode for PgBouncer stands.",
    requirements=("TLSONLY-4c",),
    versions=("2.6-3.1",),
    deadlines=_SERVED,
)
LATER_POOLER_SETTING_WINS = Fault(
    name="later-pooler-setting-wins",
    breaks="A client_tls_sslmode that is given under tlsOnly stands; an earlier one does not.",
    requirements=("TLSONLY-4c",),
    deadlines=_SERVED,
)
PLAIN_REPLICATION_UNDER_TLS_ONLY = Fault(
    name="plain-replication-under-tls-only",
    breaks="Under tlsOnly replicas stream without TLS; a rule admits their addresses.",
    requirements=("TLSONLY-5a",),
    collateral=(
        Hit(requirement="TLSONLY-2", reason=_IN_THE_RULES),
        Hit(requirement="TLSONLY-3e", reason=_IN_THE_RULES),
    ),
    where="data plane",
    deadlines=_TOGGLED,
)
REPLICAS_CUT_OFF = Fault(
    name="replicas-cut-off",
    breaks="Once tlsOnly is toggled replicas try to stream without TLS, and no rule admits them.",
    requirements=("TLSONLY-5a",),
    where="data plane",
    deadlines=(("ready", 15),),
)
SERVER_SETTING_WINS = Fault(
    name="server-setting-wins",
    breaks="Under tlsOnly the user's server_tls_sslmode for PgBouncer stands.",
    requirements=("TLSONLY-5b",),
    versions=("2.6-3.1",),
    deadlines=_SERVED,
)
PLAIN_SERVER_LEG = Fault(
    name="plain-server-leg",
    breaks="Under tlsOnly PgBouncer reaches the primary without TLS; a rule admits its addresses.",
    requirements=("TLSONLY-5b",),
    collateral=(
        Hit(requirement="TLSONLY-2", reason=_IN_THE_RULES),
        Hit(requirement="TLSONLY-3e", reason=_IN_THE_RULES),
    ),
    where="data plane",
    deadlines=_TOGGLED,
)
