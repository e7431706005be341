"""Fills the columns of 0004 for the rows that are there, some thousands in a transaction each."""

from django.db import migrations, transaction
from django.db.models import OuterRef, Subquery

CHUNK_ROWS = 2_000


def fill(apps, schema_editor):
    predictions = apps.get_model("predictions", "Prediction").objects.order_by()
    versions = apps.get_model("registry", "ModelVersion").objects
    while rows := list(predictions.filter(model=None)[:CHUNK_ROWS]):
        for row in rows:
            values = [str(value) for value in row.inputs.values() if value is not None]
            texts = dict.fromkeys([row.outcome, row.outcome_words, row.band_label, row.error, *values])
            row.words = "\n".join(text for text in texts if text).casefold()
        with transaction.atomic():
            predictions.bulk_update(rows, ["words"], batch_size=200)
            model = versions.filter(pk=OuterRef("version")).values("model")
            predictions.filter(pk__in=[row.pk for row in rows]).update(model=Subquery(model))


class Migration(migrations.Migration):
    atomic = False  # begun again, it goes on where it was

    dependencies = [('predictions', '0004_what_the_history_asks')]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
