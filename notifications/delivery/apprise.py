"""Chat and push services, by the plugins of Apprise.

Apprise makes the messages and reads the answers of each service. What it sends goes through `OutsideSession` and under
`guarded`, whatever the plugin asks for. Of the options of a user's URL only those are taken that are known to be
harmless; others read files of this machine, switch off the check of certificates, or make us wait.
"""

from __future__ import annotations

import importlib
import re
import threading
from collections.abc import Mapping
from functools import cache
from typing import Any

import requests
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext

from notifications.delivery.base import DeliveryError
from notifications.delivery.digest import tell_all
from notifications.delivery.guard import guarded
from notifications.delivery.outside import TOTAL_SECONDS, OutsideSession, refusal, trouble
from notifications.delivery.story import tell
from notifications.delivery.targets import Draft, Message, TargetTransport
from notifications.wording import shorten, visible
from preferences.chat_services import SERVICES, Service
from preferences.selectors import chat_services, language_of
from preferences.targets import TargetRefused

MAX_URL_CHARACTERS = 2000
MAX_SAID_CHARACTERS = 200
TEMPLATES = "chat"
MOST_LINES = 10
"""Of one message about many notifications."""

OPTIONS = frozenset({
    "album", "api-version", "auth", "avatar", "blocks", "botname", "call", "category", "channel",
    "channels", "click", "delay", "e2ee", "footer", "footer_logo", "format", "group", "id", "image", "key",
    "level", "mode", "pa", "password", "ping", "powerautomate", "preview", "priority", "route", "routeid",
    "secret", "sig", "silent", "sound", "sp", "sv", "team", "thread", "timestamp", "to", "token", "topic",
    "user", "ver", "webhook", "wrap", "xtags",
})  # fmt: skip
"""Those that say no more than where a message goes, and how it looks there."""
_SPECIAL = re.compile(r"[@<\]]")
EXPLANATIONS = ("errmsg", "error", "description", "message", "msg")
"""Where services put the reason when they refuse something with a friendly status."""


class AppriseTransport(TargetTransport):
    @classmethod
    def draft(cls, address: str) -> Draft:
        service, plugin = _plugin(address)
        return Draft(service=service.label, hint=_host(plugin) if service.has_host else "", secret=address)

    def post(self, secret: str, message: Message) -> None:
        try:
            service, plugin = _plugin(secret)
        except TargetRefused as refused:  # the admin allows less by now
            raise DeliveryError(str(refused), permanent=True) from None
        with translation.override(language_of(user=message.notification.user)):
            title, body = _written(service, message)
        _exchange.clear()
        with guarded(seconds=TOTAL_SECONDS):
            try:
                sent = plugin.notify(
                    title=title,
                    body=body,
                    body_format="markdown" if service.markdown else "text",
                )
            except Exception as error:  # plugins raise what they like when an answer is not what they expect
                raise _exchange.error or trouble(error) from None
        if not sent or (_exchange.answer is not None and _code(service, _exchange.answer)):
            raise _exchange.error or _not_taken(service, _exchange.answer)


def _plugin(address: str) -> tuple[Service, Any]:
    """The service and its plugin, made for this address. Raises TargetRefused."""
    if not address.isprintable() or len(address) > MAX_URL_CHARACTERS:
        raise TargetRefused(f"An address is one line of at most {MAX_URL_CHARACTERS} characters.")
    offered = [SERVICES[name] for name in chat_services()]
    service, parts = _recognised(address, offered)
    odd = {name for name in parts.get("qsd", {}) if name not in OPTIONS}
    odd |= {f"{sign}{name}" for sign in "+-:" for name in parts.get(f"qsd{sign}", {})}
    if odd:
        raise TargetRefused(f"Leave out of the address: {', '.join(sorted(odd))}.")
    try:
        plugin = _plugin_class(service.plugin)(asset=_asset(), **parts)
    except Exception:  # TypeError by rule, others by mistakes in plugins
        raise TargetRefused(
            f"{service.label} cannot be reached by this address; see {_help(service)}."
        ) from None
    if len(plugin) > 1:
        raise TargetRefused("This address has several recipients; add a target for each.")
    plugin.throttle = lambda *_, **__: None  # the queue decides when
    return service, plugin


def _recognised(address: str, offered: list[Service]) -> tuple[Service, dict[str, Any]]:
    """By its scheme, or as what the service itself gives out, such as https://hooks.slack.com/services/…"""
    scheme = address.partition("://")[0].lower()
    for service in offered:
        kind = _plugin_class(service.plugin)
        url = address.replace("/#", "/%23")  # as Apprise writes channels
        parts = kind.parse_url(url) if scheme in service.schemes else kind.parse_native_url(url)
        if parts:
            return service, parts
        if scheme in service.schemes:
            raise TargetRefused(f"{service.label} cannot be reached by this address; see {_help(service)}.")
    names = ", ".join(service.label for service in offered)
    raise TargetRefused(f"This is no address of a service that is offered here: {names}.")


