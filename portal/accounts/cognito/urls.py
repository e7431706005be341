"""The pages instead of portal/accounts/doors.py where a user pool signs people in, under the same names.

The password is the pool's affair: there is no page for it.
"""

from django.conf import settings
from django.urls import URLPattern, path

from portal.accounts.cognito.views import authenticator, confirming, leaving, managed, passwords


def pages(*, by_forms: bool) -> list[URLPattern]:
    """The pages of one of the two ways."""
    if by_forms:
        ways = [
            path("sign-in/", passwords.sign_in, name="account_login"),
            path("sign-in/new-password/", passwords.new_password, name="cognito_new_password"),
            path("sign-in/code/", passwords.code, name="cognito_code"),
            path("sign-in/forgotten/", passwords.forgotten, name="cognito_forgotten"),
            path("sign-in/reset/", passwords.reset, name="cognito_reset"),
            path("account/confirm/", confirming.by_password, name="account_reauthenticate"),
            path("account/confirm/code/", confirming.by_code, name="mfa_reauthenticate"),
        ]
    else:
        ways = [
            path("sign-in/", managed.sign_in, name="account_login"),
            # The template names this path to the pool's client.
            path("accounts/oidc/cognito/login/callback/", managed.callback, name="cognito_callback"),
            path("account/confirm/", confirming.by_managed_login, name="account_reauthenticate"),
        ]
    return [
        *ways,
        path("sign-out/", leaving.sign_out, name="account_logout"),
        path("account/", authenticator.account, name="mfa_index"),
        path("account/app/", authenticator.add, name="mfa_activate_totp"),
        path("account/app/remove/", authenticator.remove, name="mfa_deactivate_totp"),
    ]


urlpatterns = pages(by_forms=settings.PORTICO_COGNITO_FORMS)
