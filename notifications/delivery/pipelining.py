"""SMTP with fewer round trips: what a mail begins with goes out in one piece, where the server allows it (RFC 2920)."""

from __future__ import annotations

import smtplib
from collections.abc import Sequence
from typing import Any

OK, FORWARDED, GO_ON, CLOSING = 250, 251, 354, 421
END_OF_MAIL = b".\r\n"

Reply = tuple[int, bytes]


class StaleConnection(smtplib.SMTPServerDisconnected):
    """The server has hung up since the last mail, or is about to: this one needs a new connection."""


class PipeliningSMTP(smtplib.SMTP):
    """A mail on a connection that has been used begins with RSET, which shows whether it is still good."""

    _used = False

    @property
    def pipelines(self) -> bool:
        return self.has_extn("pipelining")

    def sendmail(  # type: ignore[override]
        self, from_addr: str, to_addrs: Sequence[str], msg: bytes, *options: Any
    ) -> dict[str, Reply]:
        """Raises what smtplib raises, for the same answers, and StaleConnection."""
        if len(to_addrs) != 1 or not self.pipelines:
            return super().sendmail(from_addr, to_addrs, msg, *options)
        (recipient,) = to_addrs
        size = f" size={len(msg)}" if self.has_extn("size") else ""
        commands = (
            f"mail FROM:{smtplib.quoteaddr(from_addr)}{size}",
            f"rcpt TO:{smtplib.quoteaddr(recipient)}",
            "data",
        )
        if any("\r" in command or "\n" in command for command in commands):
            raise ValueError("An address must not contain a newline.")
        self._begin("".join(f"{command}\r\n" for command in commands))
        self._check(self._replies(len(commands)), from_addr, recipient)
        quoted = smtplib._quote_periods(msg)  # type: ignore[attr-defined]
        self.send(quoted + (b"" if quoted.endswith(b"\r\n") else b"\r\n") + END_OF_MAIL)
        code, said = self.getreply()
        if code != OK:
            self._let_go(code)
            raise smtplib.SMTPDataError(code, said)
        return {}

    def _begin(self, commands: str) -> None:
        if not self._used:
            self._used = True
            self.send(commands)
            return
        try:
            self.send(f"rset\r\n{commands}")
            code, said = self.getreply()
        except smtplib.SMTPServerDisconnected as error:
            raise StaleConnection(str(error)) from error
        if code != OK:
            raise StaleConnection(f"{code} {said!r}")

    def _replies(self, count: int) -> list[Reply]:
        """Fewer when the server hangs up after a refusal."""
        replies: list[Reply] = []
        for _ in range(count):
            try:
                replies.append(self.getreply())
            except smtplib.SMTPServerDisconnected:
                if all(code in (OK, FORWARDED) for code, _ in replies):
                    raise
                break
            if replies[-1][0] == CLOSING:
                break
        return replies

    def _check(self, replies: Sequence[Reply], sender: str, recipient: str) -> None:
        """The first refusal counts; what comes after it follows from it."""
        for step, (code, said) in enumerate(replies):
            if code in ((OK,), (OK, FORWARDED), (GO_ON,))[step]:
                continue
            if replies[-1][0] == GO_ON:  # it takes a mail that it has refused to take: an empty one
                self.send(END_OF_MAIL)
                self.getreply()
            self._let_go(code)
            if step == 0:
                raise smtplib.SMTPSenderRefused(code, said, sender)
            if step == 1:
                raise smtplib.SMTPRecipientsRefused({recipient: (code, said)})
            raise smtplib.SMTPDataError(code, said)

    def _let_go(self, code: int) -> None:
        if code == CLOSING:
            self.close()
        else:
            self._rset()  # type: ignore[attr-defined]
