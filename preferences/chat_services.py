"""The chat and push services that may be reached through Apprise, by our name for each.

Only such as speak HTTP through the library `requests` and nothing else: no mail, no message brokers, nothing of this
machine. Whoever adds one reads its plugin first; a test holds what can be told from the source.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Service:
    """`plugin`: module and class below `apprise.plugins`. `schemes`: of Apprise's URLs.

    `has_host`: the URL names a server, which may be shown; otherwise all of it is a secret. `code_field`: where its
    answers say, whatever their status, that something went wrong: by another number than 0. `markdown`: it reads no
    plain text.
    """

    label: str
    plugin: str
    schemes: tuple[str, ...]
    has_host: bool = False
    code_field: str = ""
    markdown: bool = False


SERVICES: Mapping[str, Service] = {
    "slack": Service("Slack", "slack.NotifySlack", ("slack",)),
    "teams": Service(
        "Microsoft Teams",
        "workflows.NotifyWorkflows",
        ("workflows", "workflow"),
        has_host=True,
        markdown=True,
    ),
    "dingtalk": Service("DingTalk", "dingtalk.NotifyDingTalk", ("dingtalk",), code_field="errcode"),
    "feishu": Service("Feishu", "feishu.NotifyFeishu", ("feishu",), code_field="code"),
    "lark": Service("Lark", "lark.NotifyLark", ("lark",), code_field="code"),
    "wecom": Service("WeCom", "wecombot.NotifyWeComBot", ("wecombot",), code_field="errcode"),
    "telegram": Service("Telegram", "telegram.NotifyTelegram", ("tgram",)),
    "discord": Service("Discord", "discord.NotifyDiscord", ("discord",)),
    "ntfy": Service("ntfy", "ntfy.NotifyNtfy", ("ntfys", "ntfy"), has_host=True),
    "mattermost": Service("Mattermost", "mattermost.NotifyMattermost", ("mmosts", "mmost"), has_host=True),
    "pushover": Service("Pushover", "pushover.NotifyPushover", ("pover",)),
    "gotify": Service("Gotify", "gotify.NotifyGotify", ("gotifys", "gotify"), has_host=True),
    "rocketchat": Service(
        "Rocket.Chat", "rocketchat.NotifyRocketChat", ("rockets", "rocket"), has_host=True, markdown=True
    ),
    "google_chat": Service("Google Chat", "google_chat.NotifyGoogleChat", ("gchat",), markdown=True),
    "webex": Service("Webex", "webexteams.NotifyWebexTeams", ("webex", "wxteams"), markdown=True),
    "zulip": Service("Zulip", "zulip.NotifyZulip", ("zulip",)),
    "bark": Service("Bark", "bark.NotifyBark", ("barks", "bark"), has_host=True),
    "pushbullet": Service("Pushbullet", "pushbullet.NotifyPushBullet", ("pbul",)),
    "line": Service("LINE", "line.NotifyLine", ("line",)),
}

SHORT_LIST = (
    "slack", "teams", "dingtalk", "feishu", "lark", "wecom", "telegram", "discord", "ntfy", "mattermost", "pushover",
)  # fmt: skip
"""What a site offers unless its administrator chooses otherwise."""
