from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='notification',
            name='saved',
            field=models.BooleanField(db_default=False, default=False, help_text='Kept by its user.'),
        ),
        migrations.AddField(
            model_name='notification',
            name='snoozed_until',
            field=models.DateTimeField(blank=True, help_text='Out of sight until then; it comes back unread.', null=True),
        ),
    ]
