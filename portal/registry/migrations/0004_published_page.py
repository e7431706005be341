"""What is kept of calls from elsewhere, and which models are to be written into the bucket."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("registry", "0003_what_batches_ask"),
    ]

    operations = [
        migrations.AddField(
            model_name="model",
            name="capture",
            field=models.CharField(
                choices=[("all", "Values and answers"), ("outputs", "Answers only, without values"), ("off", "Nothing")],
                default="all",
                help_text="Of those that the published page and programs get through the API; what is kept is in the history. Answers in the portal are always kept.",
                max_length=10,
                verbose_name="kept of answers outside the portal",
            ),
        ),
        migrations.AddField(
            model_name="model",
            name="publish_since",
            field=models.DateTimeField(
                editable=False,
                help_text="Since when the bucket says something older than the database.",
                null=True,
            ),
        ),
    ]
