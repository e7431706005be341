"""Where somebody of the user pool has put a file: it is deleted when its batch's time is over.

Rows of before keep nothing of it; what they left lies on.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("predictions", "0009_answers_from_elsewhere")]

    operations = [
        migrations.AddField(
            model_name="batch",
            name="given_key",
            field=models.CharField(
                blank=True,
                default="",
                editable=False,
                help_text="Of a file in the own folder of somebody who called the API.",
                max_length=1024,
            ),
            preserve_default=False,
        ),
    ]
