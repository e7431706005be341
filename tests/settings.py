"""Settings for tests: the portal's own, as on a laptop."""

import os

os.environ["PORTICO_ENV"] = "local"

from portal.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
