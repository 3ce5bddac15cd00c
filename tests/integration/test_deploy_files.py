"""The files of deploy/ are what the programs that read them take, as far as these run without an engine."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml
from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for

from notifcenter.version import VERSION
from tests.deployment import DEPLOY, compose, nginx_config
from tests.processes import ROOT
from tests.programs import needs
from tests.tls import certificate

OURS = ("web1", "web2", "poller1", "poller2", "worker", "beat", "migrate", "cluster")
KUBERNETES = "1.33"
PARTS = ("web", "poller", "worker", "beat")


def run(*arguments: str | Path, **options: Any) -> str:
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    output: str = done.stdout + done.stderr
    return output


class TestContainers:
    def test_the_compose_file_is_one(self) -> None:
        schema = json.loads((ROOT / "tests" / "data" / "compose.schema.json").read_text(encoding="utf-8"))
        validator = validator_for(schema, default=Draft202012Validator)(schema)
        assert [error.message for error in validator.iter_errors(compose())] == []

    def test_it_has_the_whole_layout(self) -> None:
        services = compose()["services"]
        assert {*OURS, "postgres", "redis", "nginx"} == set(services)
        for name in OURS:
            assert services[name]["image"] == f"notifcenter:{VERSION}"
        for name, service in services.items():
            assert service["read_only"] is True, name
            assert service["cap_drop"] == ["ALL"], name
            assert "no-new-privileges:true" in service["security_opt"], name
        assert services["cluster"]["profiles"] == ["demo"]

    def test_every_variable_of_it_is_one_of_ours(self) -> None:
        known = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
        for name in compose()["services"]["web1"]["environment"]:
            assert f"`{name}`" in known, name

    def test_the_containerfile(self) -> None:
        hadolint = Path(sys.executable).parent / "hadolint"
        run(hadolint, "--failure-threshold", "style", DEPLOY / "container" / "Containerfile")
        text = (DEPLOY / "container" / "Containerfile").read_text(encoding="utf-8")
        assert re.search(r"^USER 10001:10001$", text, re.MULTILINE)
        assert re.search(r"^HEALTHCHECK ", text, re.MULTILINE)
        assert f"notifcenter:{VERSION}" in text


class TestKubernetes:
    def objects(self, folder: Path) -> list[dict[str, Any]]:
        """As kustomize makes them where kubectl is installed, else as they stand in the files."""
        here = shutil.copytree(DEPLOY / "kubernetes", folder / "kubernetes")
        for name in ("settings.env", "secrets.env"):
            shutil.copy(here / f"{name}.example", here / name)
        if shutil.which("kubectl"):
            text = run("kubectl", "kustomize", here)
        else:
            files = sorted(set(here.glob("*.yaml")) - {here / "kustomization.yaml"})
            text = "\n---\n".join(file.read_text(encoding="utf-8") for file in files)
        return [one for one in yaml.safe_load_all(text) if one]

    def test_the_api_takes_them(self, tmp_path: Path) -> None:
        found = self.objects(tmp_path)
        assert len(found) > 15
        for one in found:
            kubernetes_validate.validate(one, KUBERNETES, strict=True)

    def test_each_part_is_restricted_and_disturbed_one_at_a_time(self, tmp_path: Path) -> None:
        found = {(one["kind"], one["metadata"]["name"]): one for one in self.objects(tmp_path)}
        for part in PARTS:
            template = found["Deployment", f"notifcenter-{part}"]["spec"]["template"]["spec"]
            (container,) = template["containers"]
            assert template["securityContext"]["runAsNonRoot"] is True
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert {next(iter(one)) for one in container["envFrom"]} == {"configMapRef", "secretRef"}
            if part != "beat":
                budget = found["PodDisruptionBudget", f"notifcenter-{part}"]["spec"]
                assert budget["selector"]["matchLabels"].items() <= _labels(found, part).items()
        web = found["Deployment", "notifcenter-web"]["spec"]["template"]["spec"]["containers"][0]
        assert {"startupProbe", "readinessProbe", "livenessProbe"} <= set(web)
        assert ("NetworkPolicy", "notifcenter-nothing-else") in found

    def test_no_secret_is_shipped(self) -> None:
        listed = run("git", "ls-files", "deploy", cwd=ROOT).split()
        assert not [name for name in listed if name.endswith(("secrets.env", ".env"))]


def _labels(found: dict[tuple[str, str], Any], part: str) -> dict[str, str]:
    labels: dict[str, str] = found["Deployment", f"notifcenter-{part}"]["spec"]["template"]["metadata"][
        "labels"
    ]
    return labels


class TestProxies:
    @needs("nginx")
    def test_nginx_of_the_compose_file(self, tmp_path: Path) -> None:
        config = nginx_config(
            tmp_path, "compose.conf", {"web1:8000": "127.0.0.1:8000", "web2:8000": "127.0.0.1:8001"}
        )
        run("nginx", "-t", "-p", tmp_path, "-c", config)

    @needs("nginx")
    def test_nginx_with_tls(self, tmp_path: Path) -> None:
        chain = str(certificate(tmp_path, "notify.example.org").chain)
        changes = {"/etc/ssl/notify.pem": chain, "/etc/ssl/notify.key": chain}
        run("nginx", "-t", "-p", tmp_path, "-c", nginx_config(tmp_path, "notifcenter.conf", changes))

    @needs("caddy")
    def test_caddy(self, tmp_path: Path) -> None:
        env = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
        file = DEPLOY / "caddy" / "Caddyfile"
        run("caddy", "validate", "--adapter", "caddyfile", "--config", file, env=env)


@needs("systemd-analyze")
def test_the_systemd_unit(tmp_path: Path) -> None:
    """On a machine where what it starts is in another place, and its user is another one."""
    text = (DEPLOY / "systemd" / "notifcenter@.service").read_text(encoding="utf-8")
    for old, new in {"/opt/notifcenter/": f"{ROOT}/", "User=notifcenter": "User=daemon"}.items():
        assert old in text
        text = text.replace(old, new)
    for part in PARTS:
        unit = tmp_path / f"notifcenter@{part}.service"
        unit.write_text(text, encoding="utf-8")
        assert "notifcenter@" not in run("systemd-analyze", "verify", "--man=no", unit)


class TestMonitoring:
    @needs("promtool")
    def test_the_alerts(self) -> None:
        run("promtool", "check", "rules", DEPLOY / "prometheus" / "rules.yml")
        run("promtool", "test", "rules", DEPLOY / "prometheus" / "rules.test.yml")

    def test_each_alert_is_tried_and_its_cause_explained(self) -> None:
        rules = yaml.safe_load((DEPLOY / "prometheus" / "rules.yml").read_text(encoding="utf-8"))
        tried = (DEPLOY / "prometheus" / "rules.test.yml").read_text(encoding="utf-8")
        explained = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
        for rule in rules["groups"][0]["rules"]:
            assert f"alertname: {rule['alert']}\n        exp_alerts:\n" in tried, rule["alert"]
            assert rule["alert"] in explained, rule["alert"]

    @needs("promtool")
    def test_the_dashboard_asks_what_prometheus_understands(self, tmp_path: Path) -> None:
        board = json.loads((DEPLOY / "grafana" / "notifcenter.json").read_text(encoding="utf-8"))
        queries = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
        assert len(queries) > 15
        rules = [
            {"record": f"panel_{number}", "expr": query.replace("$__rate_interval", "5m")}
            for number, query in enumerate(queries)
        ]
        file = tmp_path / "panels.yml"
        file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}), encoding="utf-8")
        run("promtool", "check", "rules", file)
        known = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
        for name in set(re.findall(r"notifcenter_\w+", " ".join(queries))):
            assert re.sub(r"_(bucket|sum|count)$", "", name) in known, name
        places = [tuple(panel["gridPos"].values()) for panel in board["panels"]]
        assert len(set(places)) == len(places)
