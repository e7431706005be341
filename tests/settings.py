"""Settings for tests: the portal's own, as on a laptop."""

import os

os.environ["PORTICO_ENV"] = "local"
os.environ.setdefault("PORTICO_MANIFEST_KEY", "a secret that is for tests only, 32+")

from portal.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
