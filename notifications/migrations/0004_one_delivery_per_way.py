from django.db import migrations, models
from django.db.models import Value
from django.db.models.functions import Coalesce

NAME = "one_delivery_per_way"
WAY = models.UniqueConstraint("notification", "channel", Coalesce("target", Value(0)), name=NAME)


class Migration(migrations.Migration):
    """One index of all deliveries instead of two of some. Made beside the running system: nothing waits for it."""

    atomic = False

    dependencies = [
        ("notifications", "0003_folders_of_the_inbox"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AddConstraint("delivery", WAY),
                migrations.RemoveConstraint("delivery", "one_delivery_per_channel"),
                migrations.RemoveConstraint("delivery", "one_delivery_per_target"),
            ],
            database_operations=[
                migrations.RunSQL(
                    [
                        f"DROP INDEX CONCURRENTLY IF EXISTS {NAME}",  # of a try that was broken off
                        f"CREATE UNIQUE INDEX CONCURRENTLY {NAME} ON notifications_delivery "
                        "(notification_id, channel, (COALESCE(target_id, 0)))",
                        "DROP INDEX CONCURRENTLY IF EXISTS one_delivery_per_channel",
                        "DROP INDEX CONCURRENTLY IF EXISTS one_delivery_per_target",
                    ],
                    [
                        "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS one_delivery_per_channel "
                        "ON notifications_delivery (notification_id, channel) WHERE target_id IS NULL",
                        "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS one_delivery_per_target "
                        "ON notifications_delivery (notification_id, target_id) WHERE target_id IS NOT NULL",
                        f"DROP INDEX CONCURRENTLY IF EXISTS {NAME}",
                    ],
                )
            ],
        ),
    ]
