"""The admin's side: site defaults, channel policy, and what users and jobs have chosen.

Whatever changes here who wants what is announced, like a change made on the profile page.
"""

from __future__ import annotations

import logging
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.postgres.fields import ArrayField
from django.db.models import Field, Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from preferences import signals
from preferences.kinds import JOB_EVENTS, Channel
from preferences.models import (
    AddressRecord,
    ChannelPolicy,
    ChannelPreference,
    JobConfig,
    SiteSettings,
    Target,
    UserPreference,
)
from preferences.paging import CappedPaginator

logger = logging.getLogger(__name__)


class BoundedAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A list whose pages cost the same however large the table is; events are ticked, not typed."""

    list_per_page = 50
    list_max_show_all = 50
    show_full_result_count = False
    paginator = CappedPaginator

    def formfield_for_dbfield(
        self, db_field: Field[Any, Any], request: HttpRequest, **options: Any
    ) -> forms.Field | None:
        if isinstance(db_field, ArrayField):
            return forms.MultipleChoiceField(
                choices=db_field.base_field.choices or (),
                required=False,
                widget=forms.CheckboxSelectMultiple,
                help_text=db_field.help_text,
            )
        return super().formfield_for_dbfield(db_field, request, **options)


class AnnouncingAdmin(BoundedAdmin):
    """Announces each change in the transaction that makes it."""

    def announce(self, before: Any, after: Any) -> None:
        """`before` is None for a new row, `after` for a deleted one."""
        raise NotImplementedError

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        before = self.model._default_manager.filter(pk=obj.pk).first() if change else None
        super().save_model(request, obj, form, change)
        self.announce(before, obj)

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        before = self.model._default_manager.get(pk=obj.pk)
        super().delete_model(request, obj)
        self.announce(before, None)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        rows = list(queryset)
        super().delete_queryset(request, queryset)
        for before in rows:
            self.announce(before, None)


class UserPreferenceForm(forms.ModelForm):  # type: ignore[type-arg]
    as_the_site = forms.BooleanField(
        label="Default events as the site has them",
        required=False,
        help_text="Overrules what is ticked below.",
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["as_the_site"].initial = self.instance.default_events is None

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("as_the_site"):
            data["default_events"] = None
        return data


@admin.register(UserPreference)
class UserPreferenceAdmin(AnnouncingAdmin):
    form = UserPreferenceForm
    fields = (
        "user",
        "as_the_site",
        "default_events",
        "waiting_minutes",
        "time_zone",
        "bundling_minutes",
        "daily_hour",
        ("quiet_from", "quiet_until", "failures_pass_quiet"),
        "language",
        "address_is_own",
    )
    list_display = ("user", "default_events", "waiting_minutes", "time_zone", "language")
    list_select_related = ("user",)
    search_fields = ("user__username",)
    autocomplete_fields = ("user",)
    ordering = ("pk",)

    def announce(self, before: UserPreference | None, after: UserPreference | None) -> None:
        signals.announce_owners({row.user_id for row in (before, after) if row})


@admin.register(ChannelPreference)
class ChannelPreferenceAdmin(BoundedAdmin):
    list_display = ("user", "channel", "enabled", "is_own", "events")
    list_filter = ("channel", "enabled")
    list_select_related = ("user",)
    search_fields = ("user__username",)
    autocomplete_fields = ("user",)
    ordering = ("pk",)

    def save_model(self, request: HttpRequest, obj: ChannelPreference, form: Any, change: bool) -> None:
        if "enabled" in form.changed_data and "is_own" not in form.changed_data:
            obj.is_own = True
        super().save_model(request, obj, form, change)


@admin.register(JobConfig)
class JobConfigAdmin(AnnouncingAdmin):
    list_display = (
        "framework_name",
        "submission_time",
        "events",
        "waiting_minutes",
        "muted",
        "muted_until",
        "updated_at",
    )
    list_filter = ("muted",)
    search_fields = ("framework_name__startswith",)
    ordering = ("-pk",)

    def get_readonly_fields(self, request: HttpRequest, obj: JobConfig | None = None) -> tuple[str, ...]:
        return ("framework_name", "submission_time", "updated_at") if obj else ()

    def announce(self, before: JobConfig | None, after: JobConfig | None) -> None:
        """The job's file is not known here, so what may have been wanted before counts as switched on too;
        telling an event twice is prevented elsewhere."""
        row = after or before
        assert row is not None
        old, new = (config.events if config else {} for config in (before, after))
        switched_on = [
            event
            for event in JOB_EVENTS
            if new.get(event) is not old.get(event)
            and new.get(event) is not False
            and old.get(event) is not True
        ]
        signals.announce_job(row.framework_name, row.submission_time, switched_on)


@admin.register(ChannelPolicy)
class ChannelPolicyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A channel without a row is on. Pausing and resuming are on the page of the deliveries."""

    list_display = (
        "channel",
        "enabled",
        "per_user_an_hour",
        "in_all_an_hour",
        "paused",
        "paused_at",
        "pause_reason",
    )

    def get_readonly_fields(self, request: HttpRequest, obj: ChannelPolicy | None = None) -> tuple[str, ...]:
        return ("channel", "paused", "paused_at", "pause_reason") if obj else ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and ChannelPolicy.objects.count() < len(Channel)

    def save_model(self, request: HttpRequest, obj: ChannelPolicy, form: Any, change: bool) -> None:
        """Only what was changed here: a worker may pause the channel at this moment."""
        obj.save(update_fields=form.changed_data if change else None)
        logger.info(
            "channel policy saved channel=%s enabled=%s by=%s", obj.channel, obj.enabled, request.user.pk
        )

    def delete_model(self, request: HttpRequest, obj: ChannelPolicy) -> None:
        super().delete_model(request, obj)
        logger.info("channel policy dropped channel=%s by=%s", obj.channel, request.user.pk)


@admin.register(AddressRecord)
class AddressRecordAdmin(BoundedAdmin):
    """Deleting one lifts it: the next mail goes out again."""

    list_display = ("user", "address", "refusals", "last_error", "refused_at")
    list_select_related = ("user",)
    search_fields = ("user__username__exact", "address__exact")
    ordering = ("-pk",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def delete_model(self, request: HttpRequest, obj: AddressRecord) -> None:
        super().delete_model(request, obj)
        logger.info("address record dropped user=%s by=%s", obj.user_id, request.user.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[AddressRecord]) -> None:
        users = list(queryset.values_list("user_id", flat=True))
        super().delete_queryset(request, queryset)
        logger.info("address records dropped users=%s by=%s", users, request.user.pk)


@admin.register(SiteSettings)
class SiteSettingsAdmin(AnnouncingAdmin):
    """One row, so the list leads straight to it."""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        row = SiteSettings.objects.first()
        if row is None:
            return redirect("admin:preferences_sitesettings_add")
        return redirect("admin:preferences_sitesettings_change", row.pk)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not SiteSettings.objects.exists()

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def announce(self, before: SiteSettings | None, after: SiteSettings | None) -> None:
        signals.announce_site()


@admin.register(Target)
class TargetAdmin(BoundedAdmin):
    """To see what works, and to take away what must go. What an address is stays its user's secret."""

    list_display = ("user", "channel", "service", "hint", "last_ok_at", "last_error", "disabled_at")
    list_filter = ("channel", "service")
    list_select_related = ("user",)
    search_fields = ("user__username",)
    ordering = ("pk",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
