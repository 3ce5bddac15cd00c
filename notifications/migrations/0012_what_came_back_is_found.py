from django.db import migrations, models

from notifications.concurrent_indexes import BuildIndex


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('notifications', '0011_what_comes_back_is_on_top'),
    ]

    operations = [
        BuildIndex(
            model_name='notification',
            index=models.Index(
                condition=models.Q(
                    ('in_inbox', True),
                    ('archived_at', None),
                    ('snoozed_until', None),
                    ('read_at', None),
                    ('returned_at__isnull', False),
                ),
                fields=['user', '-returned_at'],
                name='returned',
            ),
        ),
    ]
