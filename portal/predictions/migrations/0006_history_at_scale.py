"""Indexes for the history, and one for its search: FTS5 in SQLite; PostgreSQL's is made by 0007.

SQLite forgets a table's triggers when Django makes the table anew, which it does for most changes of a column: a later
migration that changes `Prediction` ends with `RunPython(make_search, ...)` of this one.
"""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import OperationalError, migrations, models, transaction

SQLITE = [
    # A row is written when it is asked, and again when it is answered; never changed, never deleted. So is its entry here.
    "CREATE TRIGGER predictions_search_asked AFTER INSERT ON predictions_prediction "
    "BEGIN INSERT INTO predictions_search (words, prediction) VALUES (new.words, new.id); END",
    "CREATE TRIGGER predictions_search_answered AFTER UPDATE OF words ON predictions_prediction "
    "WHEN new.words <> old.words "
    "BEGIN INSERT INTO predictions_search (words, prediction) VALUES (new.words, new.id); END",
    "INSERT INTO predictions_search (words, prediction) SELECT words, id FROM predictions_prediction ORDER BY created_at",
]


def make_search(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":  # its index is made by 0007
        return
    drop_search(apps, schema_editor)
    try:
        with transaction.atomic(), schema_editor.connection.cursor() as cursor:
            cursor.execute(
                "CREATE VIRTUAL TABLE predictions_search USING fts5(words, prediction UNINDEXED, tokenize='trigram')"
            )
    except OperationalError:  # SQLite before 3.34, or without FTS5: portal/predictions/search.py goes without
        return
    for statement in SQLITE:
        schema_editor.execute(statement)


def drop_search(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX IF EXISTS predictions_search")
        return
    for name in ("asked", "answered"):
        schema_editor.execute(f"DROP TRIGGER IF EXISTS predictions_search_{name}")
    schema_editor.execute("DROP TABLE IF EXISTS predictions_search")


class Migration(migrations.Migration):

    dependencies = [
        ('predictions', '0005_rows_of_before'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name='prediction',
            name='model',
            field=models.ForeignKey(db_index=False, editable=False, help_text="The version's, for the index.", on_delete=django.db.models.deletion.PROTECT, related_name='+', to='registry.model'),
        ),
        migrations.AlterField(
            model_name='batch',
            name='created_at',
            field=models.DateTimeField(default=django.utils.timezone.now),
        ),
        migrations.AlterField(
            model_name='batch',
            name='user',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='batches', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AlterField(
            model_name='prediction',
            name='created_at',
            field=models.DateTimeField(default=django.utils.timezone.now),
        ),
        migrations.AlterField(
            model_name='prediction',
            name='user',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='predictions', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AlterField(
            model_name='prediction',
            name='version',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='predictions', to='registry.modelversion'),
        ),
        migrations.AddIndex('batch', models.Index(fields=['created_at', 'id'], name='batch_in_order')),
        migrations.AddIndex('batch', models.Index(fields=['user', 'created_at', 'id'], name='batch_of_user')),
        migrations.AddIndex('prediction', models.Index(fields=['created_at', 'id'], name='prediction_in_order')),
        migrations.AddIndex('prediction', models.Index(fields=['user', 'created_at', 'id'], name='prediction_of_user')),
        migrations.AddIndex('prediction', models.Index(fields=['model', 'created_at', 'id'], name='prediction_of_model')),
        migrations.AddIndex('prediction', models.Index(fields=['version', 'created_at', 'id'], name='prediction_of_version')),
        migrations.AddIndex('prediction', models.Index(fields=['outcome_words', 'created_at', 'id'], name='prediction_of_class')),
        migrations.AddIndex('prediction', models.Index(fields=['band_label', 'created_at', 'id'], name='prediction_of_band')),
        migrations.AddIndex('prediction', models.Index(fields=['state', 'created_at', 'id'], name='prediction_of_state')),
        migrations.AddIndex('prediction', models.Index(fields=['user', 'outcome_words'], name='classes_of_user')),
        migrations.AddIndex('prediction', models.Index(fields=['user', 'band_label'], name='bands_of_user')),
        migrations.RunPython(make_search, drop_search),
    ]
