from django.contrib.auth import views
from django.urls import path, reverse_lazy

from portal.accounts.views import own_tokens, revoke_token

app_name = "accounts"
urlpatterns = [
    path(
        "sign-in/",
        views.LoginView.as_view(template_name="accounts/sign_in.html", redirect_authenticated_user=True),
        name="sign_in",
    ),
    path("sign-out/", views.LogoutView.as_view(), name="sign_out"),
    path(
        "password/",
        views.PasswordChangeView.as_view(
            template_name="accounts/password.html", success_url=reverse_lazy("accounts:password_changed")
        ),
        name="password",
    ),
    path(
        "password/changed/",
        views.PasswordChangeDoneView.as_view(template_name="accounts/password_changed.html"),
        name="password_changed",
    ),
    path("tokens/", own_tokens, name="tokens"),
    path("tokens/<int:pk>/revoke/", revoke_token, name="revoke_token"),
]
