"""The form that adds a target. What the address is worth is decided by who sends to it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from preferences.chat_services import SERVICES
from preferences.kinds import ADDRESS_CHANNELS, Channel
from preferences.models import MAX_TARGET_NAME_CHARACTERS, choices_of
from preferences.selectors import chat_services
from preferences.wishes import site_wishes

ANY_ADDRESS_CHARACTERS = 2000


class TargetForm(forms.Form):
    """`channels`: what the admin lets users add; without any there is no use for the form."""

    prefix = "target"
    channel = forms.ChoiceField(label=_("Kind"))
    name = forms.CharField(label=_("Name"), max_length=MAX_TARGET_NAME_CHARACTERS)
    address = forms.CharField(
        label=_("Address"),
        max_length=ANY_ADDRESS_CHARACTERS,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        on = site_wishes().channels_on
        self.channels = [channel for channel in ADDRESS_CHANNELS if channel in on]
        self.fields["channel"] = forms.ChoiceField(label=_("Kind"), choices=choices_of(self.channels))
        self.fields["name"].help_text = _("What you want to call it.")

    @property
    def hints(self) -> list[tuple[str, str]]:
        """The label of each channel, and what its address is."""
        return [(str(channel.label), _hint(channel)) for channel in self.channels]


def _hint(channel: Channel) -> str:
    if channel is Channel.WEBHOOK:
        return gettext("the address of a server of your own, https://…; what it gets is signed.")
    names = ", ".join(SERVICES[name].label for name in chat_services())
    return gettext(
        "the address that the service gives you, or Apprise's form of it. Offered are %(names)s."
    ) % {"names": names}
