"""The syntax of pg_hba.conf: rules as users write them, and what tlsOnly makes of one."""

from __future__ import annotations

import re
from ipaddress import ip_address

_UNENCRYPTED = ("host", "hostnossl", "hostgssenc", "hostnogssenc")
_FIELD = re.compile(r'(?:"[^"]*"|[^\s"])+')


def normalized(rule: str) -> str:
    """Return a rule with one blank between its fields; empty for a blank line."""
    return " ".join(_fields(rule))


def connection_type(rule: str) -> str:
    """Return the first field of a rule, such as `hostssl`; it may stand in quotes."""
    return _unquoted(_fields(rule)[0])


def demanding_tls(rule: str) -> str:
    """Return a rule for TLS connections only.

    One that rejects stays as it is: changed, it would keep TLS clients out.
    """
    kind, *rest = _fields(rule)
    if _unquoted(kind) in _UNENCRYPTED and _unquoted(_method(rest)) != "reject":
        return " ".join(["hostssl", *rest])
    return rule


def _method(rest: list[str]) -> str:
    """Return the method of a host rule: behind database, user, and address with or without mask."""
    return next((word for word in rest[3:] if not _is_mask(word)), "")


def _unquoted(field: str) -> str:
    return field.replace('"', "")


def _is_mask(word: str) -> bool:
    try:
        ip_address(word)
    except ValueError:
        return False
    return True


def _fields(rule: str) -> list[str]:
    # Blanks within double quotes end no field.
    return _FIELD.findall(rule)
