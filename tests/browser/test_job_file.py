"""A job's file through the browser: chosen, edited and downloaded byte for byte, also without script."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.test_pages import expect_accessible

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = "\ufeff# Mine.\r\nname:  x   # zwei, über\r\ntaskRoles:\r\n  w: {a: 'b'}\r\n"
AFTER = BEFORE + (
    "extras:\r\n  jobStatusChangeNotification:\r\n    running: true\r\n    succeeded: false\r\n    failed: true\r\n"
    "    stopped: false\r\n    retried: false\r\n    waitingTooLong: 90\r\n"
)


@pytest.mark.parametrize("script", [True, False])
def test_the_chosen_file_comes_back_byte_for_byte(
    visit: Visit, alice: User, tmp_path: Path, script: bool
) -> None:
    chosen = tmp_path / "resnet50.yaml"
    chosen.write_bytes(BEFORE.encode())
    page = visit("/jobs/", alice, java_script_enabled=script, reduced_motion="reduce")
    page.get_by_role("link", name="Set the events in a job's file").click()
    page.get_by_label("The job's file").set_input_files(chosen)
    page.get_by_label("Running").check()
    page.get_by_label("It waits too long after").fill("90")
    page.get_by_role("button", name="Set them in the file").click()
    expect(page.get_by_label("The file with its block")).to_have_value(AFTER.replace("\r\n", "\n"))
    if script:
        expect_accessible(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download resnet50.yaml").click()
    assert download.value.suggested_filename == "resnet50.yaml"
    assert Path(download.value.path()).read_bytes() == AFTER.encode()
