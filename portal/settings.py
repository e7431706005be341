"""Environment → settings. docs/contract.md section 1 names every variable; nothing else configures the portal.

`PORTICO_ENV=local` is the laptop: plain HTTP, a generated secret. Anything else is production, and refuses to start
without a secret of its own.
"""

import os
from pathlib import Path

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse_lazy

from portal.database import database

BASE_DIR = Path(__file__).resolve().parent.parent
LOCAL_SECRET = "local-only-not-a-secret"  # noqa: S105 -- refused below outside local targets


def listed(name: str) -> list[str]:
    """The comma-separated values of an environment variable, blanks dropped."""
    return [value.strip() for value in os.environ.get(name, "").split(",") if value.strip()]


IS_LOCAL = os.environ.get("PORTICO_ENV", "production") == "local"
STATE_DIR = Path(os.environ.get("PORTICO_STATE_DIR", BASE_DIR / ".portico"))

SECRET_KEY = os.environ.get("PORTICO_SECRET_KEY", LOCAL_SECRET if IS_LOCAL else "")
if not IS_LOCAL and (len(SECRET_KEY) < 32 or SECRET_KEY == LOCAL_SECRET):
    raise ImproperlyConfigured(
        "PORTICO_SECRET_KEY is missing or too short. Outside local targets Portico needs a secret of its own: "
        "set it to at least 32 random characters (`python -c 'import secrets; print(secrets.token_urlsafe(48))'`), "
        "or set PORTICO_ENV=local on a laptop."
    )
DEBUG = False
ALLOWED_HOSTS = listed("PORTICO_ALLOWED_HOSTS") or (["localhost", "127.0.0.1", "[::1]"] if IS_LOCAL else [])
CSRF_TRUSTED_ORIGINS = listed("PORTICO_ORIGINS")
CSRF_FAILURE_VIEW = "portal.error_pages.unsafe_form"

# The stack: `python -m deploy outputs --format env`.
PORTICO_BUCKET = os.environ.get("PORTICO_BUCKET", "")
PORTICO_PREDICT_FUNCTION = os.environ.get("PORTICO_PREDICT_FUNCTION", "")
PORTICO_PREDICT_SMALL_FUNCTION = os.environ.get("PORTICO_PREDICT_SMALL_FUNCTION", "")
PORTICO_VERIFY_FUNCTION = os.environ.get("PORTICO_VERIFY_FUNCTION", "")
PORTICO_BATCH_STATE_MACHINE = os.environ.get("PORTICO_BATCH_STATE_MACHINE", "")
PORTICO_API_URL = os.environ.get("PORTICO_API_URL", "")
# What manifests and pointers are signed with: a secret on local targets, a key of KMS on AWS.
PORTICO_MANIFEST_KEY = os.environ.get("PORTICO_MANIFEST_KEY", "")
PORTICO_MANIFEST_KMS_KEY = os.environ.get("PORTICO_MANIFEST_KMS_KEY", "")
# Where browsers reach the bucket, if the portal itself reaches it elsewhere: within docker-compose's network.
PORTICO_PUBLIC_ENDPOINT_URL = os.environ.get("PORTICO_PUBLIC_ENDPOINT_URL", "")

# The user pool that signs people in; where none is named, Django's accounts do (docs/decisions/016-cognito.md).
PORTICO_USER_POOL_ID = os.environ.get("PORTICO_USER_POOL_ID", "")
PORTICO_USER_POOL_ISSUER = os.environ.get("PORTICO_USER_POOL_ISSUER", "")
PORTICO_USER_POOL_DOMAIN = os.environ.get("PORTICO_USER_POOL_DOMAIN", "").rstrip("/")
PORTICO_USER_POOL_CLIENT_ID = os.environ.get("PORTICO_USER_POOL_CLIENT_ID", "")
PORTICO_USER_POOL_CLIENT_SECRET = os.environ.get("PORTICO_USER_POOL_CLIENT_SECRET", "")
PORTICO_USER_POOL_PUBLIC_CLIENT_ID = os.environ.get("PORTICO_USER_POOL_PUBLIC_CLIENT_ID", "")
# Forms of the portal's own instead of managed login.
PORTICO_COGNITO_FORMS = os.environ.get("PORTICO_COGNITO_FORMS", "") == "true"
IS_MANAGED_LOGIN = bool(PORTICO_USER_POOL_ID and PORTICO_USER_POOL_DOMAIN and not PORTICO_COGNITO_FORMS)

# Limits, in bytes and seconds.
PORTICO_MODEL_MAX_BYTES = 500 * 1024**2
PORTICO_BATCH_MAX_BYTES = 5 * 1024**3  # what S3 takes in one post of a browser; the container takes more
PORTICO_UPLOAD_EXPIRES_S = 300
PORTICO_DOWNLOAD_EXPIRES_S = 300
# A part of a batch with a larger share of bad rows ends it: most often a column was mistaken for another. 1: never.
PORTICO_BATCH_GIVE_UP_SHARE = float(os.environ.get("PORTICO_BATCH_GIVE_UP_SHARE", "0.95"))
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024**2
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000  # a model with many features has a settings row of ten fields for each

INSTALLED_APPS = [
    "portal.accounts",
    "portal.registry",
    "portal.predictions",
    "unfold.apps.BasicAppConfig",  # without its own admin site: ours is the next one
    "portal.console.ConsoleConfig",  # django.contrib.admin with our own site
    # Without "allauth" itself: that app is templates alone, and a page in a foreign look must not slip in.
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",  # our own templates for fields, see FORM_RENDERER
    "csp",
]

