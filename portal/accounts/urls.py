from django.urls import path

from portal.accounts.views import own_tokens, revoke_token

app_name = "accounts"
urlpatterns = [
    path("tokens/", own_tokens, name="tokens"),
    path("tokens/<int:pk>/revoke/", revoke_token, name="revoke_token"),
]
