"""What Daphne leaves out of closing a websocket, and a bound on what a client may send.

Daphne hands close codes to Autobahn's `sendClose`, which refuses the codes below 3000 of RFC 6455 (1009, 1013),
and drops the reason that an ASGI application gives. Its own limit of 1 MiB a message has no setting in ASGI.
"""

from __future__ import annotations

from typing import Any

from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol

from notifications.consumers import MAX_FRAME_BYTES

MAX_REASON_BYTES = 123
"""RFC 6455, 5.5: a control frame has at most 125 bytes, two of them the code."""


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


def use_bounded_sockets() -> None:
    """For this process's Daphne; to be called before it starts to listen."""
    WebSocketFactory.protocol = BoundedWebSocketProtocol


async def nowhere(scope: Any, receive: Any, send: Any) -> None:
    """The ASGI application of all addresses that have no websocket: without it, each attempt would log a traceback."""
    await send({"type": "websocket.close"})