MIDDLEWARE = [
    "portal.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "portal.accounts.sessions.NoteVisits",
    "portal.accounts.cognito.middleware.PoolSessionMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "portal.middleware.ErrorPagesMiddleware",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "portal" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": ["portal.templatetags.portico"],
        },
    }
]

DATABASES = {"default": database(os.environ.get("PORTICO_DATABASE_URL", ""), state_dir=STATE_DIR)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Counts failed sign-ins and remembers used codes, for every process alike, over restarts (docs/decisions/015). A
# stranger must not be able to push a count out by filling it up.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "portico_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "portal.accounts.cognito.backends.PoolBackend" if PORTICO_USER_POOL_ID else "portal.accounts.backends.RoleBackend"
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "predictions:home"
LOGOUT_REDIRECT_URL = "account_login"

# Signing in: django-allauth's flows behind pages of our own (portal/accounts/doors.py, docs/decisions/015-sign-in.md).
ACCOUNT_ADAPTER = "portal.accounts.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_EMAIL_VERIFICATION = "none"  # there is no mail server
ACCOUNT_SESSION_REMEMBER = True  # the session's own age decides
ACCOUNT_REAUTHENTICATION_METHODS = ["password", "mfa"]
ACCOUNT_FORMS = {
    "login": "portal.accounts.door_forms.SignInForm",
    "change_password": "portal.accounts.door_forms.OwnPasswordForm",
    "reauthenticate": "portal.accounts.door_forms.ConfirmForm",
}
# Of a name tried from one address, and of the address; a name alone is never shut. Of codes, five of a person's.
ACCOUNT_RATE_LIMITS = {"login_failed": "20/5m/ip,5/5m/key"}
ALLAUTH_TRUSTED_PROXY_COUNT = int(os.environ.get("PORTICO_PROXIES", "0" if IS_LOCAL else "1"))
MFA_ADAPTER = "portal.accounts.adapters.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RATE_LIMITS = {"webauthn_login": "30/m/ip"}  # asking and answering are one each
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_ALLOW_UNVERIFIED_EMAIL = True  # addresses are not verified, since nothing is sent to them
MFA_TOTP_ISSUER = "Portico"
MFA_TOTP_TOLERANCE = 1  # phones' clocks are half a minute off at times
MFA_FORMS = {
    "authenticate": "portal.accounts.door_forms.CodeForm",
    "reauthenticate": "portal.accounts.door_forms.ConfirmCodeForm",
    "activate_totp": "portal.accounts.door_forms.AddAppForm",
    "add_webauthn": "portal.accounts.door_forms.AddPasskeyForm",
    "login_webauthn": "portal.accounts.door_forms.PasskeySignInForm",
    "authenticate_webauthn": "portal.accounts.door_forms.PasskeyStepForm",
    "reauthenticate_webauthn": "portal.accounts.door_forms.ConfirmPasskeyForm",
    "edit_webauthn": "portal.accounts.door_forms.RenamePasskeyForm",
}

LANGUAGE_CODE = "en-gb"
TIME_ZONE = os.environ.get("TZ") or "UTC"
USE_I18N = False
USE_TZ = True

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "portal" / "static"]
STATIC_ROOT = None if IS_LOCAL else STATE_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if IS_LOCAL
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = IS_LOCAL  # a laptop needs no collectstatic
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024**2
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# No inline script or style anywhere, the console included: docs/decisions/003-console-csp.md.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        # Chromium holds this against redirects, too: the door and "Sign out" lead to managed login.
        "form-action": [SELF, PORTICO_USER_POOL_DOMAIN] if IS_MANAGED_LOGIN else [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

# The console's sidebar. Its look is templates/unfold/layouts/skeleton.html and static/portico/css/console.css.
UNFOLD = {
    "SITE_TITLE": "Portico",
    "SITE_HEADER": "Portico",
    "SIDEBAR": {
        "navigation": [
            {
                "title": "Console",
                "items": [
                    {
                        "title": "Models",
                        "link": reverse_lazy("admin:registry_model_changelist"),
                        "permission": "portal.console.may_see_models",
                        "active": "portal.console.is_about_models",
                    },
                    {
                        "title": "People",
                        "link": reverse_lazy("admin:accounts_user_changelist"),
                        "permission": "portal.console.may_see_people",
                    },
                ],
            },
            {
                "title": "Portal",
                "items": [
                    {"title": "Predict", "link": reverse_lazy("predictions:home")},
                    {"title": "History", "link": reverse_lazy("predictions:history")},
                ],
            },
        ],
    },
}

SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"  # a link from a mail or a chat finds its reader signed in
SESSION_COOKIE_AGE = 12 * 3600  # after the last visit: portal/accounts/sessions.py puts it off
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not IS_LOCAL
SECURE_SSL_REDIRECT = not IS_LOCAL
SECURE_PROXY_SSL_HEADER = None if IS_LOCAL else ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REDIRECT_EXEMPT = [r"^health/$"]
SECURE_HSTS_SECONDS = 0 if IS_LOCAL else 31_536_000

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "portal.logs.make_formatter"}},
    "filters": {"as_warning": {"()": "portal.logs.AsWarning"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "portal": {"level": "INFO"},
        "django.server": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        "django.request": {"level": "CRITICAL"},  # a 404 is not news, and of a 500 portal.error_pages tells
        "django.security.DisallowedHost": {"filters": ["as_warning"]},
    },
}
# Peers whose X-Request-Id is believed. The variable is gunicorn's, which believes their word on the scheme.
REQUEST_IDS_FROM = listed("FORWARDED_ALLOW_IPS")
