"""TLS sessions that a client's next connections to the same server resume.

A full handshake has each side decode and verify certificates; programs that are run in containers
have a connection each, twice.
"""

from __future__ import annotations

import ssl
import time


class ResumingContext(ssl.SSLContext):
    """A client's context for the connections to one server, by an event loop."""

    _made: ssl.SSLObject | None = None
    _session: ssl.SSLSession | None = None

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """As in `ssl`, with the session of an earlier connection, once the server gave a ticket."""
        if self._made is not None and not _is_fresh(self._session):
            self._session = _session_of(self._made)
        fresh = self._session if _is_fresh(self._session) else None
        self._made = super().wrap_bio(
            incoming, outgoing, server_side, server_hostname, session or fresh
        )
        return self._made


def _session_of(made: ssl.SSLObject) -> ssl.SSLSession | None:
    try:
        return made.session
    except ValueError:
        # Its handshake has not come far enough for a session that could be read.
        return None


def _is_fresh(session: ssl.SSLSession | None) -> bool:
    """Return whether a session can be resumed, and so need not be asked for: that takes long."""
    if session is None or not session.has_ticket:
        return False
    return time.time() < session.time + session.timeout / 2
