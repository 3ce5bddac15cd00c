"""The page that sets the notification block in a job's file."""

from __future__ import annotations

import base64
import re
from pathlib import PurePosixPath
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from preferences.job_file import MAX_EDITED_CHARACTERS, Edited, JobFileError, set_block
from preferences.kinds import JOB_EVENTS, Event
from preferences.models import MAX_WAITING_MINUTES, choices_of

MAX_BYTES = 4 * MAX_EDITED_CHARACTERS
"""More than this cannot be few enough characters."""

NAME = "job.yaml"
MAX_NAME_CHARACTERS = 100


class JobFileForm(forms.Form):
    """A file chosen keeps its bytes; of one that is pasted the browser sends CRLF, whatever its line ends were."""

    file = forms.FileField(
        label=_("The job's file"),
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".yaml,.yml,.json"}),
    )
    yaml = forms.CharField(
        label=_("Or paste it here"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "false", "autocomplete": "off"}),
    )
    events = forms.MultipleChoiceField(
        label=_("Tell me when this job"),
        choices=choices_of(JOB_EVENTS),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    waiting_minutes = forms.IntegerField(
        label=_("It waits too long after"),
        required=False,
        min_value=1,
        max_value=MAX_WAITING_MINUTES,
        help_text=_("Minutes; left empty: as the owner's profile has it."),
    )
    edited: Edited | None = None

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors:
            try:
                self.edited = set_block(_text(data["file"], data["yaml"]), _wishes(data))
            except JobFileError as error:
                self.add_error("file" if data["file"] else "yaml", str(error))
        return data

    @property
    def name(self) -> str:
        """What the file is called when it is given back."""
        file = self.cleaned_data["file"]
        return clean_name(file.name) if file else NAME

    @property
    def encoded(self) -> str:
        """The edited file for a form's field: a browser would change its line ends."""
        assert self.edited is not None
        return base64.b64encode(self.edited.text.encode()).decode()


def decoded(text: str) -> bytes:
    """What `encoded` stands for. Raises ValueError."""
    return base64.b64decode(text, validate=True)


def clean_name(name: str) -> str:
    return re.sub(r"[^\w.-]", "_", PurePosixPath(name).name)[-MAX_NAME_CHARACTERS:] or NAME


def _text(file: UploadedFile[Any] | None, pasted: str) -> str:
    if file is None:
        return pasted.replace("\r\n", "\n")
    if pasted.strip():
        raise JobFileError(gettext("Choose a file or paste one, not both."))
    if file.size is None or file.size > MAX_BYTES:
        raise JobFileError(
            gettext("The file is larger than %(most)d KB.") % {"most": MAX_EDITED_CHARACTERS // 1024}
        )
    try:
        content: bytes = file.read()
        return content.decode()
    except UnicodeDecodeError:
        raise JobFileError(gettext("The file is no UTF-8 text.")) from None


def _wishes(data: dict[str, Any]) -> dict[Event, bool | int]:
    wishes: dict[Event, bool | int] = {event: event.value in data["events"] for event in JOB_EVENTS}
    if wishes[Event.WAITING_TOO_LONG] and data["waiting_minutes"]:
        wishes[Event.WAITING_TOO_LONG] = data["waiting_minutes"]
    return wishes
