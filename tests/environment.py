"""Loaded by pytest before Django's settings: the tests have a data folder, and so a private server, of their own."""

import os
import sys
from pathlib import Path

os.environ.pop(
    "PYTHONDONTWRITEBYTECODE", None
)  # the tests start hundreds of processes; images of containers set it
sys.dont_write_bytecode = False
os.environ.setdefault("NOTIFCENTER_DATA_DIR", str(Path(__file__).resolve().parent.parent / ".data" / "test"))
if worker := os.environ.get("PYTEST_XDIST_WORKER"):  # several at once: each has a server of its own
    os.environ["NOTIFCENTER_DATA_DIR"] += f"/{worker}"
os.environ.setdefault(
    "SECRET_KEY", "known to all processes of the tests, so that they agree on the tests' names"
)
os.environ.setdefault("EMAIL_URL", "smtp://127.0.0.1:1")
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright's sync API runs an event loop
