"""Who gets what, as tables: one line a case."""

from __future__ import annotations

from dataclasses import replace

import pytest

from preferences.kinds import ALL_EVENTS, JOB_EVENTS, PERSONAL_CHANNELS, Channel, Event
from preferences.rules import (
    NO_FILE,
    NO_OVERRIDE,
    Decision,
    JobFile,
    JobOverride,
    OwnerWishes,
    SiteWishes,
    Source,
    channels_on,
    decide,
    waiting_limit_minutes,
    wanted,
    why_not,
)

F, W = Event.FAILED, Event.WAITING_TOO_LONG
OVERRIDE, JOB_FILE, OWNER, SITE = Source.OVERRIDE, Source.JOB_FILE, Source.OWNER, Source.SITE
BOTH = frozenset({Channel.WEBPORTAL, Channel.EMAIL})
PORTAL, MAIL = frozenset({Channel.WEBPORTAL}), frozenset({Channel.EMAIL})
NOTHING: frozenset[Event] = frozenset()

EVERYTHING = OwnerWishes(channels=dict.fromkeys(PERSONAL_CHANNELS, ALL_EVENTS), has_address=True)
WITH_WEBHOOK = replace(EVERYTHING, targets={Channel.WEBHOOK: (7,), Channel.APPRISE: ()})
WITH_BROWSER = replace(EVERYTHING, targets={Channel.WEBPUSH: (8,)})
A_SITE = SiteWishes(
    default_events=frozenset({F, W}), waiting_minutes=60, channels_on=frozenset(Channel), mail_configured=True
)
WITH_KEYS = replace(A_SITE, push_configured=True)


def override(**events: bool) -> JobOverride:
    return JobOverride(events={Event(name): on for name, on in events.items()})


def block(*ignored: Event, **events: bool) -> JobFile:
    return JobFile(block={Event(name): on for name, on in events.items()}, ignored=frozenset(ignored))


def columns(*events: Event) -> JobFile:
    return JobFile(columns=frozenset(events))


def owner(*events: Event) -> OwnerWishes:
    return replace(EVERYTHING, default_events=frozenset(events))


WANTED = [
    # what was set after submission goes before everything
    ("override yes, nothing else", F, override(failed=True), NO_FILE, owner(), True, OVERRIDE),
    ("override no over file", F, override(failed=False), block(failed=True), owner(F), False, OVERRIDE),
    ("override no over column", F, override(failed=False), columns(F), owner(F), False, OVERRIDE),
    ("override yes over file", F, override(failed=True), block(failed=False), owner(), True, OVERRIDE),
    ("override of another event", F, override(running=True), NO_FILE, owner(F), True, OWNER),
    ("override of waiting", W, override(waiting_too_long=False), NO_FILE, owner(W), False, OVERRIDE),
    # then the job's own file
    ("file yes over owner", F, NO_OVERRIDE, block(failed=True), owner(), True, JOB_FILE),
    ("file no over owner", F, NO_OVERRIDE, block(failed=False), owner(F), False, JOB_FILE),
    ("file that does not name it says no", F, NO_OVERRIDE, block(running=True), owner(F), False, JOB_FILE),
    ("empty block says no", F, NO_OVERRIDE, block(), owner(F), False, JOB_FILE),
    ("column without YAML", F, NO_OVERRIDE, columns(F), owner(), True, JOB_FILE),
    ("column of another event says no", F, NO_OVERRIDE, columns(Event.RUNNING), owner(F), False, JOB_FILE),
    (
        "column over a file that says no",
        F,
        NO_OVERRIDE,
        JobFile(block={F: False}, columns=frozenset({F})),
        owner(),
        True,
        JOB_FILE,
    ),
    ("an unusable value falls through", F, NO_OVERRIDE, block(F, running=True), owner(F), True, OWNER),
    (
        "… for its own event only",
        Event.STOPPED,
        NO_OVERRIDE,
        block(F),
        owner(Event.STOPPED),
        False,
        JOB_FILE,
    ),
    (
        "… but a true column counts",
        F,
        NO_OVERRIDE,
        JobFile(block={}, ignored=frozenset({F}), columns=frozenset({F})),
        owner(),
        True,
        JOB_FILE,
    ),
    # old files cannot know of waiting too long
    ("file silent on waiting", W, NO_OVERRIDE, block(failed=True), owner(W), True, OWNER),
    ("columns silent on waiting", W, NO_OVERRIDE, columns(F), owner(W), True, OWNER),
    ("file yes to waiting", W, NO_OVERRIDE, block(waiting_too_long=True), owner(), True, JOB_FILE),
    ("file no to waiting", W, NO_OVERRIDE, block(waiting_too_long=False), owner(W), False, JOB_FILE),
    # then the owner's defaults, then the site's
    ("owner yes", Event.STOPPED, NO_OVERRIDE, NO_FILE, owner(Event.STOPPED), True, OWNER),
    ("owner no over site", F, NO_OVERRIDE, NO_FILE, owner(Event.STOPPED), False, OWNER),
    ("owner chose nothing at all", F, NO_OVERRIDE, NO_FILE, owner(), False, OWNER),
    ("site yes", F, NO_OVERRIDE, NO_FILE, EVERYTHING, True, SITE),
    ("site no", Event.RUNNING, NO_OVERRIDE, NO_FILE, EVERYTHING, False, SITE),
    # an alert comes from the monitoring: no job's file and no default speaks of it
    ("an alert", Event.ALERT, NO_OVERRIDE, NO_FILE, owner(), True, OWNER),
    (
        "an alert of a job whose file names other events",
        Event.ALERT,
        NO_OVERRIDE,
        columns(F),
        owner(),
        True,
        OWNER,
    ),
]


