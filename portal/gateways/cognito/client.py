"""Where the pool is, and what it answers in our words."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3
import requests
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from portal.errors import BackendAway, BackendFault, PorticoError, TooOften

# A person waits for each of these. None is repeated: a password that was counted as wrong twice locks twice as fast.
CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 2, 6
TIMEOUTS_S = (CONNECT_TIMEOUT_S, READ_TIMEOUT_S)
AWAY = "The sign-in service cannot be reached just now. Try again in a moment."
FAULT = "The sign-in service refused the portal's request."
TOO_OFTEN = "There were too many attempts. Wait a few minutes, up to a quarter of an hour, and try again."
NOT_SENT = "The code could not be sent just now. Try again in a moment."

Answers = Mapping[str, Callable[[str], PorticoError]]
_COMMON: Answers = {
    **dict.fromkeys(
        ("TooManyRequestsException", "LimitExceededException", "TooManyFailedAttemptsException"),
        lambda said: TooOften(TOO_OFTEN),
    ),
    "CodeDeliveryFailureException": lambda said: BackendAway(NOT_SENT, detail=said),
}


@functools.cache
def pool_client(*, is_signed: bool = False) -> Any:
    """The client of these calls. What people ask is never signed, what the portal asks of its own is, by its role.

    The pool's id begins with its region.
    """
    make: Any = boto3.client  # typed by one overload a service, and this one's types are not installed
    config = Config(
        signature_version=None if is_signed else UNSIGNED,
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=READ_TIMEOUT_S,
        retries={"total_max_attempts": 1},
    )
    return make("cognito-idp", region_name=settings.PORTICO_USER_POOL_ID.partition("_")[0], config=config)


@functools.cache
def metadata() -> Mapping[str, Any]:
    """The pool's own description, asked for once a process. On AWS its address begins with the issuer.

    Raises: BackendAway; BackendFault: it describes another issuer than the configured one
    Source: OpenID Connect Discovery 1.0, section 4
    """
    address = f"{pool_client().meta.endpoint_url}/{settings.PORTICO_USER_POOL_ID}/.well-known/openid-configuration"
    with web_errors("reading the pool's metadata"):
        answer = requests.get(address, timeout=TIMEOUTS_S, allow_redirects=False)
        if answer.status_code != requests.codes.ok:
            raise BackendFault(FAULT, detail=f"{address} answered {answer.status_code}")
        said: Mapping[str, Any] = answer.json()
    if said.get("issuer") != settings.PORTICO_USER_POOL_ISSUER:
        raise BackendFault(
            FAULT, detail=f"PORTICO_USER_POOL_ISSUER is not the issuer that {address} names: {said.get('issuer')}"
        )
    return said


def secret_of(client_id: str) -> dict[str, str]:
    """What a call about tokens has to bring along: the secret, where the client has one."""
    is_confidential = client_id == settings.PORTICO_USER_POOL_CLIENT_ID
    return {"ClientSecret": settings.PORTICO_USER_POOL_CLIENT_SECRET} if is_confidential else {}


@contextmanager
def pool_errors(doing: str, answers: Answers) -> Iterator[None]:
    """Turn botocore's exceptions into ours.

    Args:
        doing: completes "while …", for the log
        answers: for codes that mean something to the person, what they mean; called with Cognito's own message
    """
    try:
        yield
    except ClientError as error:
        said = error.response.get("Error", {})
        code, status = said.get("Code", ""), error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        answer = {**_COMMON, **answers}.get(code)
        if answer is not None:
            raise answer(said.get("Message", "")) from error
        detail = f"{code} while {doing}: {error}"
        if status >= requests.codes.server_error:
            raise BackendAway(AWAY, detail=detail) from error
        raise BackendFault(FAULT, detail=detail) from error
    except BotoCoreError as error:
        raise BackendAway(AWAY, detail=f"{type(error).__name__} while {doing}: {error}") from error


@contextmanager
def web_errors(doing: str) -> Iterator[None]:
    """The same for what is no call of the SDK."""
    try:
        yield
    except requests.JSONDecodeError as error:
        raise BackendFault(FAULT, detail=f"No JSON while {doing}: {error}") from error
    except requests.RequestException as error:
        raise BackendAway(AWAY, detail=f"{type(error).__name__} while {doing}: {error}") from error
