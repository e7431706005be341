"""What AWS or its SDK refuses, as one sentence with the next command."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

import boto3
from botocore import exceptions as sdk
from botocore.exceptions import BotoCoreError, ClientError

from deploy.errors import DeployError, EmulatorAway
from deploy.targets import Target

_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
_UNKNOWN_KEYS = {"InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "AuthFailure"}
_SKEWED = {"SignatureDoesNotMatch", "InvalidSignatureException", "RequestTimeTooSkewed"}
_DENIED = {
    "AccessDenied",
    "AccessDeniedException",
    "UnauthorizedException",
    "UnauthorizedOperation",
    "AuthorizationError",
    "403",
}
_SLOW_DOWN = {"Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded", "SlowDown"}
_DENIED_ACTION = re.compile(r"not authorized to perform:? ([a-z0-9-]+:[A-Za-z]+)(?: on resource: (\S+))?")
# Where the action has another name than the operation.
_OPERATION_ACTIONS = {
    "Invoke": "lambda:InvokeFunction",
    "HeadBucket": "s3:ListBucket",
    "HeadObject": "s3:GetObject",
    "ListObjectsV2": "s3:ListBucket",
    "ListObjectVersions": "s3:ListBucketVersions",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "DeleteObjects": "s3:DeleteObjectVersion",
    "GetAccount": "apigateway:GET",
}


def explain_fault(error: BotoCoreError | ClientError, target: Target) -> DeployError:
    """A sentence for the person at the terminal."""
    if isinstance(error, ClientError):
        return _explain_answer(error, target)
    for kinds, explain in _BEFORE_THE_CALL:
        if isinstance(error, kinds):
            return explain(error, target)
    return DeployError(f"The AWS SDK gave up: {str(error).rstrip('.')}.")


def _explain_answer(error: ClientError, target: Target) -> DeployError:
    code = error.response["Error"].get("Code", "")
    message = error.response["Error"].get("Message", "").rstrip(".")
    if code in _EXPIRED:
        return DeployError(f"The AWS session has expired. {_sign_in(target)}")
    if code in _UNKNOWN_KEYS:
        return DeployError(
            f"AWS does not know these credentials ({code}): the access key was deleted, or is no key of this region's "
            f"AWS. Take others: --profile NAME, or {_login(target)}"
        )
    if code in _SKEWED:
        return DeployError(
            f"AWS does not accept the signature ({code}): the secret key is not the access key's, or this machine's "
            "clock is wrong. Compare it: date -u"
        )
    if code in _DENIED:
        return DeployError(_explain_denial(error, message, target))
    if code in _SLOW_DOWN:
        return DeployError(f"AWS asks for fewer calls ({code}): {message}. Run the same command again in a minute.")
    return DeployError(f"AWS refused {error.operation_name} ({code}): {message}.")


def _explain_denial(error: ClientError, message: str, target: Target) -> str:
    found = _DENIED_ACTION.search(message)
    action = found.group(1) if found else _action_of(error.operation_name)
    resource = f" on {found.group(2)}" if found and found.group(2) else ""
    why = " A service control policy of the organisation denies it." if "service control policy" in message else ""
    return (
        f"Access denied: this identity may not {action}{resource}.{why} "
        "Have whoever runs the account allow it, or take another profile: --profile NAME. "
        f"Who you are: aws sts get-caller-identity{_profile(target)}"
    )


def _action_of(operation: str) -> str:
    """S3 and Lambda do not name the action that they deny."""
    service = _SERVICES.get(operation)
    return _OPERATION_ACTIONS.get(operation) or (f"{service}:{operation}" if service else operation)


# The operations that `deploy` calls, by the prefix of their actions in policies.
_SERVICES = {
    **dict.fromkeys(("GetCallerIdentity",), "sts"),
    **dict.fromkeys(
        ("GetAuthorizationToken", "DescribeImages", "BatchDeleteImage", "ListImages", "DescribeRepositories"), "ecr"
    ),
    **dict.fromkeys(("PutObject", "GetObject"), "s3"),
    **dict.fromkeys(("GetFunctionConfiguration", "UpdateFunctionCode"), "lambda"),
    **dict.fromkeys(("DescribeAlarms",), "cloudwatch"),
    **dict.fromkeys(("ListExecutions", "DescribeExecution"), "states"),
    **dict.fromkeys(
        (
            "ListApps", "CreateApp", "UpdateApp", "DeleteApp", "GetBranch", "CreateBranch", "ListJobs", "StopJob",
            "GetJob", "CreateDeployment", "StartDeployment",
        ),
        "amplify",
    ),
    **dict.fromkeys(
        (
            "AdminCreateUser", "AdminAddUserToGroup", "AdminDisableUser", "AdminEnableUser", "AdminGetUser",
            "AdminListGroupsForUser", "AdminResetUserPassword", "AdminSetUserPassword", "AdminUserGlobalSignOut",
            "ListUsers", "ListUsersInGroup", "DescribeUserPool", "DescribeUserPoolClient", "UpdateUserPool",
        ),
        "cognito-idp",
    ),
    **dict.fromkeys(
        (
            "DescribeStacks", "CreateChangeSet", "DescribeChangeSet", "ExecuteChangeSet", "DeleteChangeSet",
            "DeleteStack", "DescribeStackEvents", "ListStackResources", "GetTemplate",
        ),
        "cloudformation",
    ),
}  # fmt: skip


def _no_credentials(error: Any, target: Target) -> DeployError:
    return DeployError(
        "There are no AWS credentials here. Sign in with single sign-on (aws configure sso, once; then "
        f"{_login(target)}), or name a profile: --profile NAME. Keys that do not expire are better not made."
    )


def _session_ended(error: Any, target: Target) -> DeployError:
    return DeployError(f"The single sign-on session has expired, or was never begun. {_sign_in(target)}")


def _login_ended(error: Any, target: Target) -> DeployError:
    return DeployError(f"The AWS login has expired. Begin it again: aws login{_profile(target)}")


def _no_profile(error: Any, target: Target) -> DeployError:
    known = ", ".join(_profiles()) or "none"
    return DeployError(
        f"There is no profile '{error.kwargs.get('profile', target.profile)}' in your AWS settings "
        f"(there is: {known}). Make it: aws configure sso --profile NAME"
    )


def _no_region(error: Any, target: Target) -> DeployError:
    named = f" --profile {target.profile}" if target.profile else ""
    return DeployError(
        "No AWS region is set. Name it: --region eu-central-1; or for good: "
        f"aws configure set region eu-central-1{named}"
    )


def _not_a_region(error: Any, target: Target) -> DeployError:
    return DeployError(
        f"'{error.kwargs.get('region_name')}' is no AWS region. Their names are like eu-central-1 and us-east-1."
    )


def _partial(error: Any, target: Target) -> DeployError:
    return DeployError(f"The AWS credentials are incomplete: {error}. Take them away, and sign in: {_login(target)}")


def _helper_failed(error: Any, target: Target) -> DeployError:
    return DeployError(f"The profile's own way to credentials failed: {str(error).rstrip('.')}.")


def _away(error: Any, target: Target) -> DeployError:
    if target.is_emulated:
        return EmulatorAway(
            f"Nothing answers at {target.endpoint_url}, where the {target.name} stack should be. "
            f"Start it with: {target.start_command}"
        )
    address = error.kwargs.get("endpoint_url") or error.kwargs.get("proxy_url") or "its address"
    return DeployError(
        f"AWS cannot be reached at {address}. Look at the network, HTTPS_PROXY, and the region's name "
        f"({target.session.region_name}); then run the same command again, it goes on from here."
    )


_BEFORE_THE_CALL: tuple[tuple[tuple[type[Exception], ...], Callable[[Any, Target], DeployError]], ...] = (
    ((sdk.NoCredentialsError, sdk.NoAuthTokenError), _no_credentials),
    ((sdk.SSOError, sdk.TokenRetrievalError), _session_ended),
    ((sdk.LoginError,), _login_ended),
    ((sdk.ProfileNotFound,), _no_profile),
    ((sdk.NoRegionError,), _no_region),
    ((sdk.InvalidRegionError, sdk.UnknownRegionError), _not_a_region),
    ((sdk.PartialCredentialsError,), _partial),
    ((sdk.CredentialRetrievalError,), _helper_failed),
    ((sdk.ConnectionError, sdk.HTTPClientError), _away),
)


def _sign_in(target: Target) -> str:
    return f"Begin a new one, then run the same command again: {_login(target)}"


def _login(target: Target) -> str:
    return f"aws sso login{_profile(target)}"


def _profile(target: Target) -> str:
    name = target.profile or os.environ.get("AWS_PROFILE")
    return f" --profile {name}" if name else ""


def _profiles() -> list[str]:
    try:
        return boto3.Session().available_profiles
    except BotoCoreError:
        return []
