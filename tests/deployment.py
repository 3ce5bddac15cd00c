"""The files of deploy/, as their own tools read them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.processes import ROOT

DEPLOY = ROOT / "deploy"


def compose() -> dict[str, Any]:
    """With its anchors resolved."""
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    return found


def nginx_config(folder: Path, name: str, changes: Mapping[str, str], *, without: str = "") -> Path:
    """A whole configuration, run without rights in this folder, around one of the shipped files with `changes`.

    What is changed has to be there, so that the file cannot drift away from the test. `without`: a mistake, lines of
    proxy.conf that hold this word are left out.
    """
    site = (DEPLOY / "nginx" / name).read_text(encoding="utf-8")
    proxy = (DEPLOY / "nginx" / "proxy.conf").read_text(encoding="utf-8").splitlines(keepends=True)
    (folder / "proxy.conf").write_text(
        "".join(line for line in proxy if not without or without not in line), encoding="utf-8"
    )
    for old, new in {**changes, "/etc/nginx/notifcenter/proxy.conf": f"{folder}/proxy.conf"}.items():
        assert old in site, old
        site = site.replace(old, new)
    (folder / "site.conf").write_text(site, encoding="utf-8")
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = folder / "nginx.conf"
    main.write_text(
        f"daemon off;\nworker_processes 1;\npid {folder}/nginx.pid;\nerror_log {folder}/nginx-error.log;\n"
        f"events {{ worker_connections 256; }}\n"
        f"http {{\naccess_log {folder}/nginx-access.log;\n{temporary}include {folder}/site.conf;\n}}\n",
        encoding="utf-8",
    )
    return main
