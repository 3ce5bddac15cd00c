from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """One index for each folder. Made beside the running system: nothing waits for them."""

    atomic = False

    dependencies = [
        ('notifications', '0002_saved_and_snoozed'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='notification',
            index=models.Index(condition=models.Q(('in_inbox', True), ('archived_at', None), ('snoozed_until', None)), fields=['user', 'id'], name='inbox_open'),
        ),
        AddIndexConcurrently(
            model_name='notification',
            index=models.Index(condition=models.Q(('in_inbox', True), ('archived_at', None), ('snoozed_until', None), ('read_at', None)), fields=['user', 'id'], name='inbox_open_unread'),
        ),
        AddIndexConcurrently(
            model_name='notification',
            index=models.Index(condition=models.Q(('in_inbox', True), ('archived_at__isnull', False)), fields=['user', 'id'], name='inbox_archived'),
        ),
        AddIndexConcurrently(
            model_name='notification',
            index=models.Index(condition=models.Q(('in_inbox', True), ('snoozed_until__isnull', False)), fields=['user', 'id'], name='inbox_snoozed'),
        ),
        AddIndexConcurrently(
            model_name='notification',
            index=models.Index(condition=models.Q(('in_inbox', True), ('saved', True)), fields=['user', 'id'], name='inbox_saved'),
        ),
        AddIndexConcurrently(
            model_name='notification',
            index=models.Index(condition=models.Q(('in_inbox', True), ('snoozed_until__isnull', False)), fields=['snoozed_until'], name='snooze_due'),
        ),
        RemoveIndexConcurrently(
            model_name='notification',
            name='inbox_unread',
        ),
    ]
