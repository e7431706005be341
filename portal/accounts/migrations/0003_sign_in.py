"""The table of the cache, in which django-allauth counts failed sign-ins; and the manager that finds people by name."""

from django.core.management import call_command
from django.db import migrations

import portal.accounts.models


def make_cache_table(apps, schema_editor):
    call_command("createcachetable", "portico_cache", database=schema_editor.connection.alias, verbosity=0)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_api_tokens")]

    operations = [
        migrations.RunPython(make_cache_table, migrations.RunPython.noop),
        migrations.AlterModelManagers("user", [("objects", portal.accounts.models.PersonManager())]),
    ]
