"""Typed reading of environment variables; every mistake becomes one line that names the variable."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from email.utils import getaddresses
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import SplitResult, unquote, urlsplit

import environ
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from kombu.transport import TRANSPORT_ALIASES

EMAIL_SCHEMES = ("smtp", "smtp+tls", "smtp+ssl", "consolemail", "filemail")


class UnusableSettingError(SystemExit):
    """A value in the environment cannot be used; ends the process with one line on standard error."""


def unusable(name: str, why: str) -> NoReturn:
    raise UnusableSettingError(f"{name}: {why}")


def text(name: str, default: str = "") -> str:
    """The value of NAME, or the content of the file that NAME_FILE names (for secrets)."""
    path = os.environ.get(f"{name}_FILE", "")
    if path and os.environ.get(name):
        unusable(name, f"is set, and so is {name}_FILE; set only one of them")
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            unusable(f"{name}_FILE", f"cannot be read: {error}")
    return os.environ.get(name, "") or default


def checked(name: str, check: Callable[[str], None], *, needed_by: str = "") -> str:
    """A text that `check` lets through, or ''; it raises a ValueError that says what is wrong, and shows no secret."""
    value = needed(name, by=needed_by) if needed_by else text(name)
    if value:
        try:
            check(value)
        except ValueError as error:
            unusable(name, str(error))
    return value


def needed(name: str, *, by: str) -> str:
    """A text that must be set when another one is."""
    value = text(name)
    if text(by) and not value:
        unusable(name, f"is needed with {by}")
    return value


def line(name: str, default: str) -> str:
    """A text that goes into mail headers and logs."""
    value = text(name, default)
    if not value.isprintable():
        unusable(name, f"must be one line of text, not {value!r}")
    return value


def folder(name: str, path: Path, without: str = "") -> Path:
    """Create the folder that NAME stands for, if it is absent; none of these characters may be in its path."""
    if odd := set(without) & set(str(path)):
        unusable(name, f"{str(path)!r} cannot be used with a {min(odd)!r} in it; choose another folder")
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        unusable(name, f"the folder cannot be created: {error}")
    if not os.access(path, os.W_OK):
        unusable(name, f"the folder {str(path)!r} cannot be written to")
    return path


def existing_folder(name: str) -> Path | None:
    """A folder that is there already and can be read; None when NAME is not set."""
    value = text(name)
    if not value:
        return None
    if not Path(value).is_dir() or not os.access(value, os.R_OK | os.X_OK):
        unusable(name, f"there is no folder {value!r} that can be read")
    return Path(value).resolve()


def boolean(name: str, default: bool) -> bool:
    value = text(name).lower()
    if not value:
        return default
    if value in ("1", "true", "yes", "on"):
        return True
    if value in ("0", "false", "no", "off"):
        return False
    unusable(name, f"must be true or false, not {value!r}")


def words(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """A comma-separated list."""
    return [word.strip() for word in text(name).split(",") if word.strip()] or list(default)


def hosts(name: str, default: tuple[str, ...]) -> list[str]:
    """A comma-separated list of host names as ALLOWED_HOSTS has them: without scheme, port and path."""
    found = words(name, default)
    for host in found:
        if not _HOST.fullmatch(host):
            unusable(
                name, f"{host!r} is no host name; write it like portal.example.org, without scheme and port"
            )
    return found


def origins(name: str) -> list[str]:
    """A comma-separated list of origins such as https://portal.example.org:9090."""
    found = words(name)
    for origin in found:
        parts = _split(name, origin)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.path or parts.query:
            unusable(name, f"{origin!r} is no origin; write it like https://portal.example.org")
    return found


def url(name: str, default: str = "") -> str:
    """An http(s) address without its trailing slash, or ''."""
    value = text(name, default).rstrip("/")
    if value:
        parts = _split(name, value)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
            unusable(name, f"{value!r} is no address; write it like https://host.example.org")
    return value


def choice(name: str, choices: Sequence[str]) -> str:
    """One of these words; the first one without a value."""
    value = text(name, choices[0])
    if value not in choices:
        unusable(name, f"must be one of {', '.join(choices)}, not {value!r}")
    return value


def path_part(name: str, default: str) -> str:
    """One or several parts of an address's path, without slashes at its ends."""
    value = text(name, default).strip("/")
    if not _PATH_PART.fullmatch(value) or value.split("/")[0] in _TAKEN:
        unusable(
            name, f"{value!r} cannot be a path; write it like staff-only, and not like a page that exists"
        )
    return value


def networks(name: str, default: str = "") -> list[IPv4Network | IPv6Network]:
    """A comma-separated list of blocks of addresses, or single addresses."""
    found = []
    for word in words(name, tuple(default.split(",")) if default else ()):
        try:
            found.append(ip_network(word))
        except ValueError as error:
            unusable(name, f"{error}; write blocks like 10.20.0.0/16, or single addresses")
    return found


