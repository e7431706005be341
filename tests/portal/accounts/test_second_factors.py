"""The second step: app, recovery codes, how they come and go, and that the console stands behind it."""

import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.admin.models import LogEntry
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from portal.accounts import roles
from portal.accounts.models import User
from tests.portal.accounts.codes import code_now
from tests.portal.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    return make_user("ada")


@pytest.fixture
def secret(ada: User) -> str:
    """Of Ada's app."""
    made = generate_totp_secret()
    TOTP.activate(ada, made)
    return made


def give_password(client: Client, name: str = "ada", **more: str):
    return client.post(reverse("account_login"), {"username": name, "password": f"{name}-password", **more})


def confirm(client: Client, name: str = "ada") -> None:
    client.post(reverse("account_reauthenticate"), {"password": f"{name}-password"})


def is_in(client: Client) -> bool:
    return client.get("/").status_code == 200


def add_app(client: Client) -> tuple[str, list[str]]:
    """As a person does. Returns: the app's secret, and the recovery codes."""
    page = client.get(reverse("mfa_activate_totp")).content.decode()
    secret = re.search(r'class="secret">([A-Z2-7]+)<', page)[1]
    shown = client.post(reverse("mfa_activate_totp"), {"code": code_now(secret)}, follow=True)
    return secret, re.findall(r"<code>(\d{8})</code>", shown.content.decode())


def test_password_of_somebody_with_an_app_opens_nothing_yet(client: Client, secret: str):
    answer = give_password(client)

    assert answer["Location"] == reverse("mfa_authenticate")
    assert not is_in(client)


def test_code_of_the_app_after_the_password_opens_the_page_that_was_asked_for(client: Client, secret: str):
    give_password(client, next="/history/")

    answer = client.post(reverse("mfa_authenticate"), {"code": code_now(secret)})

    assert answer["Location"] == "/history/"
    assert is_in(client)


def test_code_without_a_password_before_leads_to_the_sign_in(client: Client, secret: str):
    answer = client.post(reverse("mfa_authenticate"), {"code": code_now(secret)})

    assert answer["Location"] == reverse("account_login")


def test_code_that_was_used_is_refused(secret: str):
    code, second = code_now(secret), Client()
    for client in (Client(), second):
        give_password(client)
        client.post(reverse("mfa_authenticate"), {"code": code})

    assert not is_in(second)


def test_wrong_code_is_refused_in_words(client: Client, secret: str):
    give_password(client)

    answer = client.post(reverse("mfa_authenticate"), {"code": code_now(secret, steps=100)})

    assert b"That is not the code" in answer.content
    assert not is_in(client)


def test_start_again_forgets_the_password_given(client: Client, secret: str):
    give_password(client)

    client.post(reverse("account_logout"))

    assert client.get(reverse("account_login")).status_code == 200


@pytest.mark.parametrize(
    "name",
    [
        "mfa_activate_totp", "mfa_deactivate_totp", "mfa_view_recovery_codes", "mfa_generate_recovery_codes",
        "mfa_add_webauthn",
    ],
)  # fmt: skip
def test_page_about_second_factors_asks_for_the_password_again(client: Client, ada: User, name: str):
    client.force_login(ada)
    if name != "mfa_activate_totp":
        TOTP.activate(ada, generate_totp_secret())
        Authenticator.objects.create(user=ada, type="recovery_codes", data={"seed": "x", "used_mask": 0})

    answer = client.get(reverse(name))

    assert answer["Location"].startswith(reverse("account_reauthenticate"))


def test_app_added_with_its_first_code_shows_ten_recovery_codes_once(client: Client, ada: User):
    client.force_login(ada)
    confirm(client)

    _, codes = add_app(client)

    assert len(set(codes)) == 10
    assert re.findall(rb"\d{8}", client.get(reverse("mfa_view_recovery_codes")).content) == []


def test_app_with_a_wrong_first_code_is_not_added(client: Client, ada: User):
    client.force_login(ada)
    confirm(client)
    client.get(reverse("mfa_activate_totp"))

    client.post(reverse("mfa_activate_totp"), {"code": "000000"})

    assert not Authenticator.objects.exists()


def test_secret_of_an_app_lies_encrypted_in_the_database(ada: User, secret: str):
    assert secret not in str(Authenticator.objects.get().data)


def test_app_made_under_another_secret_of_the_portal_takes_no_code(client: Client, secret: str, settings):
    settings.SECRET_KEY = "another one, of which nothing is known here"
    give_password(client)

    answer = client.post(reverse("mfa_authenticate"), {"code": code_now(secret)})

    assert answer.status_code == 200
    assert not is_in(client)


