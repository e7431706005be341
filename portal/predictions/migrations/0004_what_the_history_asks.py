"""Two columns by which the history finds predictions; the next migration fills them."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('predictions', '0003_life_of_a_batch'),
        ('registry', '0003_what_batches_ask'),
    ]

    operations = [
        migrations.AddField(
            model_name='prediction',
            name='model',
            field=models.ForeignKey(null=True, db_index=False, editable=False, help_text="The version's, for the index.", on_delete=django.db.models.deletion.PROTECT, related_name='+', to='registry.model'),
        ),
        migrations.AddField(
            model_name='prediction',
            name='words',
            field=models.TextField(default='', editable=False, help_text='What a search looks at.'),
            preserve_default=False,
        ),
    ]
