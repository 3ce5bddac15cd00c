"""Addresses of notifications: the inbox, jobs, REST."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, path, re_path

from notifications import (
    api,
    bulk_api,
    group_views,
    groups_api,
    inbox_views,
    ingest_api,
    job_views,
    jobs_api,
    openpai_api,
    preview_views,
    push_api,
    push_views,
    target_views,
    targets_api,
    test_mail_views,
    unsubscribe_views,
    views,
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("", inbox_views.inbox_page, name="inbox"),
    path("inbox/mark-read/", inbox_views.mark_read, name="mark-read"),
    path("inbox/change/", inbox_views.change, name="inbox-change"),
    path("healthz", views.healthz, name="healthz"),
    path("metrics", views.metrics_page, name="metrics"),
    path("api/v1/notifications/", api.NotificationsView.as_view(), name="api-notifications"),
    path("api/v1/notifications/mark-read/", api.MarkReadView.as_view(), name="api-mark-read"),
    path("api/v1/notifications/bulk/", bulk_api.BulkView.as_view(), name="api-bulk"),
    path("api/v1/notifications/unread/", api.UnreadView.as_view(), name="api-unread"),
    path(
        "api/v1/notifications/<int:notification_id>/",
        api.NotificationView.as_view(),
        name="api-notification",
    ),
    path(
        "api/v1/ingest/alertmanager/",
        ingest_api.AlertmanagerView.as_view(),
        name="api-ingest-alertmanager",
    ),
    path("api/v1/ingest/events/", ingest_api.JobEventsView.as_view(), name="api-ingest-events"),
    path("profile/test-mail/", test_mail_views.test_mail, name="test-mail"),
    path(
        "api/v1/preferences/test-mail/",
        test_mail_views.TestMailView.as_view(),
        name="api-preferences-test-mail",
    ),
    path(
        f"{settings.ADMIN_PATH}/mails/",
        admin.site.admin_view(preview_views.mail_preview),
        name="mail-preview",
    ),
    path(
        f"{settings.ADMIN_PATH}/mails/html/",
        admin.site.admin_view(preview_views.mail_preview_html),
        name="mail-preview-html",
    ),
    path("unsubscribe/<str:token>/", unsubscribe_views.unsubscribe_page, name="unsubscribe"),
    path("jobs/", job_views.job_list_page, name="jobs"),
    path("jobs/<str:framework>/", job_views.job_page, name="job"),
    path("api/v1/jobs/", jobs_api.JobListView.as_view(), name="api-jobs"),
    path(
        "api/v1/jobs/<str:framework>/notification-config/",
        jobs_api.NotificationConfigView.as_view(),
        name="api-job-config",
    ),
    path("groups/<int:group_id>/", group_views.group_page, name="group"),
    path("api/v1/groups/", groups_api.GroupsView.as_view(), name="api-groups"),
    path("api/v1/groups/<int:group_id>/", groups_api.GroupView.as_view(), name="api-group"),
    path("api/v1/groups/<int:group_id>/jobs/", groups_api.GroupJobsView.as_view(), name="api-group-jobs"),
    path("profile/targets/", target_views.add, name="target-add"),
    path("profile/targets/<int:target_id>/test/", target_views.test, name="target-test"),
    path("profile/targets/<int:target_id>/remove/", target_views.remove, name="target-remove"),
    path("api/v1/targets/", targets_api.TargetsView.as_view(), name="api-targets"),
    path("api/v1/targets/<int:target_id>/", targets_api.TargetView.as_view(), name="api-target"),
    path(
        "api/v1/targets/<int:target_id>/test/", targets_api.TargetTestView.as_view(), name="api-target-test"
    ),
    path("push-worker.js", push_views.worker, name="push-worker"),
    path("api/v1/push-subscriptions/", push_api.BrowsersView.as_view(), name="api-push-subscriptions"),
    path("api/v1/push-subscriptions/renew/", push_api.RenewalView.as_view(), name="api-push-renew"),
    re_path(r"^api/v2/alerts/?$", openpai_api.AlertsView.as_view(), name="openpai-alerts"),
]