def fernet_keys(name: str) -> list[str]:
    """A comma-separated list of keys, each 32 bytes in URL-safe base64. The error shows none of them."""
    found = words(name)
    for number, key in enumerate(found, start=1):
        try:
            Fernet(key)
        except ValueError:
            unusable(name, f"key {number} cannot be used; make one by: notifcenter encryption_keys make")
    return found


def usable_file(name: str, read: Callable[[str], object]) -> str:
    """The path of a file that `read` can read, or ''; `read` raises a ValueError that says what is wrong."""
    value = text(name)
    if value and not Path(value).is_file():
        unusable(name, f"there is no file {value!r}")
    if value:
        try:
            read(value)
        except ValueError as error:
            unusable(name, f"the file {value!r} cannot be used: {error}")
    return value


def safe_url(name: str) -> str:
    """As `url`, but http:// for this machine only."""
    value = url(name)
    parts = urlsplit(value)
    if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        unusable(name, "must start with https://")
    return value


def database(name: str) -> dict[str, Any] | None:
    """Django's database settings from a postgres:// URL, or None when the variable is not set."""
    value = text(name)
    if not value:
        return None
    if _split(name, value).scheme not in ("postgres", "postgresql"):
        unusable(name, "must be a PostgreSQL address such as postgresql://user:password@host:5432/database")
    try:
        config: dict[str, Any] = environ.Env.db_url_config(value)
    except (ValueError, ImproperlyConfigured) as error:
        unusable(name, f"cannot be read: {error}")
    if not config.get("NAME"):
        unusable(name, "names no database; write postgresql://user:password@host:5432/database")
    config["ENGINE"] = "notifcenter.postgresql"
    config["HOST"] = unquote(config.get("HOST") or "")  # the folder of a Unix socket is written %2Frun%2F…
    return config


def email(name: str) -> dict[str, Any]:
    """Django's EMAIL_* settings from a URL, {} when the variable is not set."""
    value = text(name)
    if not value:
        return {}
    scheme = _split(name, value).scheme
    if scheme not in EMAIL_SCHEMES:
        unusable(name, f"must start with one of {', '.join(s + '://' for s in EMAIL_SCHEMES)}")
    try:
        config: dict[str, Any] = environ.Env.email_url_config(value)
    except (ValueError, ImproperlyConfigured, KeyError) as error:
        unusable(name, f"cannot be read: {error}")
    if scheme.startswith("smtp") and not config.get("EMAIL_HOST"):
        unusable(name, "names no host; write smtp://user:password@host:port")
    if scheme.startswith("smtp"):
        config["EMAIL_BACKEND"] = "notifications.delivery.bounded_smtp.EmailBackend"
    if scheme == "filemail":
        config["EMAIL_FILE_PATH"] = urlsplit(value).path
    config["EMAIL_PORT"] = config.get("EMAIL_PORT") or {"smtp+ssl": 465, "smtp+tls": 587}.get(scheme, 25)
    return config


def broker(name: str, default: str) -> str:
    """The address of a message broker that Celery can use, or several with `;` between them."""
    value = text(name, default)
    for one in value.split(";"):
        if _split(name, one).scheme not in TRANSPORT_ALIASES:
            unusable(name, "must be an address such as redis://host:6379/0 or amqp://user:password@host:5672")
    return value


def sender(name: str, default: str) -> str:
    """One mail address, with or without a name: Cluster <cluster@example.org>."""
    value = line(name, default)
    addresses = getaddresses([value])
    if len(addresses) != 1 or not _ADDRESS.fullmatch(addresses[0][1]):
        unusable(name, f"{value!r} is no mail address; write it like Cluster <cluster@example.org>")
    return value


_PATH_PART = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*")
_TAKEN = (
    "accounts",
    "api",
    "demo",
    "healthz",
    "inbox",
    "job-file",
    "jobs",
    "metrics",
    "profile",
    "static",
    "unsubscribe",
    "ws",
)
_HOST = re.compile(r"\*|\.?[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\]")
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")


def _split(name: str, value: str) -> SplitResult:
    """The parts of an address. The error shows none of them: one may be a password."""
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018 - raises when it is no number of a port
    except ValueError:
        unusable(name, "is no address; check its port, and write special characters of a password like %2F")
    return parts


def integer(name: str, default: int, *, least: int, or_zero: bool = False) -> int:
    value = text(name)
    if not value:
        return default
    if not value.isdecimal() or (int(value) < least and not (or_zero and int(value) == 0)):
        zero = ", or 0," if or_zero else ","
        unusable(name, f"must be a whole number of at least {least}{zero} not {value!r}")
    return int(value)
