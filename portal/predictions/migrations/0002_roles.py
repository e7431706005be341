"""The roles of portal/accounts/roles.py as groups. Runs last, when every permission it names can exist."""

from django.apps import apps as current_apps
from django.contrib.auth.management import create_permissions
from django.db import migrations

from portal.accounts import roles


def create_roles(apps, schema_editor):
    for label in ("accounts", "registry", "predictions"):
        config = current_apps.get_app_config(label)
        create_permissions(config, verbosity=0, using=schema_editor.connection.alias)
    roles.write_roles(apps.get_model("auth", "Group").objects, apps.get_model("auth", "Permission").objects)


class Migration(migrations.Migration):
    dependencies = [("predictions", "0001_initial"), ("registry", "0001_initial"), ("accounts", "0001_initial")]
    operations = [migrations.RunPython(create_roles, migrations.RunPython.noop)]
