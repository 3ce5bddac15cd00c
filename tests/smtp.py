"""A real SMTP server for tests, on a port of its own, that answers as it is told."""

from __future__ import annotations

import asyncio
import email
import email.policy
import ssl
import threading
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any, Protocol

from aiosmtpd.smtp import SMTP, AuthResult
from pytest_django import Settings

OK = "250 OK"
STALL = "stall"
"""Never answer."""
TAKE_AND_HANG_UP = "250 OK, bye"
HANG_UP = "hang up"
"""Close the connection without an answer."""

Answer = Callable[[str], str]


def always(text: str) -> Answer:
    return lambda _: text


ACCEPT = always(OK)


@dataclass
class Programme:
    """What the server says, by command. Each gets the address (MAIL, RCPT), the recipient (DATA), or ''."""

    mail: Answer = ACCEPT
    rcpt: Answer = ACCEPT
    data: Answer = ACCEPT
    after_data: Answer = ACCEPT
    slowness_seconds: float = 0
    """Between taking a mail and saying so."""


@dataclass
class _State:
    programme: Programme = field(default_factory=Programme)
    messages: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    connections: int = 0


class _Session(SMTP):
    def __init__(self, state: _State, **options: Any) -> None:
        self._state = state
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a login without TLS
            super().__init__(self, **options)

    def connection_made(self, transport: Any) -> None:
        self._state.connections += 1
        super().connection_made(transport)

    async def _obey(self, answer: str) -> str:
        """The answer to give. Raises when the connection is to end instead, or after it."""
        if answer == STALL:
            await asyncio.Event().wait()
        if answer.startswith("421") or answer == TAKE_AND_HANG_UP:
            await self.push(answer)
            self._writer.close()
            raise ConnectionResetError
        if answer == HANG_UP:
            self._writer.transport.abort()
            raise ConnectionResetError
        return answer

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        answer = await self._obey(self._state.programme.mail(address))
        if answer == OK:
            envelope.mail_from = address
        return answer

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        answer = await self._obey(self._state.programme.rcpt(address))
        if answer == OK:
            envelope.rcpt_tos.append(address)
        return answer

    async def smtp_DATA(self, arg: str) -> None:
        assert self.envelope is not None
        answer = self._state.programme.data((self.envelope.rcpt_tos or [""])[0])
        if answer == OK:
            await super().smtp_DATA(arg)
            return
        if answer == HANG_UP:  # in the middle of the mail
            await self.push("354 go on")
            await self._reader.readline()
        await self.push(await self._obey(answer))

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        parsed = email.message_from_bytes(envelope.original_content, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        self._state.messages.append(parsed)
        self._state.recipients.extend(envelope.rcpt_tos)
        self._state.unanswered.append(str(parsed["Message-ID"]))
        await asyncio.sleep(self._state.programme.slowness_seconds)
        answer = self._state.programme.after_data(envelope.rcpt_tos[0])
        if answer not in (HANG_UP, STALL):
            self._state.unanswered.remove(str(parsed["Message-ID"]))
        return await self._obey(answer)


class Listening(Protocol):
    port: int


def use(settings: Settings, server: Listening) -> None:
    """Point Django's mail settings to the server (pytest-django points them to memory)."""
    settings.EMAIL_BACKEND = "notifications.delivery.bounded_smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    settings.EMAIL_CONFIGURED = True


class SmtpServer:
    """`messages` and `recipients` are what was taken, in order; `programme` may be changed at any time."""

    def __init__(
        self,
        *,
        port: int = 0,
        login: tuple[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
        starttls: ssl.SSLContext | None = None,
    ) -> None:
        self._state = _State()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="smtp", daemon=True)
        self._thread.start()
        options: dict[str, Any] = {"loop": self._loop, "hostname": "mail.example.org"}
        if login:
            options |= {"auth_required": True, "auth_require_tls": False, "authenticator": _only(login)}
        if starttls:
            options |= {"tls_context": starttls, "require_starttls": True}
        listening = self._loop.create_server(
            lambda: _Session(self._state, **options), "127.0.0.1", port, ssl=tls
        )
        self._server = asyncio.run_coroutine_threadsafe(listening, self._loop).result(10)
        self.port: int = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        async def close() -> None:
            self._server.close()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    @property
    def url(self) -> str:
        """For EMAIL_URL."""
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def programme(self) -> Programme:
        return self._state.programme

    @property
    def messages(self) -> list[EmailMessage]:
        return self._state.messages

    @property
    def connections(self) -> int:
        return self._state.connections

    @property
    def recipients(self) -> list[str]:
        return self._state.recipients

    @property
    def unanswered(self) -> list[str]:
        """The Message-IDs of mails that were taken and whose sender was not, or not yet, told so."""
        return self._state.unanswered

    def counts(self) -> Counter[str]:
        """How often each Message-ID has come."""
        return Counter(str(message["Message-ID"]) for message in self.messages)

    def __enter__(self) -> SmtpServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _only(login: tuple[str, str]) -> Callable[..., AuthResult]:
    def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: Any, data: Any) -> AuthResult:
        right = (data.login.decode(), data.password.decode()) == login
        return AuthResult(success=right, handled=right)

    return authenticate
