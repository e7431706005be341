"""Signing in by a password through the public client, the questions that may follow, a forgotten password.

Whether somebody has an account is never told: an unknown person and a wrong password, or a code for either, get the
same words, also from pools that are set up to tell.
Source: InitiateAuth, RespondToAuthChallenge, ForgotPassword, ConfirmForgotPassword of the Cognito user pools API
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from portal.errors import BackendFault, BadInput, NotLetIn, PorticoError, TooOften
from portal.gateways.cognito.client import FAULT, TOO_OFTEN, Answers, pool_client, pool_errors
from portal.gateways.cognito.tokens import Tokens

NEW_PASSWORD, TOTP = "NEW_PASSWORD_REQUIRED", "SOFTWARE_TOKEN_MFA"  # noqa: S105 -- Cognito's names of its questions

NO_MATCH = (
    "That address and password do not belong together, or the account is switched off. Passwords are case-sensitive."
)
TEMPORARY_EXPIRED = (
    "The password that you were sent is too old. Ask the person who runs this Portico to send you another."
)
RESET_FIRST = "Your password has to be set anew: ask for a code, then choose one."
BEGIN_AGAIN = "That took too long. Sign in again from the beginning."
UNKNOWN_STEP = (
    "Your account asks for a step that this page does not know ({name}). Tell the person who runs this Portico."
)
WRONG_CODE = "This code is wrong or no longer good. Look again, or ask for a new one."
WRONG_TOTP = "This code is wrong, or was good a moment ago. Wait for the next one, and try again."
USED_BEFORE = "You had this password before. Choose another."

# As Cognito says what a password lacks, and as we do.
_LACKS = {
    "long": "is too short",
    "length": "is too short",
    "uppercase": "has no capital letter",
    "lowercase": "has no small letter",
    "numeric": "has no digit",
    "symbol": "has none of the characters that are neither letter nor digit",
    "whitespace": "begins or ends with a blank",
}


class ResetRequired(NotLetIn):
    """An administrator had the password reset; the next step is the one of a forgotten password."""


class ChallengeOver(NotLetIn):
    """The question was asked too long ago."""


@dataclass(frozen=True, repr=False)
class Challenge:
    """What Cognito asks before it gives tokens.

    Attributes:
        name: NEW_PASSWORD or TOTP
        session: Cognito's own note of how far this sign-in is; worth a password, and good for minutes
        username: as Cognito wants it in the answer
    """

    name: str
    session: str
    username: str


def sign_in(username: str, password: str) -> Tokens | Challenge:
    """Tokens, or what is asked first.

    Raises: NotLetIn: wrong, unknown, switched off; ResetRequired; TooOften; GatewayError
    """
    refused = dict.fromkeys(("UserNotFoundException", "UserNotConfirmedException"), _no_match)
    answers: Answers = {**refused, "NotAuthorizedException": _not_authorized, "PasswordResetRequiredException": _reset}
    with pool_errors("signing in by a password", answers):
        said = pool_client().initiate_auth(
            ClientId=settings.PORTICO_USER_POOL_PUBLIC_CLIENT_ID,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": username, "PASSWORD": password},
        )
    return _next_step(said, username)


def choose_password(challenge: Challenge, password: str) -> Tokens | Challenge:
    """A password of the person's own instead of the temporary one.

    Raises: BadInput: the pool's rules, at "password"; ChallengeOver; TooOften; GatewayError
    """
    answers: Answers = {"NotAuthorizedException": _over, "ExpiredCodeException": _over, **_PASSWORD_ANSWERS}
    return _respond(challenge, {"NEW_PASSWORD": password}, answers)


def answer_totp(challenge: Challenge, code: str) -> Tokens | Challenge:
    """The six digits of the person's authenticator.

    Raises: BadInput: at "code"; ChallengeOver; TooOften; GatewayError
    """
    wrong = dict.fromkeys(("CodeMismatchException", "EnableSoftwareTokenMFAException"), _wrong_totp)
    answers: Answers = {**wrong, "NotAuthorizedException": _over, "ExpiredCodeException": _over}
    return _respond(challenge, {"SOFTWARE_TOKEN_MFA_CODE": code}, answers)


def send_code(username: str) -> None:
    """Have a code sent, if there is somebody of this name who may have one: nobody learns whether there is.

    Raises: TooOften; GatewayError
    """
    silent = (
        "UserNotFoundException",
        "UserNotConfirmedException",
        "NotAuthorizedException",
        "InvalidParameterException",
    )
    answers: Answers = dict.fromkeys(silent, lambda said: _Silent(said))
    try:
        with pool_errors("sending a code", answers):
            pool_client().forgot_password(ClientId=settings.PORTICO_USER_POOL_PUBLIC_CLIENT_ID, Username=username)
    except _Silent:
        return


def set_password(username: str, *, code: str, password: str) -> None:
    """A new password for the code that was sent.

    Raises: BadInput: at "code" or "password"; TooOften; GatewayError
    """
    wrong = (
        "CodeMismatchException",
        "ExpiredCodeException",
        "UserNotFoundException",
        "UserNotConfirmedException",
        "NotAuthorizedException",
    )
    answers: Answers = {**dict.fromkeys(wrong, _wrong_code), **_PASSWORD_ANSWERS}
    with pool_errors("setting a password by a code", answers):
        pool_client().confirm_forgot_password(
            ClientId=settings.PORTICO_USER_POOL_PUBLIC_CLIENT_ID,
            Username=username,
            ConfirmationCode=code,
            Password=password,
        )


def what_it_lacks(said: str) -> str:
    """Cognito's complaint about a password, in a sentence of ours."""
    lacks = list(dict.fromkeys(words for sign, words in _LACKS.items() if sign in said.lower()))
    if not lacks:
        return "The rules for passwords do not allow this one. Choose another."
    *most, last = lacks
    return f"Choose another password: it {' and '.join(part for part in (', '.join(most), last) if part)}."


