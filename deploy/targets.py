"""Where a stack can live, and everything in which the places differ."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.session import Session as BotocoreSession

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client

REGION = "us-east-1"

# The emulator takes any credentials; these keep the SDKs from looking for a person's real ones.
EMULATOR_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
}


@dataclass(frozen=True)
class Target:
    """One place for one stack.

    Attributes:
        environment: the template's Environment parameter; names the stack and what is in it
        endpoint_url: where the place answers
        start_command: what to do when nothing answers there
        parameters: template parameters that the place decides
        poll_s: seconds between two questions to CloudFormation
    """

    name: str
    environment: str
    endpoint_url: str
    start_command: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    poll_s: float = 0.1

    @property
    def stack_name(self) -> str:
        return f"portico-{self.environment}"

    @property
    def code_bucket(self) -> str:
        """Holds the functions' packages; made by `up` and removed by `down`, for the stack cannot start without it."""
        return f"{self.stack_name}-code"

    @cached_property
    def cloudformation(self) -> CloudFormationClient:
        return self._session.client("cloudformation", endpoint_url=self.endpoint_url, config=_CONFIG)

    @cached_property
    def s3(self) -> S3Client:
        return self._session.client("s3", endpoint_url=self.endpoint_url, config=_CONFIG)

    @cached_property
    def functions(self) -> LambdaClient:
        return self._session.client("lambda", endpoint_url=self.endpoint_url, config=_CONFIG)

    def api_url(self, url: str) -> str:
        """Where the REST API of the stack's output `url` really answers here.

        The template can only say AWS's address; the emulator serves the same API under a path of its own.
        """
        host, path = urlsplit(url).netloc, urlsplit(url).path
        api = re.match(r"[a-z0-9]+(?=\.execute-api\.)", host)
        if api is None:
            return url.rstrip("/")
        return f"{self.endpoint_url}/restapis/{api.group(0)}/{path.strip('/')}/_user_request_"

    @cached_property
    def _session(self) -> boto3.Session:
        return boto3.Session(
            botocore_session=BotocoreSession(session_vars=_NO_PERSONAL_SETTINGS),
            aws_access_key_id=EMULATOR_CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=EMULATOR_CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            region_name=REGION,
        )


# An AWS_PROFILE or a settings file of the person's must not decide anything about the emulator.
_NO_PERSONAL_SETTINGS: Any = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}
_CONFIG = Config(
    proxies={},
    connect_timeout=5,
    read_timeout=60,
    retries={"total_max_attempts": 2},
    s3={"addressing_style": "path"},
)


# Each part of a batch runs in a process of its own, with scikit-learn in memory: no more of them than processors.
_PARTS_AT_ONCE = max(2, min(8, os.cpu_count() or 2))


def embedded_target(endpoint_url: str, *, portal_origin: str | None = None) -> Target:
    """The emulator that `make up` runs as a child process. Functions are a zip, run in this Python.

    Args: portal_origin: None leaves what the stack has
    """
    parameters = {
        "PackageType": "Zip",
        "BatchConcurrency": str(_PARTS_AT_ONCE),
        "LogRetentionDays": "7",
        "DefaultModel": "four-variables",  # the sample that answers as the original tool does
    }
    if portal_origin:
        parameters["PortalOrigin"] = portal_origin
    return Target(
        name="embedded",
        environment="local",
        endpoint_url=endpoint_url.rstrip("/"),
        start_command="make up",
        parameters=parameters,
    )
