"""A value in the environment that cannot be used stops the start with one line that names the variable."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from notifications.vapid import new_private_key

ROOT = Path(__file__).resolve().parent.parent.parent

EACH_IN_A_PROCESS = """
import json, os, runpy, sys
import django.core.management, csp.constants, notifications.sources.frameworks.exit_spec, notifications.vapid
for number, variables in enumerate(json.load(sys.stdin)):
    if os.fork() == 0:
        for kind in ("stdout", "stderr"):
            os.dup2(os.open(f"{number}.{kind}", os.O_CREAT | os.O_WRONLY), getattr(sys, kind).fileno())
        os.environ |= variables
        sys.argv = ["manage.py", "check"]
        runpy.run_path(os.environ["MANAGE"], run_name="__main__")
        sys.exit()
    with open(f"{number}.code", "w") as file:
        print(os.waitstatus_to_exitcode(os.wait()[1]), file=file)
"""
"""`manage.py check` with one set of variables after the other; what is imported before the settings, is so once."""

SETTINGS = """
import json, sys
from notifcenter import settings
print(json.dumps({name: getattr(settings, name) for name in sys.argv[1:]}, default=str))
"""


def clean(tmp_path: Path) -> dict[str, str]:
    """An environment that says nothing but where the data is."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "NOTIFCENTER_DATA_DIR": str(tmp_path)}


