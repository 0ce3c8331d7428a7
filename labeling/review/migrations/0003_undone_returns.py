"""Sending a text back from the desk can be undone."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("review", "0002_review"),
    ]

    operations = [
        migrations.AddField(
            model_name="return",
            name="before",
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name="return",
            name="undo_id",
            field=models.UUIDField(null=True, unique=True),
        ),
    ]
