"""Where a prediction or a batch was asked for, and which call of the API it keeps.

Nothing of `Prediction` is written anew: its columns may be null, and what is unique has a condition (0006 says what SQLite
forgets otherwise).
"""

from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

SOURCE = {
    "choices": [("page", "Published page"), ("program", "Program")],
    "editable": False,
    "help_text": "Where it was asked; null: in the portal.",
    "max_length": 10,
    "null": True,
}
CALL = {"editable": False, "help_text": "Of the API call that is kept here, once.", "max_length": 64, "null": True}


class Migration(migrations.Migration):

    dependencies = [
        ("predictions", "0008_request_of_a_prediction"),
        ("registry", "0004_published_page"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField("prediction", "source", models.CharField(**SOURCE)),
        migrations.AddField("prediction", "call_id", models.CharField(**CALL)),
        migrations.AddField(
            "prediction",
            "is_without_values",
            models.BooleanField(editable=False, help_text="Only the answer was to be kept.", null=True),
        ),
        migrations.AddIndex(
            "prediction",
            models.Index(fields=["created_at", "id"], condition=Q(source=None), name="prediction_of_portal"),
        ),
        migrations.AddIndex(
            "prediction",
            models.Index(
                fields=["source", "created_at", "id"], condition=Q(source__isnull=False), name="prediction_of_source"
            ),
        ),
        migrations.AddConstraint(
            "prediction",
            models.UniqueConstraint(
                fields=["call_id"], condition=Q(call_id__isnull=False), name="one_prediction_a_call"
            ),
        ),
        migrations.AddField("batch", "source", models.CharField(**SOURCE)),
        migrations.AddField("batch", "call_id", models.CharField(**CALL)),
        migrations.AddField(
            "batch",
            "owner",
            models.CharField(
                blank=True,
                editable=False,
                help_text="Whose a job of the API is, as the bucket has it.",
                max_length=36,
            ),
        ),
        migrations.AddField(
            "batch",
            "result_key",
            models.CharField(
                blank=True,
                editable=False,
                help_text="Of a file that was scored within one call of the API.",
                max_length=1024,
            ),
        ),
        migrations.AddField(
            "batch",
            "is_without_values",
            models.BooleanField(editable=False, help_text="Only the counts were to be kept.", null=True),
        ),
        migrations.AddConstraint(
            "batch",
            models.UniqueConstraint(
                fields=["call_id"], condition=Q(call_id__isnull=False), name="one_batch_a_call"
            ),
        ),
        migrations.CreateModel(
            name="CapturedObject",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=100, unique=True)),
                ("written_at", models.DateTimeField(db_index=True, help_text="As its key says.")),
                ("lines", models.PositiveIntegerField()),
                (
                    "unreadable",
                    models.PositiveIntegerField(help_text="Lines that nobody will ever be able to read."),
                ),
                (
                    "kept_back",
                    models.PositiveIntegerField(
                        help_text="Lines that a later release, or a database that knows their model, can read."
                    ),
                ),
            ],
            options={"ordering": ["written_at", "key"]},
        ),
    ]