def _respond(challenge: Challenge, responses: Mapping[str, str], answers: Answers) -> Tokens | Challenge:
    with pool_errors(f"answering {challenge.name}", answers):
        said = pool_client().respond_to_auth_challenge(
            ClientId=settings.PORTICO_USER_POOL_PUBLIC_CLIENT_ID,
            ChallengeName=challenge.name,
            Session=challenge.session,
            ChallengeResponses={"USERNAME": challenge.username, **responses},
        )
    return _next_step(said, challenge.username)


def _next_step(said: Mapping[str, Any], username: str) -> Tokens | Challenge:
    if "AuthenticationResult" in said:
        given = said["AuthenticationResult"]
        return Tokens(settings.PORTICO_USER_POOL_PUBLIC_CLIENT_ID, given["IdToken"], given.get("RefreshToken", ""))
    name = said.get("ChallengeName", "")
    if name not in (NEW_PASSWORD, TOTP):
        raise BackendFault(UNKNOWN_STEP.format(name=name), detail=f"The pool asks for {name}, which has no form here.")
    # The pool may know the person by another name than the one that was typed.
    asked = said.get("ChallengeParameters", {}).get("USER_ID_FOR_SRP", username)
    return Challenge(name, said["Session"], asked)


class _Silent(NotLetIn):
    """There is nobody to send a code to."""


def _no_match(said: str) -> PorticoError:
    return NotLetIn(NO_MATCH)


def _not_authorized(said: str) -> PorticoError:
    """Cognito has one code for these, and tells them apart by its sentence alone."""
    if "attempts exceeded" in said.lower():
        return TooOften(TOO_OFTEN)
    if "temporary password has expired" in said.lower():
        return NotLetIn(TEMPORARY_EXPIRED)
    return NotLetIn(NO_MATCH)


def _reset(said: str) -> PorticoError:
    return ResetRequired(RESET_FIRST)


def _over(said: str) -> PorticoError:
    return TooOften(TOO_OFTEN) if "attempts exceeded" in said.lower() else ChallengeOver(BEGIN_AGAIN)


def _wrong_code(said: str) -> PorticoError:
    return BadInput(WRONG_CODE, {"code": WRONG_CODE})


def _wrong_totp(said: str) -> PorticoError:
    return BadInput(WRONG_TOTP, {"code": WRONG_TOTP})


def _bad_password(said: str) -> PorticoError:
    return BadInput(what_it_lacks(said), {"password": what_it_lacks(said)})


def _bad_parameter(said: str) -> PorticoError:
    """Blanks at its ends are against the form of a password, not against the pool's rules for one."""
    return _bad_password(said) if "password" in said.lower() else BackendFault(FAULT, detail=said)


_PASSWORD_ANSWERS: Answers = {
    "InvalidParameterException": _bad_parameter,
    "InvalidPasswordException": _bad_password,
    "PasswordHistoryPolicyViolationException": lambda said: BadInput(USED_BEFORE, {"password": USED_BEFORE}),
}