def start(tmp_path: Path, arguments: list[str], **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT, env={**clean(tmp_path), **env},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def check(tmp_path: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return start(tmp_path, ["manage.py", "check"], **env)


def settings(tmp_path: Path, *names: str, **env: str) -> str:
    done = start(tmp_path, ["-c", SETTINGS, *names], **env)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


UNUSABLE = [
    ("DATABASE_URL", "mysql://user@host/database"),
    ("DATABASE_URL", "rubbish"),
    ("DATABASE_URL", "postgresql://user:password@host:port/database"),
    ("DATABASE_URL", "postgresql://user@host:99999/database"),
    ("DATABASE_URL", "postgresql://user@host"),
    ("DATABASE_URL", "postgresql://[::1/database"),
    ("CELERY_BROKER_URL", "rubbish"),
    ("CELERY_BROKER_URL", "http://host"),
    ("CELERY_BROKER_URL", "redis://host:port/0"),
    ("CELERY_BROKER_URL", "redis://[::1"),
    ("EMAIL_URL", "rubbish"),
    ("EMAIL_URL", "imap://host"),
    ("EMAIL_URL", "smtp://"),
    ("EMAIL_URL", "smtp://host:port"),
    ("EMAIL_URL", "smtp://host:99999"),
    ("EMAIL_URL", "smtp://[::1"),
    ("DEFAULT_FROM_EMAIL", "nobody"),
    ("DEFAULT_FROM_EMAIL", "a@example.org\r\nBcc: b@example.org"),
    ("DEFAULT_FROM_EMAIL", "a@example.org, b@example.org"),
    ("DEBUG", "maybe"),
    ("ALLOWED_HOSTS", "https://portal.example.org"),
    ("ALLOWED_HOSTS", "portal.example.org/path"),
    ("CSRF_TRUSTED_ORIGINS", "portal.example.org"),
    ("CSRF_TRUSTED_ORIGINS", "https://[::1"),
    ("CORS_ALLOWED_ORIGINS", "https://portal.example.org/path"),
    ("CORS_ALLOWED_ORIGINS", "*"),
    ("BASE_URL", "portal.example.org"),
    ("BASE_URL", "javascript:alert(1)"),
    ("BASE_URL", "https://portal.example.org/?a=b"),
    ("BASE_URL", "https://portal.example.org:port"),
    ("CLUSTER_NAME", "a\r\nBcc: b@example.org"),
    ("PAI_WEBPORTAL_URL", "ftp://host"),
    ("PAI_WEBPORTAL_URL", "http://[::1"),
    ("PAI_REST_SERVER_URL", "host:9186"),
    ("PAI_REST_SERVER_TOKEN_FILE", "/does/not/exist"),
    ("OIDC_ISSUER_URL", "login.example.org"),
    ("OIDC_ISSUER_URL", "http://login.example.org"),
    ("OIDC_ISSUER_URL", "http://localhost.example.org"),
    ("OIDC_CREATE_USERS", "maybe"),
    ("OIDC_NAME", "a\nb"),
    ("PAI_JWT_SECRET_FILE", "/does/not/exist"),
    ("PAI_EXIT_SPEC", "/does/not/exist"),
    ("PAI_EXIT_SPEC", "/"),
    ("PAI_EXIT_SPEC", __file__),
    ("SECRET_KEY_FILE", "/does/not/exist"),
    ("METRICS_TOKEN_FILE", "/"),
    ("METRICS_TOKEN", "with\na second line"),
    ("INGEST_TOKEN", "two words"),
    ("PAI_REST_SERVER_TOKEN", "schlüssel"),
    ("NOTIFCENTER_DATA_DIR", "/dev/null/data"),
    ("NOTIFCENTER_DATA_DIR", "/proc/data"),
    ("NOTIFCENTER_DATA_DIR", "/tmp/notifcenter $(date)"),
    ("NOTIFCENTER_LEASE_SECONDS", "soon"),
    ("TARGETS_ALLOW_PRIVATE", "10.0.0.1/8"),
    ("TARGETS_DENY", "example.org"),
    ("ENCRYPTION_KEYS", "too-short"),
    ("ENCRYPTION_KEYS", "not base64 at all, but long enough to look like a key"),
    ("NOTIFCENTER_DEMO", "2"),
    ("VAPID_PRIVATE_KEY", "too-short"),
    ("VAPID_PRIVATE_KEY_FILE", "/does/not/exist"),
]


@pytest.fixture(scope="module")
def starts(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], tuple[int, str, str]]:
    """Exit code, output and errors of each."""
    folder = tmp_path_factory.mktemp("data")
    subprocess.run(
        [sys.executable, "-c", EACH_IN_A_PROCESS],
        cwd=folder, env={**clean(folder), "MANAGE": str(ROOT / "manage.py"), "PYTHONPATH": str(ROOT)},
        input=json.dumps([{name: value} for name, value in UNUSABLE]), text=True, timeout=100, check=True,
    )  # fmt: skip
    done = (
        [(folder / f"{n}.{kind}").read_text() for kind in ("code", "stdout", "stderr")]
        for n in range(len(UNUSABLE))
    )
    return {case: (int(code), out, err) for case, (code, out, err) in zip(UNUSABLE, done, strict=True)}


@pytest.mark.parametrize(("name", "value"), UNUSABLE)
def test_an_unusable_value_stops_the_start_with_one_line_that_names_it(
    starts: dict[tuple[str, str], tuple[int, str, str]], name: str, value: str
) -> None:
    code, output, errors = starts[name, value]
    assert code == 1
    assert len(errors.splitlines()) == 1
    assert errors.startswith(f"{name}: ")
    assert not output


def test_the_data_folder_is_needed_for_the_private_server_too(tmp_path: Path) -> None:
    done = check(tmp_path, SECRET_KEY="key", NOTIFCENTER_DATA_DIR="/dev/null/data")
    assert done.returncode == 1
    assert done.stderr.startswith("NOTIFCENTER_DATA_DIR: ")
    assert len(done.stderr.splitlines()) == 1
    elsewhere = {"SECRET_KEY": "key", "DATABASE_URL": "postgresql://user@host/database"}
    assert check(tmp_path, NOTIFCENTER_DATA_DIR="/dev/null/data", **elsewhere).returncode == 0


def test_without_any_variable_it_starts_safe(tmp_path: Path) -> None:
    assert check(tmp_path).returncode == 0
    assert settings(tmp_path, "DEBUG", "EMAIL_CONFIGURED", "ALLOWED_HOSTS") == (
        '{"DEBUG": false, "EMAIL_CONFIGURED": false, "ALLOWED_HOSTS": ["127.0.0.1", "localhost", "[::1]"]}'
    )


def test_the_secret_key_is_made_once_and_is_nobody_elses_to_read(tmp_path: Path) -> None:
    first = settings(tmp_path, "SECRET_KEY")
    assert settings(tmp_path, "SECRET_KEY") == first
    assert len(first) > 50
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0


SECRETS = ["SECRET_KEY", "PAI_JWT_SECRET", "METRICS_TOKEN", "CELERY_BROKER_URL", "DATABASE_URL", "EMAIL_URL"]


def test_secrets_come_from_files(tmp_path: Path) -> None:
    values = {
        "SECRET_KEY": "key-from-a-file",
        "PAI_JWT_SECRET": "secret-from-a-file",
        "METRICS_TOKEN": "token-from-a-file",
        "CELERY_BROKER_URL": "redis://:pass@host:6379/1",
        "EMAIL_URL": "smtp+tls://user:p%40ss@mail.example.org:587",
    }
    env = {}
    for name, value in values.items():
        (tmp_path / name).write_text(f"{value}\n", encoding="utf-8")
        env[f"{name}_FILE"] = str(tmp_path / name)
    found = settings(
        tmp_path, "SECRET_KEY", "PAI_JWT_SECRET", "METRICS_TOKEN", "CELERY_BROKER_URL", "EMAIL_HOST_PASSWORD",
        "EMAIL_PORT", "EMAIL_USE_TLS", **env,
    )  # fmt: skip
    assert found == (
        '{"SECRET_KEY": "key-from-a-file", "PAI_JWT_SECRET": "secret-from-a-file", '
        '"METRICS_TOKEN": "token-from-a-file", "CELERY_BROKER_URL": "redis://:pass@host:6379/1", '
        '"EMAIL_HOST_PASSWORD": "p@ss", "EMAIL_PORT": 587, "EMAIL_USE_TLS": true}'
    )


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_that_is_set_twice_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "secret"
    path.write_text("b", encoding="utf-8")
    done = check(tmp_path, **{name: "a", f"{name}_FILE": str(path)})
    assert done.returncode == 1
    assert done.stderr == f"{name}: is set, and so is {name}_FILE; set only one of them\n"


@pytest.mark.parametrize("missing", ["OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET"])
def test_a_sign_in_that_is_configured_by_half_is_refused(tmp_path: Path, missing: str) -> None:
    whole = {
        "OIDC_CLIENT_ID": "a",
        "OIDC_CLIENT_SECRET": "b",
        "OIDC_ISSUER_URL": "https://login.example.org/",
    }
    del whole[missing]
    done = check(tmp_path, **whole)
    assert done.returncode == 1
    assert done.stderr == f"{missing}: is needed with OIDC_ISSUER_URL\n"


def test_push_needs_both_its_settings(tmp_path: Path) -> None:
    key = new_private_key()
    done = check(tmp_path, VAPID_PRIVATE_KEY=key)
    assert done.returncode == 1
    assert done.stderr == "VAPID_CONTACT: is needed with VAPID_PRIVATE_KEY\n"
    done = check(tmp_path, VAPID_PRIVATE_KEY=key, VAPID_CONTACT="admin")
    assert done.stderr == "VAPID_CONTACT: 'admin' is no contact; write it like mailto:admin@example.org\n"
    path = tmp_path / "key"
    path.write_text(f"{key}\n", encoding="utf-8")
    assert check(tmp_path, VAPID_PRIVATE_KEY_FILE=str(path), VAPID_CONTACT="mailto:a@b.org").returncode == 0


@pytest.mark.parametrize("name", ["DATABASE_URL", "EMAIL_URL", "CELERY_BROKER_URL"])
def test_a_refused_address_does_not_show_its_password(tmp_path: Path, name: str) -> None:
    done = check(tmp_path, **{name: "rubbish://user:the-password@host:port/x"})
    assert done.returncode == 1
    assert "the-password" not in done.stderr


def test_the_address_of_the_database_is_read_whole(tmp_path: Path) -> None:
    found = settings(
        tmp_path,
        "DATABASES",
        DATABASE_URL="postgresql://u%40x:p%2Fw@[::1]:6543/pai?sslmode=require&keepalives_idle=77",
    )
    for part in (
        '"USER": "u@x"',
        '"PASSWORD": "p/w"',
        '"HOST": "::1"',
        '"PORT": 6543',
        '"NAME": "pai"',
        "sslmode",
        '"keepalives_idle": 77',
        '"keepalives": 1',
    ):
        assert part in found
