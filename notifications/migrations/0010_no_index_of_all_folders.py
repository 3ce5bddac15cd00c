from django.contrib.postgres.operations import RemoveIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):
    """Beside the indexes of the folders it only led the planner astray, through rows of all folders."""

    atomic = False

    dependencies = [
        ('notifications', '0009_folders_know_what_filters_ask_for'),
    ]

    operations = [
        RemoveIndexConcurrently(
            model_name='notification',
            name='inbox_page',
        ),
    ]
