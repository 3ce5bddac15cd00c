"""Where a user comes from: the cluster's list of users, or an account at an OpenID Connect provider."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class ClusterAccount(models.Model):
    """What the cluster last said about a user, as far as it decides here. Users without a row it has never named."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="cluster_account"
    )
    is_local = models.BooleanField(
        "local",
        default=False,
        help_text="Rights and activity are decided here. Set for who had a password or rights before the cluster "
        "named them.",
    )
    is_admin = models.BooleanField("admin of the cluster", default=False)
    gone_at = models.DateTimeField(
        "gone since", null=True, blank=True, help_text="The cluster no longer names this user."
    )

    def __str__(self) -> str:
        return f"cluster account of {self.user_id}"


class ProviderAccount(models.Model):
    """The account at an OpenID Connect provider with which a user signs in. Made by the first sign-in."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="provider_account"
    )
    issuer = models.CharField(max_length=500, help_text="The provider's address, as it says it itself.")
    subject = models.CharField(
        max_length=255, help_text="The provider's own, unchanging name of the account (the claim `sub`)."
    )
    tied_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="one_user_per_provider_account")
        ]

    def __str__(self) -> str:
        return f"provider account of {self.user_id}"
