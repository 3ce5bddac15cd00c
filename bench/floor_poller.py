"""The floor's poller: NOTIFY → one INSERT, COMMIT with NOTIFY."""

import os
import select

import psycopg2


def main() -> None:
    listening = psycopg2.connect(os.environ["DATABASE_URL"])
    listening.autocommit = True
    listening.cursor().execute("LISTEN floor_change")
    writing = psycopg2.connect(os.environ["DATABASE_URL"])
    while True:
        select.select([listening], [], [])
        listening.poll()
        listening.notifies.clear()
        with writing.cursor() as cursor:
            cursor.execute("INSERT INTO floor_note (job, state) VALUES (1, 'RUNNING'); NOTIFY floor_live")
        writing.commit()


if __name__ == "__main__":
    main()