@cache
def _plugin_class(name: str) -> Any:
    """The plugin with our way out put in place of `requests`."""
    module_name, _, class_name = name.partition(".")
    module: Any = importlib.import_module(f"apprise.plugins.{module_name}")
    if getattr(module, "requests", None) is not requests:
        raise RuntimeError(f"Apprise's {module_name} does not send by requests any more")
    module.requests = _WayOut()
    return getattr(module, class_name)


@cache
def _asset() -> Any:
    from apprise import AppriseAsset

    return AppriseAsset(
        app_id="Notifcenter", app_desc="Job notifications", image_url_mask=None, http_redirects=False
    )


class _Exchange(threading.local):
    """What went over the wire last, in this thread; a plugin only says whether it worked."""

    answer: requests.Response | None = None
    error: DeliveryError | None = None

    def clear(self) -> None:
        self.answer = self.error = None


_exchange = _Exchange()


class _WayOut:
    """Takes the place of the module `requests` in a plugin."""

    def __getattr__(self, name: str) -> Any:
        return getattr(requests, name)

    def request(self, method: str, url: str, **options: Any) -> requests.Response:
        _exchange.clear()
        with OutsideSession() as session:
            try:
                answer = session.request(method, url, **options)
            except (requests.RequestException, OSError, ValueError) as error:
                _exchange.error = trouble(error)
                raise
        _exchange.answer, _exchange.error = answer, refusal(answer)
        return answer

    def get(self, url: str, **options: Any) -> requests.Response:
        return self.request("GET", url, **options)

    def post(self, url: str, **options: Any) -> requests.Response:
        return self.request("POST", url, **options)

    def put(self, url: str, **options: Any) -> requests.Response:
        return self.request("PUT", url, **options)

    def delete(self, url: str, **options: Any) -> requests.Response:
        return self.request("DELETE", url, **options)


def _not_taken(service: Service, answer: requests.Response | None) -> DeliveryError:
    if answer is None:
        return DeliveryError(f"Apprise could not make a message for {service.label}.", permanent=True)
    said = _said(answer)
    return DeliveryError(f"{service.label} has not taken it{f': {said}' if said else ''}.", permanent=False)


def _code(service: Service, answer: requests.Response) -> int:
    """The number by which the service says that something went wrong; 0 for nothing, or when it has none."""
    code = _values(answer).get(service.code_field)
    return code if isinstance(code, int) else 0


def _said(answer: requests.Response) -> str:
    values = _values(answer)
    texts = (values.get(key) for key in EXPLANATIONS)
    said = next((text for text in texts if isinstance(text, str) and text), "")
    return shorten(visible(said), MAX_SAID_CHARACTERS).rstrip(".")


def _values(answer: requests.Response) -> Mapping[str, Any]:
    try:
        values = answer.json()
    except ValueError:
        return {}
    return values if isinstance(values, Mapping) else {}


def _written(service: Service, message: Message) -> tuple[str, str]:
    """Title and text, in the language that is active."""
    label = gettext("Open")
    several = tell_all(message.delivery) if message.delivery and message.delivery.bundle_size > 1 else None
    if several:
        lines = several["lines"][:MOST_LINES]
        several |= {"lines": lines, "more": several["count"] - sum(line["count"] for line in lines)}
        link = f"[{label}]({several['inbox_url']})" if service.markdown else several["inbox_url"]
        return _text("digest_title.txt", several), f"{_text('digest_body.txt', several)}\n\n{link}"
    story = {**tell(message.notification), "is_test": message.is_test}
    link = f"[{label}]({story['job_url']})" if service.markdown else story["job_url"]
    return _text("title.txt", story), f"{_text('body.txt', story)}\n\n{link}".strip()


def _text(template: str, story: dict[str, Any]) -> str:
    """What stands in a job's name calls nobody (@everyone), is no tag and no link: an invisible space breaks these."""
    text = render_to_string(f"{TEMPLATES}/{template}", story).strip()
    return _SPECIAL.sub("\\g<0>\u200b", text)


def _host(plugin: Any) -> str:
    host = str(plugin.host or "")
    return f"{host}:{plugin.port}" if plugin.port else host


def _help(service: Service) -> str:
    return str(_plugin_class(service.plugin).setup_url)
