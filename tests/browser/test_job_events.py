"""<notif-job-events> in another site's page that submits jobs: it takes the block and gives it back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.portal import Portal
from tests.browser.test_pages import expect_accessible

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = """<!doctype html><html lang="en"><head><title>Submit a job</title><link rel="icon" href="data:,">
<style>html {{ font-size: 10px }} input {{ display: none }}</style></head><body><main><h1>Submit</h1>
<form><fieldset id="all"><notif-job-events name="block" {attributes}></notif-job-events></fieldset></form></main>
<script>
window.heard = [];
document.addEventListener("notif-change", ({{ detail }}) => heard.push(detail));
</script>
<script type="module" src="{site}/static/notifcenter/define.js"></script></body></html>"""
ELEMENT = "document.querySelector('notif-job-events')"
IN_FORM = "JSON.parse(new FormData(document.forms[0]).get('block'))"


class Submission:
    """The other site's page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        expect(page.get_by_role("checkbox")).to_have_count(6)

    def switch(self, name: str) -> Any:
        return self.page.get_by_role("checkbox", name=name)

    @property
    def minutes(self) -> Any:
        return self.page.get_by_role("spinbutton", name="after")

    def ask(self, script: str) -> Any:
        return self.page.evaluate(script)

    def expect_block(self, block: dict[str, Any]) -> None:
        """What the element says, what its form sends, and what it last told its page."""
        assert self.ask(f"{ELEMENT}.value") == block
        assert self.ask(IN_FORM) == block
        assert self.ask("heard.at(-1)") == block


@pytest.fixture
def submission(visit: Visit, site: str, portal: Portal) -> Any:
    def open_page(attributes: str = "", **options: Any) -> Submission:
        portal.html = PAGE.format(site=site, attributes=attributes)
        return Submission(visit(f"{portal.url}/submit.html", **options))

    return open_page


def test_it_emits_the_block_with_what_was_touched(submission: Any) -> None:
    here = submission()
    assert here.ask(IN_FORM) == {}
    here.switch("Failed").check()
    here.expect_block({"failed": True})
    here.switch("Waiting too long").check()
    here.expect_block({"failed": True, "waitingTooLong": True})
    here.minutes.fill("90")
    here.expect_block({"failed": True, "waitingTooLong": 90})
    here.minutes.fill("")
    here.expect_block({"failed": True, "waitingTooLong": True})
    here.switch("Waiting too long").uncheck()
    here.switch("Failed").uncheck()
    here.switch("Running").check()
    here.expect_block({"running": True, "failed": False, "waitingTooLong": False})
    expect(here.minutes).to_have_count(0)


def test_it_takes_the_block_and_nothing_else(submission: Any) -> None:
    given = {"failed": True, "stopped": "yes", "<b>": True, "waitingTooLong": 90, "running": False}
    here = submission(f"value='{json.dumps(given)}'")
    expect(here.switch("Failed")).to_be_checked()
    expect(here.switch("Stopped")).not_to_be_checked()
    expect(here.minutes).to_have_value("90")
    assert here.ask(IN_FORM) == {"running": False, "failed": True, "waitingTooLong": 90}
    here.ask(f"{ELEMENT}.value = {{succeeded: true, waitingTooLong: 43201}}")
    expect(here.switch("Succeeded")).to_be_checked()
    expect(here.switch("Failed")).not_to_be_checked()
    assert here.ask(IN_FORM) == {"succeeded": True}
    for nonsense in ("'{'", "null", "[1]", "5", "'\"x\"'"):
        here.ask(f"{ELEMENT}.value = {nonsense}")
        assert here.ask(IN_FORM) == {}
    assert here.ask("heard") == [], "only what the user does is told"


@pytest.mark.parametrize("wrong", ["0", "-3", "1.5", "43201"])
def test_minutes_that_cannot_be_used_keep_the_form_from_being_sent(submission: Any, wrong: str) -> None:
    here = submission("""value='{"waitingTooLong": 5}'""")
    here.minutes.fill(wrong)
    expect(here.page.get_by_role("alert")).to_have_text("A whole number of minutes from 1 to 43200.")
    assert here.ask("document.forms[0].checkValidity()") is False
    assert here.ask("heard") == []
    here.minutes.fill("6")
    assert here.ask("document.forms[0].checkValidity()") is True
    here.expect_block({"waitingTooLong": 6})
    here.minutes.fill(wrong)
    here.ask("document.forms[0].reset()")
    expect(here.minutes).to_have_value("5")
    assert here.ask(IN_FORM) == {"waitingTooLong": 5}


def test_it_works_by_keyboard(submission: Any) -> None:
    here = submission()
    here.ask(f"{ELEMENT}.focus()")
    here.page.keyboard.press("Space")
    here.expect_block({"running": True})
    for _ in range(5):
        here.page.keyboard.press("Tab")
    here.page.keyboard.press("Space")
    here.page.keyboard.press("Tab")
    here.page.keyboard.type("30")
    here.expect_block({"running": True, "waitingTooLong": 30})


def test_a_form_can_switch_it_off(submission: Any) -> None:
    here = submission()
    here.ask("document.getElementById('all').disabled = true")
    expect(here.switch("Failed")).to_be_disabled()
    assert here.ask("new FormData(document.forms[0]).get('block')") is None


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_accessible_in_both_schemes(submission: Any, scheme: str) -> None:
    here = submission(f"""theme="{scheme}" value='{{"failed": true, "waitingTooLong": 5}}'""")
    here.ask(f"document.body.style.background = {'black' if scheme == 'dark' else 'white'!r}")
    here.ask("document.querySelector('h1').style.color = 'gray'")
    expect_accessible(here.page)
