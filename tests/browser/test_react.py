"""Our elements inside a page that React draws; its build is the host's, here that of the test."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from notifcenter.settings import BASE_DIR
from tests import node_packages
from tests.browser.conftest import Visit
from tests.browser.notices import tell
from tests.browser.portal import Portal, token_of
from tests.cluster import submit, update

pytestmark = pytest.mark.django_db(transaction=True)

BUILD_SECONDS = 60
PAGE = """<!doctype html><html lang="en"><head><title>Portal</title><link rel="icon" href="data:,">
<script type="module" src="{site}/static/notifcenter/define.js"></script></head>
<body><div id="app" data-site="{site}" data-expired="{expired}" data-fresh="{fresh}"></div>
<script src="/app.js"></script></body></html>"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> str:
    if reason := node_packages.why_not():
        pytest.skip(f"React cannot be tried: {reason}")
    built = tmp_path_factory.mktemp("react") / "app.js"
    esbuild = node_packages.MODULES / ".bin" / "esbuild"
    source = Path(BASE_DIR, "tests", "data", "react_host", "app.js")
    subprocess.run(
        [esbuild, source, "--bundle", "--define:process.env.NODE_ENV='production'", f"--outfile={built}"],
        env={"NODE_PATH": str(node_packages.MODULES), "PATH": "/usr/bin:/bin:/usr/local/bin"},
        check=True,
        timeout=BUILD_SECONDS,
    )
    return built.read_text(encoding="utf-8")


def test_a_react_page_embeds_them_hears_them_and_renews_their_token(
    visit: Visit, site: str, portal: Portal, app: str, alice: User
) -> None:
    tell(alice, "resnet50")
    portal.html = PAGE.format(site=site, expired=token_of("alice", -10), fresh=token_of("alice"))
    portal.files = {"/app.js": app}
    page = visit(f"{portal.url}/", forgive="401")
    page.get_by_role("button", name="Notifications", exact=True).click()
    expect(page.get_by_role("dialog").get_by_text("The page's token is refused", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Renew").click()
    expect(page.get_by_text("Unread: 1")).to_be_visible()
    page.get_by_role("button", name="Toggle inbox").click()
    expect(page.locator("notif-inbox").get_by_text("resnet50 failed")).to_be_visible()
    update(submit("bert-base"), state="FAILED")
    expect(page.get_by_text("Unread: 2")).to_be_visible()
    expect(page.locator("notif-inbox").get_by_text("bert-base failed")).to_be_visible()
    page.get_by_role("button", name="Toggle inbox").click()
    expect(page.locator("notif-inbox")).to_have_count(0)
    page.get_by_role("button", name="Notifications, 2 unread").click()
    page.get_by_role("dialog").get_by_role("link", name="bert-base failed").click()
    expect(page.get_by_text("Opened: bert-base")).to_be_visible()
