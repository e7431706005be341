"""The roles of portal/accounts/roles.py as groups. Runs last, when every permission it names can exist."""

from django.apps import apps as current_apps
from django.contrib.auth.management import create_permissions
from django.db import migrations

from portal.accounts import roles


def create_roles(apps, schema_editor):
    for label in ("accounts", "registry", "predictions"):
        config = current_apps.get_app_config(label)
        create_permissions(config, verbosity=0, using=schema_editor.connection.alias)
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    for role in roles.ROLES:
        group, _ = Group.objects.get_or_create(name=role)
        names = [name.split(".") for name in roles.permissions_of(role)]
        found = [Permission.objects.get(content_type__app_label=app, codename=codename) for app, codename in names]
        group.permissions.set(found)


class Migration(migrations.Migration):
    dependencies = [("predictions", "0001_initial"), ("registry", "0001_initial"), ("accounts", "0001_initial")]
    operations = [migrations.RunPython(create_roles, migrations.RunPython.noop)]
