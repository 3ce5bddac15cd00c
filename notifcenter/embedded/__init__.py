"""The private PostgreSQL server for installations without DATABASE_URL.

`server` starts and stops it; `base` is the Django database backend that starts it at the first connection,
so that commands that need no database start none.
"""
