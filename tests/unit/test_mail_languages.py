"""Mails in the language and the time zone of whoever reads them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from preferences.kinds import Event
from tests.composed import OOM, mail, part

pytestmark = pytest.mark.usefixtures("addresses")


@pytest.mark.parametrize(
    ("event", "details", "subject", "first_line"),
    [
        (
            "failed",
            {"why": "out of GPU memory", "exit_code": 226, "ran_seconds": 7500},
            "[berlin] 失败：resnet50-lr3：GPU 显存不足",
            "resnet50-lr3 失败：GPU 显存不足，时间：2026年11月22日 星期日 21:07 CST，共运行 2 小时 5 分钟。",
        ),
        (
            "failed",
            {"why": "exit code 42", "exit_code": 42},
            "[berlin] 失败：resnet50-lr3：退出码 42",
            "resnet50-lr3 失败：退出码 42，时间：2026年11月22日 星期日 21:07 CST。",
        ),
        (
            "failed",
            {"why": "GPU too hot"},  # the cluster's own words stay as they are
            "[berlin] 失败：resnet50-lr3：GPU too hot",
            "resnet50-lr3 失败：GPU too hot，时间：2026年11月22日 星期日 21:07 CST。",
        ),
        (
            "waiting_too_long",
            {"waited_seconds": 7200},
            "[berlin] 等待过久：resnet50-lr3：2 小时",
            "resnet50-lr3 已等待 2 小时，截至 2026年11月22日 星期日 21:07 CST。",
        ),
    ],
)
def test_in_chinese(event: str, details: dict[str, Any], subject: str, first_line: str) -> None:
    message = mail(language="zh-hans", time_zone="Asia/Shanghai", event=event, details=details)
    assert str(message["Subject"]).strip() == subject  # a folded header begins with a space
    assert part(message, "plain").splitlines()[0] == first_line
    assert '<html lang="zh-hans"' in part(message, "html")


@pytest.mark.parametrize("event", Event.values)
@pytest.mark.parametrize("kind", ["plain", "html"])
def test_a_chinese_mail_has_no_english_left(event: str, kind: str) -> None:
    details = {
        **OOM,
        "reason": "The program asked for more GPU memory than there is.",
        "solutions": ["Use a smaller batch or a smaller model.", "Choose a GPU with more memory."],
    }
    values = {"event": event, "details": {} if event == Event.ALERT else details, "ordinal": 1}
    text = part(mail(language="zh-hans", time_zone="Asia/Shanghai", **values), kind)
    text = re.sub(
        r"(?s)<head>.*?</head>|<[^>]+>|https?://\S+|\(CUDAOutOfMemory\)|Traceback.*memory", " ", text
    )
    left = set(re.findall(r"[A-Za-z]{3,}", text)) - {"resnet", "worker", "default", "berlin", "GPU", "CST"}
    assert not left - {"zwnj", "nbsp"}


def test_the_language_of_a_mail_does_not_stay() -> None:
    mail(language="zh-hans")
    assert mail(language="en")["Subject"] == "[berlin] Failed: resnet50-lr3: out of GPU memory"
