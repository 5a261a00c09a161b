"""CONN: the documentation's connectivity check, and what a client may rely on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from fixtures.certificates import addresses, certificates_in, der, dns_names
from fixtures.observing.settling import known
from fixtures.pgclient import ROOT_FILE
from fixtures.pgcluster.cluster import USER_KEYS, Member
from fixtures.probes import (
    Answer,
    ErrorResponse,
    describe_answer,
    handshake_done,
    logged_in_over_tls,
    server_chain_refused,
    server_name_refused,
)
from fixtures.run.outcomes import Blocked
from fixtures.scenarios.generated.plaintext_logins import PlaintextLogin
from fixtures.scenarios.generated.scenario import ByName, Generated
from fixtures.secret import Hidden, redact
from suites.breach import Breach, EachElement, expect
from suites.plugin.checks import CheckEvidence
from suites.requirement import requirement
from suites.wire import (
    POOLER_REFUSES,
    NothingKnown,
    Owner,
    accepted,
    judge,
    judge_one_plaintext,
    judge_refusal,
    no_tls,
    turned_away,
)

FORM = "postgresql://USER:PASSWORD@HOST:PORT/DATABASE with all else percent-encoded"

_ENCODED = r"[^\s:/?#@%\[\]]|%[0-9A-Fa-f]{2}"
# The only "@" ends what may be the password, so that no part behind it can be a piece of one.
_URI = re.compile(
    rf"(?P<scheme>[^:/?#@]*)://(?P<user>(?:{_ENCODED})*):(?P<password>(?:{_ENCODED}|:)*)"
    rf"@(?P<host>[^:/?#@]*):(?P<port>[^:/?#@]*)/(?P<database>(?:{_ENCODED})*)"
    r"(?P<more>(?:[?#][^@]*)?)"
)


@requirement("CONN-1")
def test_the_uri_in_the_users_secret(generated: Generated, each: EachElement) -> None:
    """pgbouncer-uri in the user's Secret is what a client needs to reach PgBouncer.

    postgresql://USER:PASSWORD@CLUSTER-pgbouncer.NAMESPACE.svc:5432/DATABASE, and the password,
    percent-decoded, is that under the key password. Any other part breaks it, and so do a key of
    the Secret that a client needs and that is absent or empty, a query
    or a fragment, such as an sslmode of its own, and a character that should have been
    percent-encoded. The password is never shown; nor is a text that cannot be taken apart.
    """
    credentials = generated.connectivity.credentials
    where = f"Secret {generated.namespace}/{credentials.secret}, key pgbouncer-uri"
    with each("keys"):
        expect(
            not credentials.missing,
            where=f"Secret {generated.namespace}/{credentials.secret}",
            promised=f"keys {', '.join(USER_KEYS)}",
            seen=f"nothing under {', '.join(credentials.missing)}",
        )
    seen = parse_uri(credentials.pgbouncer_uri)
    with each("form"):
        expect(
            seen is not None,
            where=where,
            promised=FORM,
            seen="a text of another form, not shown, as it holds the password",
        )
    if seen is None:
        return
    promised = {
        "scheme": "postgresql",
        "user": credentials.user,
        "host": f"one-pgbouncer.{generated.namespace}.svc",
        "port": "5432",
        "database": credentials.database,
        "query and fragment": "",
    }
    for part, value in promised.items():
        with each(part):
            expect(
                seen.parts[part] == value,
                where=where,
                promised=f"{part} {value or 'empty'}",
                seen=f"{seen.parts[part]!r}",
            )
    with each("password"):
        expect(
            seen.password == credentials.password,
            where=where,
            promised="the percent-encoded value of key password",
            seen="another value",
        )


@requirement("CONN-2")
def test_psql_with_verify_ca(generated: Generated, evidence: CheckEvidence) -> None:
    """The URI, verify-ca and the mounted CA give a login that answers as that user.

    psql in pg-client is asked for current_user. Where it gets no answer, our own client logs in
    from the same Pod by the Secret's other keys: a chain that does not verify, a user or password
    that is refused, or "SSL required" breaks the promise, and so does a PgBouncer whose log says
    that it cannot verify the primary: it keeps its clients waiting. A name that does not resolve, a
    closed port, or a server that cannot take the session just now says nothing.
    """
    walk = generated.connectivity
    walk.credentials.whole()
    if walk.psql is None or walk.session is None:
        raise Blocked("CONN-7: the page's pg-client did not start, so psql could not be tried")
    evidence.data("session", walk.session)
    if not walk.psql.ok and parse_uri(walk.credentials.pgbouncer_uri) is None:
        # libpq's words would quote what it takes for the host: a part of the password.
        raise Blocked(f"CONN-1: pgbouncer-uri is not {FORM}")
    words = redact(walk.psql.stderr, walk.credentials.password)
    evidence.text("psql.txt", f"{walk.psql.stdout}\n{words}")
    if walk.psql.ok:
        user = walk.psql.rows[0][0] if walk.psql.rows else None
        expect(
            user == walk.credentials.user,
            where="psql in pg-client, by pgbouncer-uri",
            promised=f"current_user {walk.credentials.user}",
            seen=repr(user),
        )
        return
    if logged_in_over_tls(walk.session):
        raise NothingKnown(f"our own client logs in, psql does not: {words}")
    if walk.refused is not None:
        raise Breach(
            where=f"{walk.refused.pooler}, logged in to from pg-client",
            promised="a server leg that verifies the primary, and a login",
            seen=walk.refused.seen,
            look_at="server_tls_ca_file of PgBouncer",
        )
    judge(
        walk.session,
        kept=logged_in_over_tls,
        broken=lambda answer: no_tls(answer) or _client_refused(answer),
        where=f"PgBouncer by the Secret's keys, where psql by the URI said: {words}",
        promised="a login over TLS that answers a query",
        look_at="the log of PgBouncer; CONN-1, CONN-3",
    )


@requirement("CONN-3")
def test_a_foreign_ca_is_rejected(generated: Generated, each: EachElement) -> None:
    """A client that trusts only another CA rejects each Pod for its chain.

    The foreign CA is the neighbour's generated root, or one that nobody knows with an operator of
    before 2.5, whose clusters share one; a client that trusts the published one logs in just before
    and just after. A chain that the foreign root verifies breaks it.
    """
    for member, refusal in generated.wire.foreign.items():
        with each(str(member)):
            judge_refusal(
                refusal,
                server_chain_refused,
                where=member,
                promised="verify error 7 or 18 to 21: no chain to the foreign root",
                look_at="AUTO-3a",
                control=_login_promised(generated),
            )


@requirement("CONN-4a")
def test_verify_full_by_every_published_name(generated: Generated, each: EachElement) -> None:
    """verify-full succeeds by every name of the three Services, and by the user's hosts.

    Short, with the namespace, with svc and in full; looked at on each Pod behind the name, with
    the published CA, and once more after further proven reconciles. A leaf that lacks the name, or
    does not verify, breaks it.
    """
    _judge_names(each, generated.wire.by_name, "")
    with each("after reconciles"):
        _judge_names(each, known(generated.reconciled.by_name), ", after reconciles")


def _judge_names(each: EachElement, looks: Iterable[ByName], when: str) -> None:
    for look in looks:
        with each(f"{look.name} at Pod {look.member.pod}{when}"):
            judge(
                look.answer,
                kept=handshake_done,
                broken=no_tls,
                where=f"{look.member}, as {look.name}{when}",
                promised=f"a leaf that verifies for {look.name}",
                look_at="the names in the leaf: openssl x509 -noout -ext subjectAltName",
            )


@requirement("CONN-4b")
def test_no_address_and_no_localhost_in_leaves(generated: Generated, each: EachElement) -> None:
    """Generated leaves carry neither an address nor localhost, so verify-full by address fails.

    The names of every stored leaf are read; a handshake by each address of a Pod, and of a Service
    that has one, must end with verify error 62 or 64.
    """
    for leaf in generated.stored.one.leaves():
        names = (*addresses(leaf.certificate), *_local(dns_names(leaf.certificate)))
        with each(str(leaf)):
            expect(
                not names,
                where=f"{leaf} in {generated.namespace}",
                promised="neither an IP address nor localhost",
                seen=", ".join(names),
            )
    for service, answer in generated.wire.by_address.items():
        with each(service):
            if server_chain_refused(answer):
                raise Blocked(f"AUTO-5e: {service}: {describe_answer(answer)}")
            judge(
                answer,
                kept=server_name_refused,
                broken=accepted,
                where=service,
                promised="verify error 62 or 64",
            )


@requirement("CONN-6")
def test_plaintext_is_refused_by_default(generated: Generated, each: EachElement) -> None:
    """Without tlsOnly, too, users get in by TLS alone, whoever they are and wherever they go.

    The user of the Secret at every database, one that was made later included, and every other user
    but that of replication at the cluster's own. Each of primary and replicas must answer a
    plaintext startup with FATAL 28000 from ClientAuthentication, each PgBouncer with 08P01 "SSL
    required", at each of its addresses, while a login over TLS succeeds just before and just after.
    A server that goes on without TLS breaks it.
    """
    for at, refusal in generated.wire.plaintext.items():
        with each(str(at)):
            judge_one_plaintext(at.member, refusal, at, control=_login_promised(generated))


@requirement("CONN-7")
def test_the_pages_client_starts(generated: Generated) -> None:
    """The page's pg-client Deployment becomes available with the CA at /tmp/tls/root.crt.

    Its volume takes key root.crt of CLUSTER-cluster-ca-cert. A Pod that cannot start because that
    Secret or key does not exist, though the cluster is ready, breaks it, and so does any other
    content of the file.
    """
    walk = generated.connectivity
    expect(
        bool(walk.started),
        where=f"Deployment {generated.namespace}/pg-client",
        promised=f"available, with {ROOT_FILE} mounted",
        seen=walk.started.seen,
        look_at=walk.started.look_at,
    )
    if walk.root_file is None:
        raise NothingKnown(f"{ROOT_FILE} was not read")
    found = tuple(map(der, certificates_in(walk.root_file)))
    expect(
        found == tuple(map(der, walk.root.certificates)),
        where=f"pg-client, {ROOT_FILE}",
        promised=f"the content of {walk.root}",
        seen=f"{len(found)} certificates, which are not all the same",
    )


@requirement("CONN-8")
def test_the_listing_shows_each_secret_as_opaque(generated: Generated, each: EachElement) -> None:
    """The list of kubectl get secrets shows the Secrets that the page names, of type Opaque.

    The server's own table is read, as kubectl prints it. A Secret that is missing there, or of
    another type, breaks it.
    """
    listed = generated.stored.listed
    name_at, type_at = listed.columns.index("Name"), listed.columns.index("Type")
    types = {str(row[name_at]): str(row[type_at]) for row in listed.rows}
    for name in generated.stored.one.expected:
        with each(f"Secret {name}"):
            expect(
                types.get(name) == "Opaque",
                where=f"kubectl -n {generated.namespace} get secrets",
                promised=f"{name} of type Opaque",
                seen=types.get(name, "not listed"),
            )


@requirement("CONN-13")
def test_a_user_logs_in_at_every_instance(generated: Generated, each: EachElement) -> None:
    """The user of the Secret logs in over TLS at primary and replicas themselves, too.

    By the Pods' own addresses, with verify-ca and the published CA. An instance whose leaf does not
    verify, that refuses the user, or whose rules have no place for it breaks it; one that cannot be
    reached, or takes nobody just now, says nothing.
    """
    for member, refusal in generated.wire.foreign.items():
        if not member.instance:
            continue
        with each(str(member)):
            judge(
                refusal.before,
                kept=logged_in_over_tls,
                broken=turned_away,
                where=member,
                promised="a login over TLS",
                look_at="pg_hba_file_rules of the instance; the names and dates of its leaf",
            )


@dataclass(frozen=True)
class PoolerUri:
    """The parts of a connection URI, percent-decoded, and the password."""

    parts: Mapping[str, str]
    password: Hidden[str]


def parse_uri(uri: Hidden[str]) -> PoolerUri | None:
    """The parts of a URI (RFC 3986, section 3), None where it is of another form."""
    found = _URI.fullmatch(uri.reveal())
    if found is None:
        return None
    parts = {name: unquote(found[name]) for name in ("scheme", "user", "host", "port", "database")}
    return PoolerUri(
        parts={**parts, "query and fragment": found["more"]},
        password=Hidden(unquote(found["password"])),
    )


def _client_refused(answer: Answer) -> bool:
    """Refused for who the client is or how it came, not for the state that the server is in."""
    if not isinstance(answer, ErrorResponse):
        return False
    return answer.sqlstate.startswith("28") or (
        answer.sqlstate == "08P01" and answer.message.strip().casefold() in POOLER_REFUSES
    )


def _login_promised(generated: Generated) -> Owner:
    """Of the controls, logins over TLS: which requirement promises that they work."""
    server_leg = generated.connectivity.refused

    def owner(where: object, answer: Answer) -> str:
        member = where.member if isinstance(where, PlaintextLogin) else where
        pooled = isinstance(member, Member) and not member.instance
        if pooled and server_leg is not None:
            return "CONN-2"  # it keeps its clients waiting
        return ("CONN-2" if pooled else "CONN-13") if turned_away(answer) else ""

    return owner


def _local(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(n for n in names if n == "localhost" or n.startswith("localhost."))
