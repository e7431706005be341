"""The pages whose views are allauth's, each under the name by which allauth finds it. No other view of it is there."""

from allauth.account.views import LoginView, LogoutView, PasswordChangeView, ReauthenticateView
from django.urls import path

urlpatterns = [
    path("sign-in/", LoginView.as_view(template_name="accounts/sign_in.html"), name="account_login"),
    path("sign-out/", LogoutView.as_view(template_name="accounts/sign_out.html"), name="account_logout"),
    path(
        "password/",
        PasswordChangeView.as_view(template_name="accounts/password.html"),
        name="account_change_password",
    ),
    path(
        "account/confirm/",
        ReauthenticateView.as_view(template_name="accounts/confirm.html"),
        name="account_reauthenticate",
    ),
]
