"""Which request asked for a prediction. Rows of before have none; nothing of them is written anew."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("predictions", "0007_pieces_of_words"),
    ]

    operations = [
        migrations.AddField(
            model_name="prediction",
            name="request_id",
            field=models.CharField(
                editable=False, help_text="Of the request that asked, as the log has it.", max_length=64, null=True
            ),
        ),
    ]