@pytest.mark.parametrize(
    ("event", "over", "file", "own", "expected", "source"),
    [row[1:] for row in WANTED],
    ids=[row[0] for row in WANTED],
)
def test_who_decides_whether_an_event_is_wanted(
    event: Event, over: JobOverride, file: JobFile, own: OwnerWishes, expected: bool, source: Source
) -> None:
    assert wanted(event, override=over, file=file, owner=own, site=A_SITE) == (expected, source)


CHANNELS = [
    ("both on", EVERYTHING, A_SITE, BOTH),
    ("a webhook", WITH_WEBHOOK, A_SITE, BOTH | {Channel.WEBHOOK}),
    ("a webhook that the site has off", WITH_WEBHOOK, replace(A_SITE, channels_on=MAIL), MAIL),
    ("site has mail off", EVERYTHING, replace(A_SITE, channels_on=PORTAL), PORTAL),
    ("site has the portal off", EVERYTHING, replace(A_SITE, channels_on=MAIL), MAIL),
    ("site has both off", EVERYTHING, replace(A_SITE, channels_on=frozenset()), frozenset()),
    ("no mail server", EVERYTHING, replace(A_SITE, mail_configured=False), PORTAL),
    ("no address", replace(EVERYTHING, has_address=False), A_SITE, PORTAL),
    (
        "owner has this event off in mail",
        replace(EVERYTHING, channels={Channel.WEBPORTAL: ALL_EVENTS, Channel.EMAIL: ALL_EVENTS - {F}}),
        A_SITE,
        PORTAL,
    ),
    (
        "owner has another event off in mail",
        replace(EVERYTHING, channels={Channel.WEBPORTAL: ALL_EVENTS, Channel.EMAIL: ALL_EVENTS - {W}}),
        A_SITE,
        BOTH,
    ),
    (
        "owner has a channel off",
        replace(EVERYTHING, channels={Channel.WEBPORTAL: NOTHING, Channel.EMAIL: ALL_EVENTS}),
        A_SITE,
        MAIL,
    ),
    (
        "a channel that is absent is off",
        replace(EVERYTHING, channels={Channel.EMAIL: ALL_EVENTS}),
        A_SITE,
        MAIL,
    ),
    ("owner has all off", replace(EVERYTHING, channels={}), A_SITE, frozenset()),
]


@pytest.mark.parametrize(
    ("own", "site", "expected"), [row[1:] for row in CHANNELS], ids=[row[0] for row in CHANNELS]
)
def test_which_channels_a_wanted_event_takes(
    own: OwnerWishes, site: SiteWishes, expected: frozenset[Channel]
) -> None:
    decision = decide(F, override=override(failed=True), file=NO_FILE, owner=own, site=site)
    assert decision == Decision(True, OVERRIDE, expected)


WITH_ALERTMANAGER = replace(A_SITE, alertmanager_configured=True)


@pytest.mark.parametrize("event", JOB_EVENTS)
def test_the_cluster_is_told_of_what_is_told_of_a_job(event: Event) -> None:
    asked = override(**{event.value: True})
    for own in (EVERYTHING, replace(EVERYTHING, channels={})):
        decision = decide(event, override=asked, file=NO_FILE, owner=own, site=WITH_ALERTMANAGER)
        assert Channel.ALERTMANAGER in decision.channels


@pytest.mark.parametrize(
    ("event", "over", "site"),
    [
        (Event.ALERT, NO_OVERRIDE, WITH_ALERTMANAGER),
        (F, override(failed=False), WITH_ALERTMANAGER),
        (F, replace(override(failed=True), muted=True), WITH_ALERTMANAGER),
        (F, override(failed=True), A_SITE),
        (F, override(failed=True), replace(WITH_ALERTMANAGER, channels_on=BOTH)),
    ],
    ids=["an alert goes not back", "not wanted", "muted", "no address", "switched off"],
)
def test_the_cluster_is_not_told(event: Event, over: JobOverride, site: SiteWishes) -> None:
    decision = decide(event, override=over, file=NO_FILE, owner=EVERYTHING, site=site)
    assert Channel.ALERTMANAGER not in decision.channels


