from django.conf import settings
from django.db import migrations, models

from notifications.concurrent_indexes import BuildIndex, DropIndex


class Migration(migrations.Migration):
    """A search reads the index of a folder alone. The new ones are there before the old ones go."""

    atomic = False

    dependencies = [
        ('notifications', '0008_ceilings'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        BuildIndex(
            model_name='notification',
            index=models.Index(condition=models.Q(('in_inbox', True), ('archived_at', None), ('snoozed_until', None)), fields=['user', 'id'], include=('event', 'virtual_cluster', 'job_name', 'framework_name', 'created_at', 'read_at', 'saved', 'group'), name='folder_open'),
        ),
        BuildIndex(
            model_name='notification',
            index=models.Index(condition=models.Q(('in_inbox', True), ('archived_at', None), ('snoozed_until', None), ('read_at', None)), fields=['user', 'id'], include=('event', 'virtual_cluster', 'job_name', 'framework_name', 'created_at', 'read_at', 'saved', 'group'), name='folder_unread'),
        ),
        BuildIndex(
            model_name='notification',
            index=models.Index(condition=models.Q(('in_inbox', True), ('archived_at__isnull', False)), fields=['user', 'id'], include=('event', 'virtual_cluster', 'job_name', 'framework_name', 'created_at', 'read_at', 'saved', 'group'), name='folder_archived'),
        ),
        BuildIndex(
            model_name='notification',
            index=models.Index(condition=models.Q(('in_inbox', True), ('snoozed_until__isnull', False)), fields=['user', 'id'], include=('event', 'virtual_cluster', 'job_name', 'framework_name', 'created_at', 'read_at', 'saved', 'group'), name='folder_snoozed'),
        ),
        BuildIndex(
            model_name='notification',
            index=models.Index(condition=models.Q(('in_inbox', True), ('saved', True)), fields=['user', 'id'], include=('event', 'virtual_cluster', 'job_name', 'framework_name', 'created_at', 'read_at', 'saved', 'group'), name='folder_saved'),
        ),
        DropIndex(
            model_name='notification',
            name='inbox_open',
        ),
        DropIndex(
            model_name='notification',
            name='inbox_open_unread',
        ),
        DropIndex(
            model_name='notification',
            name='inbox_archived',
        ),
        DropIndex(
            model_name='notification',
            name='inbox_snoozed',
        ),
        DropIndex(
            model_name='notification',
            name='inbox_saved',
        ),
    ]