def test_recovery_code_opens_the_account_once(client: Client, ada: User):
    client.force_login(ada)
    confirm(client)
    _, codes = add_app(client)
    visitors = [Client(), Client()]

    for visitor in visitors:
        give_password(visitor)
        visitor.post(reverse("mfa_authenticate"), {"code": codes[0]})

    assert [is_in(visitor) for visitor in visitors] == [True, False]


def test_new_recovery_codes_make_the_old_ones_worthless(client: Client, ada: User):
    client.force_login(ada)
    confirm(client)
    _, old = add_app(client)

    shown = client.post(reverse("mfa_generate_recovery_codes"), follow=True).content.decode()

    new = re.findall(r"<code>(\d{8})</code>", shown)
    assert len(new) == 10 and not set(new) & set(old)


def test_app_removed_leaves_the_password_alone(client: Client, ada: User, secret: str):
    client.force_login(ada)
    confirm(client)

    client.post(reverse("mfa_deactivate_totp"))

    assert give_password(Client())["Location"] == "/"
    assert not Authenticator.objects.exists()


def test_code_confirms_in_the_passwords_place(client: Client, ada: User, secret: str):
    client.force_login(ada)

    client.post(reverse("mfa_reauthenticate"), {"code": code_now(secret)})

    assert client.get(reverse("mfa_deactivate_totp")).status_code == 200


def test_console_stands_behind_the_second_step(client: Client):
    olga = make_user("olga", roles.ADMIN)
    TOTP.activate(olga, generate_totp_secret())

    login = client.get("/admin/login/?next=/admin/accounts/user/")
    give_password(client, "olga", next="/admin/accounts/user/")
    posted = client.post("/admin/login/", {"username": "olga", "password": "olga-password"})

    assert login["Location"].startswith(reverse("account_login"))
    assert posted["Location"].startswith(reverse("account_login"))
    assert client.get("/admin/accounts/user/").status_code == 302


@pytest.mark.parametrize(
    "kind", ["mfa/authenticator", "usersessions/usersession", "account/emailaddress", "socialaccount/socialtoken"]
)
def test_console_shows_nobody_secrets_and_sessions(client: Client, kind: str):
    client.force_login(User.objects.create_superuser("root", password="root-password"))

    assert client.get(f"/admin/{kind}/").status_code == 404


def test_reset_in_the_console_takes_all_of_it_away_and_is_written_down(
    client: Client, ada: User, secret: str, caplog: pytest.LogCaptureFixture
):
    anna = make_user("anna", roles.ADMIN)
    client.force_login(anna)
    address = reverse("admin:accounts_user_second_factors", args=[ada.pk])
    page = client.get(address).content

    client.post(address)

    assert b"an authenticator app" in page
    assert give_password(Client())["Location"] == "/"
    assert "The second factors of ada were reset by anna." in caplog.messages
    assert LogEntry.objects.get().get_change_message() == "Reset the second factors."


def test_reset_of_ones_own_in_the_console_is_forbidden(client: Client):
    anna = make_user("anna", roles.ADMIN)
    client.force_login(anna)

    assert client.post(reverse("admin:accounts_user_second_factors", args=[anna.pk])).status_code == 403


@pytest.mark.parametrize("role", [roles.PREDICTOR, roles.MODEL_OWNER])
def test_reset_by_somebody_who_manages_nobody_is_refused(client: Client, ada: User, secret: str, role: str):
    client.force_login(make_user("carl", role))

    client.post(reverse("admin:accounts_user_second_factors", args=[ada.pk]))

    assert Authenticator.objects.filter(user=ada).exists()


def test_reset_of_a_superusers_by_an_admin_is_forbidden(client: Client):
    root = User.objects.create_superuser("root", password="root-password")
    TOTP.activate(root, generate_totp_secret())
    client.force_login(make_user("anna", roles.ADMIN))

    assert client.post(reverse("admin:accounts_user_second_factors", args=[root.pk])).status_code == 403
    assert Authenticator.objects.exists()


def test_reset_at_the_command_line_takes_all_of_it_away(ada: User, secret: str, capsys: pytest.CaptureFixture[str]):
    call_command("reset_second_factors", "ada")

    assert not Authenticator.objects.exists()
    assert "ada signs in by password alone now." in capsys.readouterr().out


def test_reset_at_the_command_line_of_nobody_fails():
    with pytest.raises(CommandError, match="Nobody has the username “eve”"):
        call_command("reset_second_factors", "eve")
