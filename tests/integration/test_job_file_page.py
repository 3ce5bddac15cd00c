"""The page that sets the block in a job's file, as a browser without script uses it."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from preferences.models import UserPreference

URL = "/job-file/"
FILE = b"\xef\xbb\xbf# Mine.\r\nname:  x   # two\r\ntaskRoles:\r\n  w: {a: 'b'}"
BLOCK = """extras:
  jobStatusChangeNotification:
    running: false
    succeeded: false
    failed: true
    stopped: false
    retried: false
    waitingTooLong: 90
"""
WISHES = {"events": ["failed", "waiting_too_long"], "waiting_minutes": "90"}


def post(browser: Client, **data: Any) -> Any:
    return browser.post(URL, {**WISHES, "yaml": "", **data})


def upload(content: bytes, name: str = "my job.yaml") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def test_it_begins_with_what_its_user_wants_by_default(browser: Client, alice: User) -> None:
    UserPreference.objects.create(user=alice, default_events=["stopped"])
    page = browser.get(URL).content.decode()
    assert page.count(" checked") == 1
    assert 'value="stopped" id="id_events_3" checked' in page
    assert "Here is your file" not in page
    assert f'href="{URL}"' in browser.get("/jobs/").content.decode()


def test_a_chosen_file_comes_back_byte_for_byte(browser: Client) -> None:
    form = post(browser, file=upload(FILE)).context["form"]
    answer = browser.post("/job-file/download/", {"edited": form.encoded, "name": form.name})
    assert answer.content == FILE + b"\r\n" + BLOCK.strip().replace("\n", "\r\n").encode()
    assert answer["Content-Disposition"] == 'attachment; filename="my_job.yaml"'
    assert answer["Content-Type"] == "application/yaml"
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_a_pasted_file_is_shown_with_the_block(browser: Client) -> None:
    answer = post(browser, yaml="\r\nname: <b>x</b>\r\n")  # as a browser sends it
    assert answer.context["form"].edited.text == f"\nname: <b>x</b>\n{BLOCK}"
    page = answer.content.decode()
    assert "\n\nname: &lt;b&gt;x&lt;/b&gt;\nextras:\n" in page
    assert "<b>x</b>" not in page


def test_without_minutes_it_is_the_owners_limit(browser: Client) -> None:
    answer = post(browser, yaml="a: 1\n", waiting_minutes="")
    assert "    waitingTooLong: true\n" in answer.context["form"].edited.text


def test_what_the_old_block_loses_is_shown(browser: Client) -> None:
    page = post(browser, yaml="extras: {jobStatusChangeNotification: [<i>]}").content.decode()
    assert "In the old block: " in page
    assert "must hold lines such as" in page


@pytest.mark.parametrize(
    ("data", "field", "message"),
    [
        ({}, "yaml", "The file is empty."),
        ({"yaml": "- a"}, "yaml", "must hold lines such as"),
        ({"yaml": "a: ["}, "yaml", "no valid YAML"),
        ({"yaml": "x" * 300_000}, "yaml", "larger than 255 KB"),
        ({"yaml": "a: 1", "file": upload(b"a: 1")}, "file", "not both"),
        ({"file": upload(b"")}, "file", "The file is empty."),
        ({"file": upload(b"\xff\xfe")}, "file", "no UTF-8 text"),
        ({"file": upload(b"a: " + b"x" * 2_000_000)}, "file", "larger than 255 KB"),
        ({"yaml": "a: 1", "events": ["exploded"]}, "events", "not one of the available choices"),
        ({"yaml": "a: 1", "waiting_minutes": "-3"}, "waiting_minutes", "greater than or equal to 1"),
    ],
)
def test_a_mistake_is_shown_at_its_field_and_what_was_pasted_stays(
    browser: Client, data: dict[str, Any], field: str, message: str
) -> None:
    answer = post(browser, **data)
    assert answer.status_code == 200
    assert message in answer.context["form"].errors[field][0]
    assert "Here is your file" not in answer.content.decode()
    assert data.get("yaml", "") in answer.content.decode()


@pytest.mark.parametrize(
    ("name", "saved"),
    [
        ("", "job.yaml"),
        ("../../etc/passwd", "passwd"),
        ('a"b\r\nX: y.yaml', "a_b__X__y.yaml"),
        ("x" * 300 + ".yaml", "x" * 95 + ".yaml"),
    ],
)
def test_a_made_up_name_is_only_a_name(browser: Client, name: str, saved: str) -> None:
    answer = browser.post("/job-file/download/", {"edited": "YTogMQo=", "name": name})
    assert answer["Content-Disposition"] == f'attachment; filename="{saved}"'
    assert answer.content == b"a: 1\n"


def test_a_download_that_was_tampered_with_is_refused(browser: Client) -> None:
    assert browser.post("/job-file/download/", {"edited": "<script>"}).status_code == 400
    assert browser.get("/job-file/download/").status_code == 405


def test_a_stranger_is_sent_to_sign_in(db: None, client: Client) -> None:
    for url in (URL, "/job-file/download/"):
        assert client.post(url)["Location"] == f"{reverse('login')}?next={url}"
