"""The admin's side: whom the cluster names, and who decides about them."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest

from accounts.models import ClusterAccount, ProviderAccount
from preferences import services
from preferences.admin import BoundedAdmin


@admin.register(ClusterAccount)
class ClusterAccountAdmin(BoundedAdmin):
    """Written by the sync; only `is_local` is for people to decide."""

    list_display = ("user", "is_admin", "is_local", "gone_at")
    list_filter = ("is_admin", "is_local", ("gone_at", admin.EmptyFieldListFilter))
    list_select_related = ("user",)
    search_fields = ("user__username",)
    readonly_fields = ("user", "is_admin", "gone_at")
    ordering = ("pk",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(ProviderAccount)
class ProviderAccountAdmin(BoundedAdmin):
    """Who may tie an account of this site to one of the provider, may do so for accounts with rights, too."""

    list_display = ("user", "issuer", "subject", "tied_at")
    list_select_related = ("user",)
    search_fields = ("user__username", "subject")
    autocomplete_fields = ("user",)
    ordering = ("pk",)

    def get_readonly_fields(
        self, request: HttpRequest, obj: ProviderAccount | None = None
    ) -> tuple[str, ...]:
        return ("user", "tied_at") if obj else ()


admin.site.unregister(User)


@admin.register(User)
class OwnUserAdmin(UserAdmin):  # type: ignore[type-arg]
    """Django's own; an address that is set here is no longer taken from the cluster."""

    def save_model(self, request: HttpRequest, obj: User, form: object, change: bool) -> None:
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            if "email" in getattr(form, "changed_data", ()):
                services.keep_addresses([obj])
