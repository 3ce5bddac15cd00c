"""The floor's web process: NOTIFY → one SELECT → send, to every open websocket."""

import asyncio
import json
import os
import sys

import psycopg2
from websockets.asyncio.server import ServerConnection, broadcast, serve

clients: set[ServerConnection] = set()


async def accept(client: ServerConnection) -> None:
    clients.add(client)
    await client.wait_closed()
    clients.discard(client)


async def main(port: int) -> None:
    listening = psycopg2.connect(os.environ["DATABASE_URL"])
    listening.autocommit = True
    cursor = listening.cursor()
    cursor.execute("LISTEN floor_live")
    last = 0

    def push() -> None:
        nonlocal last
        listening.poll()
        listening.notifies.clear()
        cursor.execute("SELECT id, job, state FROM floor_note WHERE id > %s ORDER BY id", [last])
        for row in cursor.fetchall():
            last = row[0]
            broadcast(clients, json.dumps(row))

    asyncio.get_running_loop().add_reader(listening.fileno(), push)
    async with serve(accept, "127.0.0.1", port):
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
