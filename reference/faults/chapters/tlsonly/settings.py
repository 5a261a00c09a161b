"""Rules and settings of users that would admit plaintext: TLSONLY-4a and -4c."""

from __future__ import annotations

from reference.faults.chapters.tlsonly import SERVED, TOGGLED
from reference.faults.fault import Fault, Hit
from reference.operator.context import Context
from reference.operator.contract import Contract
from reference.operator.model import Cluster, Role
from reference.operator.postgres import hba

_SSLMODE = "client_tls_sslmode"
_TOGGLED_GENERATION = 2
"""The generation of a cluster that was created without tlsOnly and got it by its first change."""


@Fault(
    name="user-rules-kept",
    breaks="Under tlsOnly the user's own rules stay as given.",
    requirements=("TLSONLY-4a",),
    collateral=(Hit(requirement="TLSONLY-2", reason="one of them is of type hostgssenc"),),
    versions=("2.6-3.1",),
    deadlines=TOGGLED,
)
class UserRulesKept(Contract):
    def user_rule(self, cluster: Cluster, rule: str) -> str:
        return rule


@Fault(
    name="nogssenc-rule-kept",
    breaks="Under tlsOnly a user's rule of type hostnogssenc stays as given.",
    requirements=("TLSONLY-4a",),
    deadlines=TOGGLED,
)
class NogssencRuleKept(Contract):
    def user_rule(self, cluster: Cluster, rule: str) -> str:
        kept = hba.connection_type(rule) == "hostnogssenc"
        return rule if kept else super().user_rule(cluster, rule)


@Fault(
    name="gssenc-rule-kept",
    breaks="Under tlsOnly a user's rule of type hostgssenc stays as given.",
    requirements=("TLSONLY-2", "TLSONLY-4a"),
)
class GssencRuleKept(Contract):
    def user_rule(self, cluster: Cluster, rule: str) -> str:
        kept = hba.connection_type(rule) == "hostgssenc"
        return rule if kept else super().user_rule(cluster, rule)


@Fault(
    name="narrow-rules-kept",
    breaks="Under tlsOnly a user's rule whose address is not all stays as given.",
    requirements=("TLSONLY-4a",),
    collateral=(Hit(requirement="TLSONLY-2", reason="some of them are of type hostgssenc"),),
)
class NarrowRulesKept(Contract):
    def user_rule(self, cluster: Cluster, rule: str) -> str:
        narrow = rule.split()[3] != "all"
        return rule if narrow else super().user_rule(cluster, rule)


@Fault(
    name="quoted-rule-kept",
    breaks="Under tlsOnly a user's rule whose type stands in quotes stays as given.",
    requirements=("TLSONLY-4a",),
)
class QuotedRuleKept(Contract):
    def user_rule(self, cluster: Cluster, rule: str) -> str:
        return rule if rule.startswith('"') else super().user_rule(cluster, rule)


@Fault(
    name="rule-with-a-comment-kept",
    breaks="Under tlsOnly a user's rule with a comment behind it stays as given.",
    requirements=("TLSONLY-4a",),
)
class RuleWithACommentKept(Contract):
    def user_rule(self, cluster: Cluster, rule: str) -> str:
        return rule if "#" in rule else super().user_rule(cluster, rule)


@Fault(
    name="ipv6-rule-kept",
    breaks="Under tlsOnly a user's rule for a network of IPv6 stays as given.",
    requirements=("TLSONLY-4a",),
    collateral=(Hit(requirement="TLSONLY-2", reason="one of them is of type hostgssenc"),),
)
class Ipv6RuleKept(Contract):
    def user_rule(self, cluster: Cluster, rule: str) -> str:
        return rule if ":" in rule.split()[3] else super().user_rule(cluster, rule)


@Fault(
    name="ipv6-rule-lost",
    breaks="A user's rule for a network of IPv6 is not taken over.",
    requirements=("TLSONLY-1",),
)
class Ipv6RuleLost(Contract):
    def client_rules(self, cluster: Cluster, role: Role) -> list[str]:
        return [rule for rule in super().client_rules(cluster, role) if ":" not in rule]


@Fault(
    name="pooler-setting-wins",
    breaks="Under tlsOnly the user's client_tls_sslmode for PgBouncer stands.",
    requirements=("TLSONLY-4c",),
    collateral=(Hit(requirement="TLSONLY-3d", reason="disable turns away who uses TLS"),),
    versions=("2.6-3.1",),
    deadlines=SERVED,
)
class PoolerSettingWins(Contract):
    def pgbouncer_settings(self, context: Context) -> dict[str, str]:
        return super().pgbouncer_settings(context) | _asked(context)


@Fault(
    name="later-pooler-setting-wins",
    breaks="A client_tls_sslmode that is given under tlsOnly stands; an earlier one does not.",
    requirements=("TLSONLY-4c",),
    collateral=(Hit(requirement="TLSONLY-3d", reason="disable turns away who uses TLS"),),
    deadlines=SERVED,
)
class LaterPoolerSettingWins(Contract):
    def pgbouncer_settings(self, context: Context) -> dict[str, str]:
        settings = super().pgbouncer_settings(context)
        later = context.cluster.generation > _TOGGLED_GENERATION
        return settings | _asked(context) if later else settings


def _asked(context: Context) -> dict[str, str]:
    """Return the user's own setting, if there is one."""
    given = context.cluster.pgbouncer.settings
    return {_SSLMODE: given[_SSLMODE]} if _SSLMODE in given else {}
