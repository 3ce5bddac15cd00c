"""The command line: `notifcenter COMMAND`, `python -m notifcenter COMMAND` or `manage.py COMMAND`."""

from __future__ import annotations

import os
import sys

from notifcenter.version import VERSION


def main() -> None:
    if sys.argv[1:] == ["--version"]:  # Django would say its own
        print(VERSION)  # noqa: T201
        return
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "notifcenter.settings")
    from django.core.management import execute_from_command_line
    from django.db import OperationalError

    try:
        execute_from_command_line(sys.argv)
    except OperationalError as error:
        said = " ".join(str(error).split())
        sys.exit(f"The database does not answer: {said} Check DATABASE_URL; `notifcenter doctor` says more.")


if __name__ == "__main__":
    main()
