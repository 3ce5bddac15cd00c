"""The floor of sending mail: smtplib over one connection. `python -m bench.floor_mail PORT (messages | bytes) < mails`

`mails`: pickled pairs of recipient and mail as bytes. Sends them as `EmailMessage`s, by `send_message`, or as they are,
by `sendmail`. Prints mails per second and CPU milliseconds a mail.
"""

from __future__ import annotations

import email
import email.policy
import pickle
import smtplib
import sys
import time

SENDER = "notifcenter@localhost"


def main() -> None:
    port, what = sys.argv[1:]
    mails: list[tuple[str, bytes]] = pickle.load(sys.stdin.buffer)
    messages = [email.message_from_bytes(mail, policy=email.policy.SMTP) for _, mail in mails]
    with smtplib.SMTP("127.0.0.1", int(port)) as server:
        start, cpu = time.perf_counter(), time.process_time()
        if what == "messages":
            for message in messages:
                server.send_message(message)
        else:
            for recipient, mail in mails:
                server.sendmail(SENDER, recipient, mail)
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    print(len(mails) / seconds, cpu / len(mails) * 1000)


if __name__ == "__main__":
    main()
