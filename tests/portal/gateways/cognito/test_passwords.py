"""Signing in by a password: what Cognito answers, in our words; and nobody learns who has an account."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError
from botocore.stub import Stubber

from portal.errors import BackendAway, BackendFault, BadInput, NotLetIn, TooOften
from portal.gateways.cognito import client, passwords
from portal.gateways.cognito.passwords import NEW_PASSWORD, TOTP, Challenge, ChallengeOver, ResetRequired
from portal.gateways.cognito.tokens import Tokens
from tests.user_pool import BETTER, CODE, PASSWORD, TEMPORARY, UserPool, totp

CHALLENGE = Challenge(NEW_PASSWORD, "s" * 20, "ada")


@pytest.fixture
def stub(pool_settings: Any) -> Iterator[Stubber]:
    """Cognito, answering what a test says, as its service model allows."""
    with Stubber(client.pool_client()) as stubbed:
        yield stubbed
        stubbed.assert_no_pending_responses()


def test_sign_in_by_the_right_password_gives_tokens_of_the_public_client(by_forms: UserPool):
    step = passwords.sign_in(by_forms.add(), PASSWORD)

    assert isinstance(step, Tokens)
    assert step.client_id == by_forms.public_client_id
    assert step.id_token and step.refresh_token


def test_sign_in_by_a_wrong_password_and_of_nobody_is_refused_in_the_same_words(by_forms: UserPool):
    said = []
    for name in (by_forms.add(), "nobody@example.org"):
        with pytest.raises(NotLetIn) as refused:
            passwords.sign_in(name, "wrong")
        said.append(refused.value.user_message)

    assert said == [passwords.NO_MATCH] * 2


def test_sign_in_by_a_temporary_password_asks_for_another_and_then_gives_tokens(by_forms: UserPool):
    address = by_forms.add(is_new=True)

    step = passwords.sign_in(address, TEMPORARY)
    assert isinstance(step, Challenge) and step.name == NEW_PASSWORD
    after = passwords.choose_password(step, BETTER)

    assert isinstance(after, Tokens)
    assert isinstance(passwords.sign_in(address, BETTER), Tokens)


def test_sign_in_with_an_authenticator_asks_for_its_code(by_forms: UserPool):
    address = by_forms.add()
    secret = by_forms.add_authenticator(address)

    step = passwords.sign_in(address, PASSWORD)
    assert isinstance(step, Challenge) and step.name == TOTP
    with pytest.raises(BadInput) as wrong:
        passwords.answer_totp(step, "000000" if totp(secret) != "000000" else "111111")

    assert wrong.value.fields == {"code": passwords.WRONG_TOTP}
    assert isinstance(passwords.answer_totp(step, totp(secret)), Tokens)


def test_password_set_by_the_code_that_was_sent_signs_in(by_forms: UserPool):
    address = by_forms.add()

    passwords.send_code(address)
    passwords.set_password(address, code=CODE, password=BETTER)

    assert isinstance(passwords.sign_in(address, BETTER), Tokens)


@pytest.mark.parametrize("has_account", [True, False])
def test_password_set_by_a_wrong_code_is_refused_whoever_is_asked_for(by_forms: UserPool, has_account: bool):
    address = by_forms.add() if has_account else "nobody@example.org"
    passwords.send_code(address)

    with pytest.raises(BadInput) as refused:
        passwords.set_password(address, code="000000", password=BETTER)

    assert refused.value.fields == {"code": passwords.WRONG_CODE}


def test_password_that_the_pools_rules_refuse_is_told_at_its_field(by_forms: UserPool):
    address = by_forms.add()
    passwords.send_code(address)

    with pytest.raises(BadInput) as refused:
        passwords.set_password(address, code=CODE, password="short")

    assert refused.value.fields == {
        "password": "Choose another password: it is too short, has no capital letter and has no digit."
    }


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Password did not conform with policy: Password not long enough", "it is too short."),
        ("Password did not conform with policy: Password must have symbol characters", "neither letter nor digit"),
        ("Password did not conform with policy: Password must have lowercase characters", "no small letter"),
        ("Provided password cannot be used for security reasons.", "do not allow this one"),
    ],
)
def test_complaint_about_a_password_is_said_in_a_sentence(said: str, told: str):
    assert told in passwords.what_it_lacks(said)


@pytest.mark.parametrize(
    ("code", "message", "error", "told"),
    [
        ("NotAuthorizedException", "Incorrect username or password.", NotLetIn, passwords.NO_MATCH),
        ("NotAuthorizedException", "User is disabled.", NotLetIn, passwords.NO_MATCH),
        ("UserNotFoundException", "User does not exist.", NotLetIn, passwords.NO_MATCH),
        ("UserNotConfirmedException", "User is not confirmed.", NotLetIn, passwords.NO_MATCH),
        ("NotAuthorizedException", "Password attempts exceeded", TooOften, client.TOO_OFTEN),
        ("TooManyRequestsException", "Rate exceeded", TooOften, client.TOO_OFTEN),
        (
            "NotAuthorizedException",
            "Temporary password has expired and must be reset by an administrator.",
            NotLetIn,
            passwords.TEMPORARY_EXPIRED,
        ),
        (
            "PasswordResetRequiredException",
            "Password reset required for the user",
            ResetRequired,
            passwords.RESET_FIRST,
        ),
        ("InternalErrorException", "oops", BackendFault, client.FAULT),
        ("ResourceNotFoundException", "User pool client x does not exist.", BackendFault, client.FAULT),
    ],
)
def test_sign_in_that_cognito_refuses_is_told_in_plain_words(stub: Stubber, code, message, error, told: str):
    stub.add_client_error("initiate_auth", code, message)

    with pytest.raises(error) as refused:
        passwords.sign_in("ada", "x")

    assert refused.value.user_message == told


def test_sign_in_while_cognito_fails_may_be_tried_again(stub: Stubber):
    stub.add_client_error("initiate_auth", "InternalErrorException", "oops", http_status_code=500)

    with pytest.raises(BackendAway):
        passwords.sign_in("ada", "x")


def test_sign_in_while_cognito_cannot_be_reached_may_be_tried_again(pool_settings, monkeypatch):
    def initiate_auth(**asked: Any) -> None:
        raise ConnectTimeoutError(endpoint_url="https://x")

    monkeypatch.setattr(client.pool_client(), "initiate_auth", initiate_auth)

    with pytest.raises(BackendAway):
        passwords.sign_in("ada", "x")


def test_sign_in_that_asks_for_a_step_without_a_form_says_which(stub: Stubber):
    stub.add_response("initiate_auth", {"ChallengeName": "SMS_MFA", "Session": "s" * 20, "ChallengeParameters": {}})

    with pytest.raises(BackendFault, match="SMS_MFA"):
        passwords.sign_in("ada", "x")


def test_challenge_is_answered_under_the_name_that_the_pool_knows(stub: Stubber):
    parameters = {"USER_ID_FOR_SRP": "0a-1b"}
    asked = {"ChallengeName": NEW_PASSWORD, "Session": "s" * 20, "ChallengeParameters": parameters}
    stub.add_response("initiate_auth", asked)
    stub.add_response(
        "respond_to_auth_challenge",
        {"AuthenticationResult": {"IdToken": "i", "RefreshToken": "r"}},
        {
            "ClientId": "the-public-client",
            "ChallengeName": NEW_PASSWORD,
            "Session": "s" * 20,
            "ChallengeResponses": {"USERNAME": "0a-1b", "NEW_PASSWORD": BETTER},
        },
    )

    step = passwords.sign_in("ada@example.org", "x")
    assert isinstance(step, Challenge)

    assert passwords.choose_password(step, BETTER) == Tokens("the-public-client", "i", "r")


@pytest.mark.parametrize(
    ("code", "message", "error"),
    [
        ("NotAuthorizedException", "Invalid session for the user, session is expired.", ChallengeOver),
        ("NotAuthorizedException", "Password attempts exceeded", TooOften),
        ("InvalidPasswordException", "Password did not conform with policy: Password not long enough", BadInput),
        ("PasswordHistoryPolicyViolationException", "Password has previously been used.", BadInput),
        ("InvalidParameterException", "Value at 'password' failed to satisfy constraint", BadInput),
        ("InvalidParameterException", "Attributes did not conform to the schema", BackendFault),
    ],
)
def test_answer_to_a_challenge_that_is_refused_is_told_in_plain_words(stub: Stubber, code, message, error):
    stub.add_client_error("respond_to_auth_challenge", code, message)

    with pytest.raises(error):
        passwords.choose_password(CHALLENGE, "x")


@pytest.mark.parametrize(
    "code",
    ["UserNotFoundException", "NotAuthorizedException", "InvalidParameterException", "UserNotConfirmedException"],
)
def test_code_that_cannot_be_sent_to_somebody_is_told_to_nobody(stub: Stubber, code: str):
    stub.add_client_error("forgot_password", code, "There is nobody, or no address.")

    passwords.send_code("nobody@example.org")


@pytest.mark.parametrize(
    ("code", "error"), [("LimitExceededException", TooOften), ("CodeDeliveryFailureException", BackendAway)]
)
def test_code_that_is_asked_for_too_often_or_not_delivered_is_told(stub: Stubber, code: str, error):
    stub.add_client_error("forgot_password", code, "Attempt limit exceeded, please try after some time.")

    with pytest.raises(error):
        passwords.send_code("ada@example.org")


@pytest.mark.parametrize("code", ["CodeMismatchException", "ExpiredCodeException", "UserNotFoundException"])
def test_code_that_is_wrong_old_or_nobodys_gets_the_same_words(stub: Stubber, code: str):
    stub.add_client_error("confirm_forgot_password", code, "x")

    with pytest.raises(BadInput, match="wrong or no longer good"):
        passwords.set_password("ada", code="1", password=BETTER)


def test_code_that_is_guessed_at_too_often_is_told(stub: Stubber):
    stub.add_client_error("confirm_forgot_password", "TooManyFailedAttemptsException", "x")

    with pytest.raises(TooOften):
        passwords.set_password("ada", code="1", password=BETTER)


def test_password_and_notes_of_cognito_are_in_no_repr():
    assert "s" * 20 not in repr(CHALLENGE)
    assert "secret" not in repr(Tokens("c", "secret-id", "secret-refresh"))
