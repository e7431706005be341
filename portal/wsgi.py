"""What gunicorn runs."""

import io
import os

from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
application = get_wsgi_application()
# gunicorn runs no checks: without this one, half a configuration of sign-in shows when somebody wants to come in.
call_command("check", "--tag", "user_pool", stdout=io.StringIO())  # that nothing is wrong is not worth a line
