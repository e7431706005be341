from django.urls import path

from portal.accounts.views import end_other_sessions, end_session, own_tokens, revoke_token

app_name = "accounts"
urlpatterns = [
    path("account/sessions/<int:pk>/end/", end_session, name="end_session"),
    path("account/sessions/end-others/", end_other_sessions, name="end_other_sessions"),
    path("tokens/", own_tokens, name="tokens"),
    path("tokens/<int:pk>/revoke/", revoke_token, name="revoke_token"),
]