def test_an_unwanted_event_takes_no_channel() -> None:
    decision = decide(F, override=override(failed=False), file=columns(F), owner=EVERYTHING, site=A_SITE)
    assert decision == Decision(False, OVERRIDE)


def test_muting_silences_all_channels_of_what_is_wanted_and_wakes_nothing_else() -> None:
    muted = JobOverride(muted=True)
    loud = decide(F, override=muted, file=columns(F), owner=EVERYTHING, site=A_SITE)
    quiet = decide(Event.RUNNING, override=muted, file=columns(F), owner=EVERYTHING, site=A_SITE)
    assert loud == Decision(True, JOB_FILE, frozenset(), muted=True)
    assert quiet == Decision(False, JOB_FILE)


def test_what_the_admin_has_not_decided() -> None:
    assert channels_on({}) == set(Channel) - {Channel.APPRISE, Channel.WEBHOOK, Channel.WEBPUSH}
    assert channels_on({"webhook": True, "email": False}) == {
        Channel.WEBPORTAL, Channel.ALERTMANAGER, Channel.WEBHOOK
    }  # fmt: skip


WHY_NOT = [
    (Channel.WEBPORTAL, EVERYTHING, A_SITE, ""),
    (Channel.EMAIL, EVERYTHING, A_SITE, ""),
    (Channel.WEBPORTAL, EVERYTHING, replace(A_SITE, channels_on=MAIL), "administrator"),
    (Channel.WEBPORTAL, replace(EVERYTHING, has_address=False), replace(A_SITE, mail_configured=False), ""),
    (Channel.EMAIL, EVERYTHING, replace(A_SITE, mail_configured=False), "mail server"),
    (Channel.EMAIL, replace(EVERYTHING, has_address=False), A_SITE, "address"),
    (Channel.WEBHOOK, EVERYTHING, A_SITE, "added nothing"),
    (Channel.APPRISE, WITH_WEBHOOK, A_SITE, "added nothing"),
    (Channel.WEBPUSH, WITH_BROWSER, A_SITE, "set no keys"),
    (Channel.WEBPUSH, WITH_WEBHOOK, WITH_KEYS, "added no browser"),
    (Channel.WEBPUSH, WITH_BROWSER, WITH_KEYS, ""),
    (Channel.WEBHOOK, WITH_WEBHOOK, A_SITE, ""),
    # one reason at a time: the one that the user can do least about
    (
        Channel.EMAIL,
        replace(EVERYTHING, has_address=False),
        replace(A_SITE, channels_on=PORTAL, mail_configured=False),
        "administrator",
    ),
    (
        Channel.EMAIL,
        replace(EVERYTHING, has_address=False),
        replace(A_SITE, mail_configured=False),
        "mail server",
    ),
]


@pytest.mark.parametrize(("channel", "own", "site", "reason"), WHY_NOT)
def test_why_a_channel_cannot_be_offered(
    channel: Channel, own: OwnerWishes, site: SiteWishes, reason: str
) -> None:
    found = why_not(channel, owner=own, site=site)
    assert reason in found
    assert bool(found) == bool(reason)


FILE_90 = JobFile(block={W: True}, waiting_minutes=90)
LIMITS = [
    ("override", JobOverride(waiting_minutes=5), FILE_90, replace(owner(W), waiting_minutes=30), 5),
    ("file", NO_OVERRIDE, FILE_90, replace(owner(W), waiting_minutes=30), 90),
    ("owner", NO_OVERRIDE, NO_FILE, replace(owner(W), waiting_minutes=30), 30),
    ("site", NO_OVERRIDE, NO_FILE, owner(W), 60),
    ("file asks without a number", NO_OVERRIDE, block(waiting_too_long=True), owner(), 60),
    ("minutes alone do not ask", JobOverride(waiting_minutes=5), NO_FILE, owner(), None),
    ("file says no", NO_OVERRIDE, block(waiting_too_long=False), replace(owner(W), waiting_minutes=30), None),
    ("override says no", override(waiting_too_long=False), FILE_90, owner(W), None),
    ("muted still counts", JobOverride(muted=True), NO_FILE, owner(W), 60),
]


@pytest.mark.parametrize(
    ("over", "file", "own", "expected"), [row[1:] for row in LIMITS], ids=[row[0] for row in LIMITS]
)
def test_after_how_many_minutes_a_job_waits_too_long(
    over: JobOverride, file: JobFile, own: OwnerWishes, expected: int | None
) -> None:
    assert waiting_limit_minutes(override=over, file=file, owner=own, site=A_SITE) == expected
