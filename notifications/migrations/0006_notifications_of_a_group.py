from django.db import migrations, models

from notifications.concurrent_indexes import BuildIndex


class Migration(migrations.Migration):
    atomic = False  # nobody who writes notifications waits for the index

    dependencies = [
        ("notifications", "0005_groups"),
    ]

    operations = [
        BuildIndex(
            model_name="notification",
            index=models.Index(condition=models.Q(("group__isnull", False)), fields=["group", "id"], name="group_page"),
        ),
    ]
