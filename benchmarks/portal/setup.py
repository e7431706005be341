"""Makes this process the portal, on the database that the environment names."""

import os

import django

# A benchmark's portal is one on a laptop.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
os.environ["PORTICO_ENV"] = "local"
django.setup()

from django.conf import settings  # noqa: E402 -- only now are there any

settings.ALLOWED_HOSTS = ["testserver"]
