from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # nobody who writes notifications waits for the index

    dependencies = [
        ("notifications", "0005_groups"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="notification",
            index=models.Index(condition=models.Q(("group__isnull", False)), fields=["group", "id"], name="group_page"),
        ),
    ]
