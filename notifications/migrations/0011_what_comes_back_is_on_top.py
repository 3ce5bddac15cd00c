from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0010_no_index_of_all_folders'),
    ]

    operations = [
        migrations.AddField(
            model_name='notification',
            name='returned_at',
            field=models.DateTimeField(blank=True, help_text='When it came back last.', null=True),
        ),
    ]
