"""Where a stack can live, and everything in which the places differ."""

from __future__ import annotations

import os
import platform
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
    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_sts import STSClient

REGION = "us-east-1"
LOCAL = "local"

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
        endpoint_url: where an emulator answers; empty on AWS, whose addresses the SDK knows
        start_command: what to do when nothing answers there
        parameters: template parameters that the place decides
        first_parameters: those that it only proposes: what the stack has stays
        chosen_parameters: those that a person names
        image: the functions' container image; None where they are a zip, or where it is still to be built
        public_url: where people's programs reach the place, if not at endpoint_url
        manifest_key: what the portal signs manifests with; None leaves what the stack has, or makes one; empty has KMS
            keep it
        poll_s: seconds between two questions to CloudFormation
        profile: of the person's AWS settings; None leaves it to AWS_PROFILE
        region: None leaves it to the person's AWS settings
    """

    name: str
    environment: str
    endpoint_url: str
    start_command: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    first_parameters: Mapping[str, str] = field(default_factory=dict)
    chosen_parameters: Mapping[str, str] = field(default_factory=dict)
    image: str | None = None
    public_url: str | None = None
    manifest_key: str | None = field(default=None, repr=False)
    poll_s: float = 0.1
    profile: str | None = None
    region: str | None = REGION

    @property
    def is_emulated(self) -> bool:
        return bool(self.endpoint_url)

    @property
    def is_zip(self) -> bool:
        """Whether the functions are a package in S3 rather than an image."""
        return self.parameters.get("PackageType") == "Zip"

    @property
    def image_is_tag(self) -> bool:
        """A tag may come to mean another image; a digest never does."""
        return self.image is not None and "@" not in self.image

    @property
    def place(self) -> str:
        """Where the stack is, behind "at" or "in"."""
        return f"at {self.endpoint_url}" if self.is_emulated else f"on AWS in {self.session.region_name}"

    @property
    def options(self) -> str:
        """What names this stack on the command line."""
        words = ["--target", self.name]
        if self.is_emulated:
            return " ".join(words if self.environment == LOCAL else [*words, "--env", self.environment])
        words += ["--env", self.environment]
        words += ["--profile", self.profile] if self.profile else []
        return " ".join(words + (["--region", self.region] if self.region else []))

    @property
    def stack_name(self) -> str:
        return f"portico-{self.environment}"

    @property
    def code_bucket(self) -> str:
        """Holds the functions' packages; made by `up` and removed by `down`, for the stack cannot start without it."""
        return f"{self.stack_name}-code"

    @cached_property
    def cloudformation(self) -> CloudFormationClient:
        return self.session.client("cloudformation", **self._client_options)

    @cached_property
    def s3(self) -> S3Client:
        return self.session.client("s3", **self._client_options)

    @cached_property
    def functions(self) -> LambdaClient:
        return self.session.client("lambda", **self._client_options)

    @cached_property
    def users(self) -> CognitoIdentityProviderClient:
        return self.session.client("cognito-idp", **self._client_options)

    @cached_property
    def images(self) -> ECRClient:
        return self.session.client("ecr", **self._client_options)

    @cached_property
    def alarms(self) -> CloudWatchClient:
        return self.session.client("cloudwatch", **self._client_options)

    @cached_property
    def machines(self) -> SFNClient:
        return self.session.client("stepfunctions", **self._client_options)

    @cached_property
    def gateway(self) -> APIGatewayClient:
        return self.session.client("apigateway", **self._client_options)

    @cached_property
    def hosting(self) -> Any:
        """Amplify Hosting."""
        return self.session.client("amplify", **self._client_options)

    @cached_property
    def identity(self) -> STSClient:
        return self.session.client("sts", **self._client_options)

    def api_url(self, url: str) -> str:
        """Where the REST API of the stack's output `url` really answers here.

        The template can only say AWS's address; the emulators serve the same API under a path of their own.
        """
        host, path = urlsplit(url).netloc, urlsplit(url).path
        api = re.match(r"[a-z0-9]+(?=\.execute-api\.)", host)
        if api is None or not self.is_emulated:
            return url.rstrip("/")
        return f"{_api_endpoint(self.public_url or self.endpoint_url)}/{api.group(0)}/{path.strip('/')}"

    @property
    def _client_options(self) -> Any:
        return {"endpoint_url": self.endpoint_url, "config": _CONFIG} if self.is_emulated else {"config": AWS_CONFIG}

    @cached_property
    def session(self) -> boto3.Session:
        """Credentials and region: the person's own on AWS, made-up ones on an emulator."""
        if not self.is_emulated:
            return boto3.Session(profile_name=self.profile, region_name=self.region)
        return boto3.Session(
            botocore_session=BotocoreSession(session_vars=_NO_PERSONAL_SETTINGS),
            aws_access_key_id=EMULATOR_CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=EMULATOR_CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            region_name=self.region,
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
# The person's proxies hold, and their own settings of the SDK.
AWS_CONFIG = Config(connect_timeout=10, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 5})


