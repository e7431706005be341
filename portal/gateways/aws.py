"""One client a service and process, and the translation of botocore's exceptions into ours."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from portal.errors import BackendAway, BackendFault

THROTTLED = {
    "TooManyRequestsException",
    "ThrottlingException",
    "SlowDown",
    "ServiceUnavailable",
    "RequestLimitExceeded",
}

# An invocation must never be repeated by the SDK: a predict that timed out may still be running, and its answer counts.
INVOKE = Config(connect_timeout=5, read_timeout=150, retries={"total_max_attempts": 1})
# What a page shows in passing: rather without it than late.
QUICK = Config(connect_timeout=2, read_timeout=8, retries={"total_max_attempts": 1})
DEFAULT = Config(connect_timeout=5, read_timeout=60, retries={"total_max_attempts": 4, "mode": "standard"})


@functools.cache
def client(service: str) -> Any:
    """A boto3 client; boto3's clients may be shared by threads."""
    make: Any = boto3.client  # typed by one overload a service; here the service is a variable
    return make(service, config=INVOKE if service == "lambda" else DEFAULT)


@functools.cache
def quick_lambda() -> Any:
    """A client for invocations that nobody waits long for."""
    return boto3.client("lambda", config=QUICK)


@functools.cache
def signing_client() -> Any:
    """An S3 client that calls nothing: what it signs is for browsers, at the address that they reach."""
    # In some regions boto3 still signs links by version 2, which only old buckets take.
    config = DEFAULT.merge(Config(signature_version="s3v4"))
    return boto3.client("s3", config=config, endpoint_url=settings.PORTICO_PUBLIC_ENDPOINT_URL or None)


@contextmanager
def aws_errors(doing: str) -> Iterator[None]:
    """Turn botocore's exceptions into gateway errors. `doing` completes "while …", for the log."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        detail = f"{code} while {doing}: {error}"
        if code in THROTTLED or status >= 500:
            raise BackendAway(
                "The prediction service is busy just now. Try again in a moment.", detail=detail
            ) from error
        raise BackendFault("The prediction service refused the portal's request.", detail=detail) from error
    except BotoCoreError as error:
        message = "The prediction service cannot be reached just now. Try again in a moment."
        raise BackendAway(message, detail=f"{type(error).__name__} while {doing}: {error}") from error


def is_error(error: BaseException | None, *codes: str) -> bool:
    """Is this (or its cause) a ClientError with one of these codes?"""
    if isinstance(error, ClientError):
        return error.response.get("Error", {}).get("Code", "") in codes
    return error is not None and is_error(error.__cause__, *codes)
