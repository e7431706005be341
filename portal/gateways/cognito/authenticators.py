"""A person's authenticator app, with an access token of that person's own.

Source: AssociateSoftwareToken, VerifySoftwareToken, SetUserMFAPreference, GetUser of the Cognito user pools API
"""

from __future__ import annotations

import logging

from portal.errors import BadInput, GatewayError, PorticoError, Refused
from portal.gateways.cognito.client import Answers, pool_client, pool_errors
from portal.gateways.cognito.passwords import TOTP, WRONG_TOTP

log = logging.getLogger(__name__)

NO_RIGHT = (
    "The sign-in service does not let this sign-in look after an authenticator app. Sign out, sign in and try again; "
    "if it stays, tell the person who runs this Portico."
)
NONE_TAKEN = "The sign-in service takes no authenticator apps: the person who runs this Portico can allow them."
A_MUST = "The sign-in service did not take the app off: it may ask everybody for one."
NOT_ON = (
    "The code was right, but the app could not be switched on: your password alone opens your account, as before. "
    "Delete the app's entry, and add it anew in a moment."
)


def has_app(access_token: str) -> bool:
    """Is a code asked for after this person's password? Raises: Refused; GatewayError."""
    with pool_errors("looking at a person's second factor", _REFUSED):
        said = pool_client().get_user(AccessToken=access_token)
    return TOTP in said.get("UserMFASettingList", [])


def begin(access_token: str) -> str:
    """A new secret for the app, in base 32. It counts for nothing until `switch_on`. Raises: Refused; GatewayError."""
    with pool_errors("asking for an authenticator's secret", _REFUSED):
        secret: str = pool_client().associate_software_token(AccessToken=access_token)["SecretCode"]
    return secret


def switch_on(access_token: str, code: str) -> None:
    """The code proves that the app has the secret; from the next sign-in on, its codes are asked for.

    These are two calls: where the second one fails, Cognito asks for no code, and another `begin` replaces the secret.

    Raises: BadInput: at "code"; Refused; GatewayError
    """
    wrong = dict.fromkeys(("CodeMismatchException", "EnableSoftwareTokenMFAException"), _wrong)
    with pool_errors("verifying an authenticator", {**_REFUSED, **wrong}):
        said = pool_client().verify_software_token(AccessToken=access_token, UserCode=code)
    if said.get("Status") != "SUCCESS":
        raise _wrong("")
    try:
        _prefer(access_token, is_on=True, answers=_REFUSED)
    except GatewayError as error:
        raise type(error)(NOT_ON, detail=error.detail) from error


def switch_off(access_token: str) -> None:
    """The password alone signs in; it is no error if it did already. Raises: Refused; GatewayError."""
    _prefer(access_token, is_on=False, answers={**_REFUSED, "InvalidParameterException": lambda said: Refused(A_MUST)})


def _prefer(access_token: str, *, is_on: bool, answers: Answers) -> None:
    with pool_errors("switching an authenticator on or off", answers):
        pool_client().set_user_mfa_preference(
            AccessToken=access_token, SoftwareTokenMfaSettings={"Enabled": is_on, "PreferredMfa": is_on}
        )


def _wrong(said: str) -> PorticoError:
    return BadInput(WRONG_TOTP, {"code": WRONG_TOTP})


def _no_right(said: str) -> PorticoError:
    """Most often a token of before the client had the scope: `aws.cognito.signin.user.admin`."""
    log.warning("An access token was refused: %s", said)
    return Refused(NO_RIGHT)


_REFUSED: Answers = {
    **dict.fromkeys(("NotAuthorizedException", "ForbiddenException"), _no_right),
    "SoftwareTokenMFANotFoundException": lambda said: Refused(NONE_TAKEN),
}
