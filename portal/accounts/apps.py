from django.apps import AppConfig
from django.core import checks


class AccountsConfig(AppConfig):
    name = "portal.accounts"
    verbose_name = "People"

    def ready(self) -> None:
        from portal.accounts.cognito.checks import TAG, check_user_pool  # its settings are read by now

        checks.register(check_user_pool, TAG)
