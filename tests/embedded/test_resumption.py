"""Connections of an event loop to one server: later ones resume the session of the first."""

import asyncio
import ssl

import pytest
import trustme

from embedded.resumption import ResumingContext


async def _reused(context: ssl.SSLContext, server: ssl.SSLContext) -> bool:
    """Connect, hear what a server says, and return whether the session was resumed."""

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        await writer.drain()
        writer.close()

    listener = await asyncio.start_server(greet, "127.0.0.1", 0, ssl=server)
    async with listener:
        address = listener.sockets[0].getsockname()
        reader, writer = await asyncio.open_connection(*address, ssl=context)
        assert await reader.read() == b"hello"
        reused: bool = writer.get_extra_info("ssl_object").session_reused
        writer.close()
    return reused


def _server(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


def test_later_connections_resume_the_session() -> None:
    authority = trustme.CA()
    context, server = ResumingContext(ssl.PROTOCOL_TLS_CLIENT), _server(authority)
    authority.configure_trust(context)
    assert [asyncio.run(_reused(context, server)) for _ in range(3)] == [False, True, True]


def test_a_server_with_other_keys_is_verified_anew() -> None:
    authority = trustme.CA()
    context = ResumingContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(context)
    asyncio.run(_reused(context, _server(authority)))
    assert not asyncio.run(_reused(context, _server(authority)))


def test_a_connection_begins_while_another_waits_for_the_server() -> None:
    context = ResumingContext(ssl.PROTOCOL_TLS_CLIENT)
    for _ in range(2):
        begun = context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="127.0.0.1")
        with pytest.raises(ssl.SSLWantReadError):
            begun.do_handshake()
