from django.db import migrations

from notifications.concurrent_indexes import DropIndex


class Migration(migrations.Migration):
    """Beside the indexes of the folders it only led the planner astray, through rows of all folders."""

    atomic = False

    dependencies = [
        ('notifications', '0009_folders_know_what_filters_ask_for'),
    ]

    operations = [
        DropIndex(
            model_name='notification',
            name='inbox_page',
        ),
    ]
