"""The connection itself: how an answer is withheld, cut or reset, as a client really sees it.

Belongs here: uvicorn's protocol with the transport put within reach, and the ways to end a connection.
Does not belong here: when to do so (``faults``, ``gate``).
"""

import asyncio
import socket
import struct
from collections.abc import Sequence

from starlette.types import Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

TRANSPORT = "ledger.sandbox.transport"


class CuttableProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 protocol; the transport is found in ``scope["extensions"]``."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn itself
        """Wrap the application so that its scope carries the transport."""
        super().connection_made(transport)
        application = self.app

        async def with_transport(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})[TRANSPORT] = transport
            await application(scope, receive, send)

        self.app = with_transport


def transport_of(scope: Scope) -> asyncio.Transport:
    """The transport that the request came by."""
    transport: asyncio.Transport = scope["extensions"][TRANSPORT]
    return transport


async def cut(scope: Scope, receive: Receive) -> None:
    """Close the connection; what was written before is still sent. The client sees the end of the stream."""
    transport_of(scope).close()
    await _until_gone(receive)


async def reset(scope: Scope, receive: Receive) -> None:
    """Reset the connection (RST): the client sees "connection reset by peer"."""
    transport = transport_of(scope)
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    await _until_gone(receive)


async def _until_gone(receive: Receive) -> None:
    # uvicorn would answer 500 for a request that ends without an answer, unless it knows that the client is gone
    while (await receive())["type"] != "http.disconnect":
        pass


async def read_body(receive: Receive) -> bytes | None:
    """The whole body; ``None`` when the client went away before its end."""
    chunks: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(chunks)


def replay(body: bytes, receive: Receive | None = None) -> Receive:
    """A ``receive`` that gives ``body`` once, then what ``receive`` gives (or a disconnect)."""
    given = False

    async def receive_again() -> Message:
        nonlocal given
        if not given:
            given = True
            return {"type": "http.request", "body": body, "more_body": False}
        if receive is not None:
            return await receive()
        return {"type": "http.disconnect"}

    return receive_again


class Captured:
    """An answer kept back: ``status``, ``headers`` and the whole ``body``. Used as an ASGI ``send``."""

    def __init__(self) -> None:
        self.status = 500
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""

    async def __call__(self, message: Message) -> None:
        """Keep one ASGI message."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = list(message.get("headers", []))
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")

    def with_body(self, body: bytes) -> "Captured":
        """The same answer with another body."""
        found = Captured()
        found.status, found.body = self.status, body
        found.headers = [(k, v) for k, v in self.headers if k.lower() != b"content-length"]
        found.headers.append((b"content-length", str(len(body)).encode("ascii")))
        return found

    async def pass_on(self, send: Send, pieces: Sequence[bytes] | None = None, seconds: float = 0) -> None:
        """Send it, in ``pieces`` spread over ``seconds`` when given."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        if pieces:
            for piece in pieces:
                await asyncio.sleep(seconds / len(pieces))  # before: a client goes once it has the last piece
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        else:
            await send({"type": "http.response.body", "body": self.body, "more_body": False})
