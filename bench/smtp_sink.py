"""A mail server that takes everything and keeps nothing. `python -m bench.smtp_sink PORT`

Bare sockets and a thread a connection, so that it costs the machine as little as can be and never is what is measured.
It offers what Postfix does.
"""

from __future__ import annotations

import socket
import sys
import threading
from contextlib import suppress

READ_BYTES = 256 * 1024
END_OF_MAIL = b"\r\n.\r\n"
OK = b"250 OK\r\n"
ANSWERS = {
    b"EHLO": b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 10000000\r\n",
    b"DATA": b"354 go on\r\n",
    b"QUIT": b"221 bye\r\n",
}


def main() -> None:
    listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    while True:
        connection, _ = listening.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_serve, args=[connection], daemon=True).start()


def _serve(connection: socket.socket) -> None:
    rest, in_mail = b"", False
    with suppress(OSError), connection:
        connection.sendall(b"220 sink\r\n")
        while chunk := connection.recv(READ_BYTES):
            rest += chunk
            if in_mail:
                if rest.endswith(END_OF_MAIL):
                    rest, in_mail = b"", False
                    connection.sendall(OK)
                continue
            *commands, rest = rest.split(b"\r\n")
            verbs = [command[:4].upper() for command in commands]
            connection.sendall(b"".join(ANSWERS.get(verb, OK) for verb in verbs))
            in_mail = b"DATA" in verbs
            if b"QUIT" in verbs:
                return


if __name__ == "__main__":
    main()
