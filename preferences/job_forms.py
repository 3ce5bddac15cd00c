"""The forms of the job page and the page of a sweep: what is wanted of them alone, and silence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from preferences.kinds import JOB_EVENTS
from preferences.models import MAX_WAITING_MINUTES
from preferences.rules import Source
from preferences.selectors import EventWish, JobWishes
from preferences.services import Mute
from preferences.timing import MORNING, tomorrow

SOURCE_LABELS = {
    Source.OVERRIDE: _("set here"),
    Source.JOB_FILE: _("the job's file"),
    Source.OWNER: _("the owner's profile"),
    Source.SITE: _("the site's default"),
}
AS_OTHERWISE, ON, OFF = "", "on", "off"
NOT_MUTED, AS_IT_IS, FOR_AN_HOUR, UNTIL_TOMORROW, FOR_GOOD = "", "until", "hour", "tomorrow", "for_good"


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event of a job with its switch."""

    wish: EventWish
    source: str
    switch: forms.BoundField


class JobConfigForm(forms.Form):
    """What is set for one job alone; `submission_time` keeps it from a later job of the same name."""

    submission_time = forms.CharField(widget=forms.HiddenInput)
    waiting_minutes = forms.IntegerField(
        label=_("This job waits too long after"),
        required=False,
        min_value=1,
        max_value=MAX_WAITING_MINUTES,
    )

    def __init__(self, data: Any = None, *, wishes: JobWishes, submission_time: str, zone: tzinfo) -> None:
        self.wishes = wishes
        self._zone = zone
        self._present_submission_time = submission_time
        override = wishes.override
        switches = {event.value: (ON if on else OFF) for event, on in override.events.items()}
        super().__init__(
            data,
            initial={
                "submission_time": submission_time,
                "waiting_minutes": override.waiting_minutes,
                "mute": _chosen_mute(Mute(override.muted_until) if override.muted else None),
                **switches,
            },
        )
        self.fields["mute"] = _mute_field(_("Mute this job"), override.muted_until, zone, sent=bool(data))
        self.fields["waiting_minutes"].help_text = gettext("Minutes; left empty: %(otherwise)s.") % {
            "otherwise": _otherwise_minutes(wishes)
        }
        for wish in wishes.events:
            otherwise = gettext("%(answer)s (%(source)s)") % {
                "answer": gettext("yes") if wish.otherwise else gettext("no"),
                "source": SOURCE_LABELS[wish.otherwise_source],
            }
            self.fields[wish.event.value] = forms.ChoiceField(
                label=wish.event.label,
                required=False,
                choices=[
                    (AS_OTHERWISE, gettext("As otherwise: %(answer)s") % {"answer": otherwise}),
                    (ON, _("Yes")),
                    (OFF, _("No")),
                ],
            )

    def clean_submission_time(self) -> str:
        if self.cleaned_data["submission_time"] != self._present_submission_time:
            raise forms.ValidationError(
                _("This job has been submitted again meanwhile. These are the switches of the new one.")
            )
        return self._present_submission_time

    @property
    def rows(self) -> list[EventRow]:
        return [
            EventRow(wish, str(SOURCE_LABELS[wish.source]), self[wish.event.value])
            for wish in self.wishes.events
        ]

    def changes(self) -> dict[str, Any]:
        """The arguments of `services.set_job_override`, after validation."""
        data = self.cleaned_data
        meaning = {ON: True, OFF: False, AS_OTHERWISE: None}
        return {
            "events": {event: meaning[data[event.value]] for event in JOB_EVENTS},
            "waiting_minutes": data["waiting_minutes"],
            "mute": _mute(data["mute"], self.wishes.override.muted_until, self._zone),
        }


class MuteForm(forms.Form):
    """Silence for a sweep."""

    def __init__(self, data: Any = None, *, mute: Mute | None, zone: tzinfo) -> None:
        super().__init__(data, initial={"mute": _chosen_mute(mute)})
        self._until = mute.until if mute else None
        self._zone = zone
        self.fields["mute"] = _mute_field(_("Mute this sweep"), self._until, zone, sent=bool(data))

    def chosen(self) -> Mute | None:
        """After validation."""
        return _mute(self.cleaned_data["mute"], self._until, self._zone)


def _mute_field(label: Any, until: datetime | None, zone: tzinfo, *, sent: bool) -> forms.ChoiceField:
    """`until`: of the mute that holds now. A form that was `sent` may have been shown while another one did."""
    as_it_is = _moment(until, zone) if until else gettext("the time that is over")
    return forms.ChoiceField(
        label=label,
        required=False,
        choices=[
            (NOT_MUTED, _("No")),
            *([(AS_IT_IS, gettext("Until %(time)s") % {"time": as_it_is})] if until or sent else []),
            (FOR_AN_HOUR, _("For an hour")),
            (UNTIL_TOMORROW, gettext("Until tomorrow, %(time)s") % {"time": f"{MORNING:02}:00"}),
            (FOR_GOOD, _("For good")),
        ],
        help_text=_("Nothing is sent, and nothing shows as unread."),
    )


def _chosen_mute(mute: Mute | None) -> str:
    return NOT_MUTED if mute is None else AS_IT_IS if mute.until else FOR_GOOD


def _mute(choice: str, present: datetime | None, zone: tzinfo) -> Mute | None:
    now = timezone.now()
    return {
        AS_IT_IS: Mute(present) if present else None,
        FOR_AN_HOUR: Mute(now + timedelta(hours=1)),
        UNTIL_TOMORROW: Mute(tomorrow(now, zone)),
        FOR_GOOD: Mute(),
    }.get(choice)


def _moment(time: datetime, zone: tzinfo) -> str:
    return f"{time.astimezone(zone):%Y-%m-%d %H:%M}"


def _otherwise_minutes(wishes: JobWishes) -> str:
    minutes, source = wishes.without_override.waiting
    return gettext("%(minutes)d, from %(source)s") % {"minutes": minutes, "source": SOURCE_LABELS[source]}
