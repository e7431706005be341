"""A person's authenticator app: added and taken off, and what is told where Cognito refuses."""

from __future__ import annotations

import pytest
from botocore.stub import Stubber

from portal.errors import BackendAway, BackendFault, BadInput, Refused
from portal.gateways.cognito import authenticators, client, passwords
from tests.user_pool import PASSWORD, UserPool, totp

TOKEN = "an-access-token"
ON, OFF = ({"Enabled": is_on, "PreferredMfa": is_on} for is_on in (True, False))


def access_token(pool: UserPool) -> tuple[str, str]:
    address = pool.add()
    return address, pool.tokens(address)["AccessToken"]


def test_app_that_is_switched_on_is_asked_for_at_the_next_sign_in(by_forms: UserPool):
    address, token = access_token(by_forms)
    assert not authenticators.has_app(token)
    secret = authenticators.begin(token)

    authenticators.switch_on(token, totp(secret))

    assert authenticators.has_app(token)
    step = passwords.sign_in(address, PASSWORD)
    assert isinstance(step, passwords.Challenge) and step.name == passwords.TOTP


def test_app_that_is_switched_off_is_asked_for_no_more(by_forms: UserPool):
    address, token = access_token(by_forms)
    by_forms.add_authenticator(address)

    authenticators.switch_off(token)

    assert not authenticators.has_app(token)
    assert not isinstance(passwords.sign_in(address, PASSWORD), passwords.Challenge)


def test_app_with_a_wrong_code_is_told_at_the_field_and_not_switched_on(by_forms: UserPool):
    _, token = access_token(by_forms)
    authenticators.begin(token)

    with pytest.raises(BadInput) as wrong:
        authenticators.switch_on(token, "000000")

    assert wrong.value.fields == {"code": passwords.WRONG_TOTP}
    assert not authenticators.has_app(token)


@pytest.mark.parametrize("said", ["CodeMismatchException", "EnableSoftwareTokenMFAException"])
def test_both_of_cognitos_refusals_of_a_code_are_told_at_the_field(pool_settings, said: str):
    with Stubber(client.pool_client()) as stub:
        stub.add_client_error("verify_software_token", said, "Code mismatch")

        with pytest.raises(BadInput):
            authenticators.switch_on(TOKEN, "123456")


def test_code_that_cognito_answers_with_an_error_status_is_told_at_the_field(pool_settings):
    with Stubber(client.pool_client()) as stub:
        stub.add_response("verify_software_token", {"Status": "ERROR"})

        with pytest.raises(BadInput):
            authenticators.switch_on(TOKEN, "123456")


def test_app_is_preferred_after_its_code_was_right_and_in_this_order(pool_settings):
    with Stubber(client.pool_client()) as stub:
        stub.add_response("verify_software_token", {"Status": "SUCCESS"}, {"AccessToken": TOKEN, "UserCode": "123456"})
        stub.add_response("set_user_mfa_preference", {}, {"AccessToken": TOKEN, "SoftwareTokenMfaSettings": ON})
        stub.add_response("set_user_mfa_preference", {}, {"AccessToken": TOKEN, "SoftwareTokenMfaSettings": OFF})

        authenticators.switch_on(TOKEN, "123456")
        authenticators.switch_off(TOKEN)

        stub.assert_no_pending_responses()


@pytest.mark.parametrize(("status", "error"), [(500, BackendAway), (400, BackendFault)])
def test_app_whose_second_step_fails_is_said_not_to_be_on(pool_settings, status: int, error: type[Exception]):
    with Stubber(client.pool_client()) as stub:
        stub.add_response("verify_software_token", {"Status": "SUCCESS"})
        stub.add_client_error("set_user_mfa_preference", "InternalErrorException", "x", http_status_code=status)

        with pytest.raises(error) as failed:
            authenticators.switch_on(TOKEN, "123456")

    assert failed.value.user_message == authenticators.NOT_ON
    assert "InternalErrorException" in failed.value.detail


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("NotAuthorizedException", authenticators.NO_RIGHT),
        ("ForbiddenException", authenticators.NO_RIGHT),
        ("SoftwareTokenMFANotFoundException", authenticators.NONE_TAKEN),
    ],
)
def test_app_that_may_not_be_added_says_why(pool_settings, said: str, words: str):
    with Stubber(client.pool_client()) as stub:
        stub.add_client_error("associate_software_token", said, "Access Token does not have required scopes")

        with pytest.raises(Refused) as refused:
            authenticators.begin(TOKEN)

    assert refused.value.user_message == words


def test_app_that_the_pool_makes_a_must_is_not_taken_off(pool_settings):
    with Stubber(client.pool_client()) as stub:
        stub.add_client_error("set_user_mfa_preference", "InvalidParameterException", "x")

        with pytest.raises(Refused) as refused:
            authenticators.switch_off(TOKEN)

    assert refused.value.user_message == authenticators.A_MUST
