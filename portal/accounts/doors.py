"""The pages whose views are allauth's, each under the name by which allauth finds it. No other view of it is there."""

from allauth.account.views import LogoutView
from allauth.mfa.recovery_codes.views import GenerateRecoveryCodesView, ViewRecoveryCodesView
from allauth.mfa.totp.views import DeactivateTOTPView
from allauth.mfa.webauthn.views import EditWebAuthnView, ReauthenticateWebAuthnView, RemoveWebAuthnView
from django.urls import path, reverse_lazy

from portal.accounts import door_views, passkeys
from portal.accounts.views import account

ACCOUNT = reverse_lazy("mfa_index")


def page(template: str, **options: object) -> dict[str, object]:
    return {"template_name": f"accounts/{template}.html", **options}


urlpatterns = [
    path("sign-in/", door_views.SignInView.as_view(), name="account_login"),
    path("sign-in/code/", door_views.SecondStepView.as_view(), name="mfa_authenticate"),
    path("sign-in/passkey/", passkeys.PasskeySignInView.as_view(), name="mfa_login_webauthn"),
    path("sign-out/", LogoutView.as_view(**page("sign_out")), name="account_logout"),
    path("password/", door_views.OwnPasswordView.as_view(), name="account_change_password"),
    path("account/", account, name="mfa_index"),
    path("account/confirm/", door_views.ConfirmView.as_view(), name="account_reauthenticate"),
    path("account/confirm/code/", door_views.ConfirmCodeView.as_view(), name="mfa_reauthenticate"),
    path(
        "account/confirm/passkey/",
        ReauthenticateWebAuthnView.as_view(**page("confirm_passkey")),
        name="mfa_reauthenticate_webauthn",
    ),
    path("account/app/", door_views.AddAppView.as_view(), name="mfa_activate_totp"),
    path("account/app/remove/", DeactivateTOTPView.as_view(**page("app_remove")), name="mfa_deactivate_totp"),
    path("account/codes/", ViewRecoveryCodesView.as_view(**page("codes")), name="mfa_view_recovery_codes"),
    path(
        "account/codes/new/",
        GenerateRecoveryCodesView.as_view(**page("codes_new")),
        name="mfa_generate_recovery_codes",
    ),
    path("account/passkeys/add/", passkeys.AddPasskeyView.as_view(**page("passkey_add")), name="mfa_add_webauthn"),
    path(
        "account/passkeys/<int:pk>/",
        EditWebAuthnView.as_view(**page("passkey", success_url=ACCOUNT)),
        name="mfa_edit_webauthn",
    ),
    path(
        "account/passkeys/<int:pk>/remove/",
        RemoveWebAuthnView.as_view(**page("passkey_remove", success_url=ACCOUNT)),
        name="mfa_remove_webauthn",
    ),
]
