from django.conf import settings
from django.db import migrations, models

from notifications.concurrent_indexes import BuildIndex, DropIndex


class Migration(migrations.Migration):
    """One index for each folder. Made beside the running system: nothing waits for them."""

    atomic = False

    dependencies = [
        ('notifications', '0002_saved_and_snoozed'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        BuildIndex(
            model_name='notification',
            index=models.Index(condition=models.Q(('in_inbox', True), ('archived_at', None), ('snoozed_until', None)), fields=['user', 'id'], name='inbox_open'),
        ),
        BuildIndex(
            model_name='notification',
            index=models.Index(condition=models.Q(('in_inbox', True), ('archived_at', None), ('snoozed_until', None), ('read_at', None)), fields=['user', 'id'], name='inbox_open_unread'),
        ),
        BuildIndex(
            model_name='notification',
            index=models.Index(condition=models.Q(('in_inbox', True), ('archived_at__isnull', False)), fields=['user', 'id'], name='inbox_archived'),
        ),
        BuildIndex(
            model_name='notification',
            index=models.Index(condition=models.Q(('in_inbox', True), ('snoozed_until__isnull', False)), fields=['user', 'id'], name='inbox_snoozed'),
        ),
        BuildIndex(
            model_name='notification',
            index=models.Index(condition=models.Q(('in_inbox', True), ('saved', True)), fields=['user', 'id'], name='inbox_saved'),
        ),
        BuildIndex(
            model_name='notification',
            index=models.Index(condition=models.Q(('in_inbox', True), ('snoozed_until__isnull', False)), fields=['snoozed_until'], name='snooze_due'),
        ),
        DropIndex(
            model_name='notification',
            name='inbox_unread',
        ),
    ]