LAMBDA_IMAGE = "portico-lambda:latest"
LOCALSTACK_PORT = 4566
# The sample that answers as the original tool does.
_DEFAULT_MODEL = "four-variables"


def embedded_target(
    endpoint_url: str,
    *,
    portal_origin: str | None = None,
    site_origin: str | None = None,
    manifest_key: str | None = None,
    environment: str = LOCAL,
) -> Target:
    """The emulator that `make up` runs as a child process. Functions are a zip, run in this Python.

    Args: portal_origin, site_origin, manifest_key: None leaves what the stack has
    """
    return Target(
        name="embedded",
        environment=environment,
        endpoint_url=endpoint_url.rstrip("/"),
        start_command="make up",
        parameters={
            "PackageType": "Zip",
            # Each part of a batch runs in a process of its own, with scikit-learn in memory: no more than processors.
            "BatchConcurrency": str(max(2, min(8, os.cpu_count() or 2))),
            "LogRetentionDays": "7",
            "IsolateVerify": "false",
            "ApiEndpoint": _api_endpoint(endpoint_url.rstrip("/")),
            "DefaultModel": _DEFAULT_MODEL,
            **_if_given(PortalOrigin=portal_origin, ApiCorsOrigin=site_origin),
        },
        manifest_key=manifest_key,
    )


def localstack_target(
    endpoint_url: str,
    *,
    public_url: str | None = None,
    portal_origin: str | None = None,
    manifest_key: str | None = None,
    environment: str = LOCAL,
) -> Target:
    """LocalStack, as docker-compose.yml runs it. Functions are the real container image.

    It forgets its stack when it ends and is given the same template again, so whatever others know it by has a fixed
    name: the bucket, and the API's id.

    Args:
        public_url: where browsers reach it, None for endpoint_url
        portal_origin, manifest_key: None leaves what the stack has
    """
    endpoint_url = endpoint_url.rstrip("/")
    public_url = (public_url or endpoint_url).rstrip("/")
    return Target(
        name="localstack",
        environment=environment,
        endpoint_url=endpoint_url,
        start_command="docker-compose up -d",
        parameters={
            "PackageType": "Image",
            "Architecture": "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64",
            "BucketName": f"portico-{environment}",
            "ApiId": f"portico{environment.replace('-', '')}",
            "PublicEndpoint": public_url,
            "ApiEndpoint": _api_endpoint(public_url),
            "BatchConcurrency": str(max(4, min(8, os.cpu_count() or 4))),
            "LogRetentionDays": "7",
            "IsolateVerify": "false",
            "DefaultModel": _DEFAULT_MODEL,
            **_if_given(PortalOrigin=portal_origin),
        },
        image=LAMBDA_IMAGE,
        public_url=public_url,
        manifest_key=manifest_key,
        poll_s=0.3,
    )


def local_origins(port: int) -> str:
    """The portal's origins on this machine, as the template takes them: people type either name."""
    return f"http://127.0.0.1:{port},http://localhost:{port}"


def _api_endpoint(url: str) -> str:
    """What stands before a REST API's id on an emulator at `url`."""
    return f"{url}/_aws/execute-api"


def _if_given(**parameters: str | None) -> dict[str, str]:
    return {name: value for name, value in parameters.items() if value}
