"""What Daphne leaves out of closing a websocket, a bound on what a client may send, and room for all at once.

Daphne hands close codes to Autobahn's `sendClose`, which refuses the codes below 3000 of RFC 6455 (1009, 1013),
and drops the reason that an ASGI application gives. Its own limit of 1 MiB a message has no setting in ASGI.

After a restart all clients come back in the same moment. Twisted lets 50 connections wait to be accepted; the kernel
drops the others, and they try again after 1, 2, 4, … 64 seconds. Daphne turns away who is not greeted after 5 seconds;
that one begins anew, and what was done for it is lost.
"""

from __future__ import annotations

import logging
from typing import Any

from daphne.server import Server
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from twisted.internet import tcp

from notifications.consumers import MAX_FRAME_BYTES

logger = logging.getLogger(__name__)

MAX_REASON_BYTES = 123
"""RFC 6455, 5.5: a control frame has at most 125 bytes, two of them the code."""

MAX_UNREAD_BYTES = 16 * 1024 * 1024
"""Who lets so much lie, beside what the kernel holds, is let go: it comes back and asks for what it has missed. These
are at most MAX_BACKLOG frames, and must be less than this."""

BACKLOG = 4096
"""Connections that wait to be accepted; the kernel cuts it down to its own limit, which is 4096 on Linux."""

GREETING_SECONDS = 60
"""At least so long a client waits to be greeted."""


class BoundedWebSocketProtocol(WebSocketProtocol):  # type: ignore[misc]
    maxFramePayloadSize = MAX_FRAME_BYTES  # noqa: N815 - Autobahn's name
    maxMessagePayloadSize = MAX_FRAME_BYTES  # noqa: N815 - Autobahn's name
    failByDrop = False  # noqa: N815 - send a close frame before dropping the connection

    def handle_reply(self, message: dict[str, Any]) -> None:
        if message.get("type") == "websocket.close" and self.state == self.STATE_OPEN:
            reason = (message.get("reason") or "").encode()[:MAX_REASON_BYTES]
            self.sendCloseFrame(code=message.get("code") or 1000, reasonUtf8=reason)
        else:
            super().handle_reply(message)

    def serverSend(self, content: str | bytes, binary: bool = False) -> None:  # noqa: N802
        """As Daphne does, but that Autobahn would hold what we send to the bound of what we are sent."""
        if isinstance(content, str) and self.state == self.STATE_OPEN:
            self.sendFrame(opcode=self.MESSAGE_TYPE_TEXT, payload=content.encode())
        else:
            super().serverSend(content, binary)

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:  # noqa: N802
        """As Autobahn does, but for the line in colours that it makes for its debug log, read or not, of each frame."""
        if sync or chopsize or self.send_queue or self.logOctets or self.state != self.STATE_OPEN:
            super().sendData(data, sync, chopsize)
        else:
            self.transport.write(data)
            self.trafficStats.outgoingOctetsWireLevel += len(data)
            if getattr(self.transport, "bytes_behind", 0) > MAX_UNREAD_BYTES:
                logger.info("socket closed, since its client does not read client=%s", self.client_addr[0])
                self.transport.abortConnection()


_Server: Any = tcp.Server  # Twisted's types are half there


class PromptTransport(_Server):  # type: ignore[misc]
    """Writes at once what the kernel takes. Twisted would have the event loop watch for room first, in its next turn,
    which costs about as much as all the rest of sending a frame. What the kernel does not take goes Twisted's way."""

    _is_waiting = False
    bytes_behind = 0
    """What was written since the kernel took all for the last time."""

    def startWriting(self) -> None:  # noqa: N802
        self._is_waiting = True
        super().startWriting()

    def stopWriting(self) -> None:  # noqa: N802
        self._is_waiting = False
        self.bytes_behind = 0
        super().stopWriting()

    def write(self, data: bytes) -> None:
        is_pulled = self.producer is not None and not self.streamingProducer
        if data and self.connected and not (self._is_waiting or self.TLS or is_pulled):
            sent = self.writeSomeData(data)
            data = data[sent:] if isinstance(sent, int) else data  # an error comes again, where it is handled
        self.bytes_behind += len(data)
        super().write(data)


def use_bounded_sockets() -> None:
    """For this process's Daphne; to be called before it starts to listen."""
    WebSocketFactory.protocol = BoundedWebSocketProtocol
    Server.listen_success = _listen_success


_daphnes = Server.listen_success


def _listen_success(server: Server, port: Any) -> None:
    port.socket.listen(BACKLOG)  # again: only the length of the queue changes
    if port.transport is _Server:
        port.transport = PromptTransport
    seconds = max(server.websocket_connect_timeout, GREETING_SECONDS)
    server.websocket_connect_timeout = server.websocket_handshake_timeout = seconds
    server.ws_factory.setProtocolOptions(openHandshakeTimeout=seconds)
    _daphnes(server, port)


async def nowhere(scope: Any, receive: Any, send: Any) -> None:
    """The ASGI application of all addresses that have no websocket: without it, each attempt would log a traceback."""
    await send({"type": "websocket.close"})
