from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('notifications', '0010_no_index_of_all_folders'),
    ]

    operations = [
        migrations.AddField(
            model_name='notification',
            name='returned_at',
            field=models.DateTimeField(blank=True, help_text='When it came back last.', null=True),
        ),
        AddIndexConcurrently(
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
