"""A stack's outputs, as the portal and people read them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING

from deploy.errors import DeployError
from deploy.targets import Target

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import StackTypeDef

# docs/contract.md, section 1
VARIABLES = {
    "BucketName": "PORTICO_BUCKET",
    "PredictFunctionName": "PORTICO_PREDICT_FUNCTION",
    "PredictSmallFunctionName": "PORTICO_PREDICT_SMALL_FUNCTION",
    "VerifyFunctionName": "PORTICO_VERIFY_FUNCTION",
    "BatchStateMachineArn": "PORTICO_BATCH_STATE_MACHINE",
    "ApiUrl": "PORTICO_API_URL",
}
# Which of the two a stack has depends on where it is.
KEYS = {"ManifestKey": "PORTICO_MANIFEST_KEY", "ManifestKmsKey": "PORTICO_MANIFEST_KMS_KEY"}
# Where people sign in with Cognito.
SIGN_IN = {
    "UserPoolId": "PORTICO_USER_POOL_ID",
    "UserPoolClientId": "PORTICO_USER_POOL_CLIENT_ID",
    "UserPoolClientSecret": "PORTICO_USER_POOL_CLIENT_SECRET",
    "UserPoolPublicClientId": "PORTICO_USER_POOL_PUBLIC_CLIENT_ID",
    "UserPoolIssuer": "PORTICO_USER_POOL_ISSUER",
    "UserPoolDomain": "PORTICO_USER_POOL_DOMAIN",
    "IdentityPoolId": "PORTICO_IDENTITY_POOL_ID",
}
SECRETS = ("PORTICO_MANIFEST_KEY", "PORTICO_USER_POOL_CLIENT_SECRET")
# For people and for other programs, not for the portal: its role, that of GitHub's workflow, and so on.
NAMED = {
    "PortalRoleArn": "role",
    "CiRoleArn": "CI role",
    "RepositoryUri": "images",
    "AlarmTopicArn": "alarms to",
    "DashboardUrl": "dashboard",
}
# All run the same code.
FUNCTIONS = ("PredictFunctionName", "PredictSmallFunctionName", "VerifyFunctionName")
FORMATS = ("text", "env", "json")


def portal_environment(target: Target, outputs: Mapping[str, str]) -> dict[str, str]:
    """The portal's whole configuration of the cloud side, as environment variables.

    Raises: DeployError: the stack lacks an output, so it was made by another release
    """
    missing = [name for name in VARIABLES if name not in outputs]
    if missing and is_kept(outputs):
        raise DeployError(
            f"The stack {target.stack_name} holds data and nothing that answers: it was taken down with --keep-data, "
            f"or its first `up` has not ended. Bring the service back: python -m deploy up {target.options}"
        )
    if missing:
        raise DeployError(
            f"The stack {target.stack_name} has no {', '.join(missing)}: it was made from another template. "
            f"Bring it up to date: python -m deploy up {target.options}"
        )
    environment = {variable: outputs[name] for name, variable in VARIABLES.items()}
    environment |= {variable: outputs[name] for name, variable in {**KEYS, **SIGN_IN}.items() if outputs.get(name)}
    environment["PORTICO_API_URL"] = target.api_url(environment["PORTICO_API_URL"])
    if target.public_url:
        environment["PORTICO_PUBLIC_ENDPOINT_URL"] = target.public_url
    return environment


def is_kept(outputs: Mapping[str, str]) -> bool:
    """Whether the stack has its data and no service."""
    return "BucketName" in outputs and not any(name in outputs for name in FUNCTIONS)


def stack_outputs(stack: StackTypeDef | None) -> dict[str, str]:
    """As CloudFormation gives them."""
    return {item["OutputKey"]: item["OutputValue"] for item in stack.get("Outputs", [])} if stack else {}


def function_names(outputs: Mapping[str, str]) -> tuple[str, ...]:
    """The functions that a stack has, by its outputs or by the variables made of them."""
    names = (outputs.get(name) or outputs.get(VARIABLES[name]) for name in FUNCTIONS)
    return tuple(name for name in names if name)


def format_outputs(environment: Mapping[str, str], form: str) -> str:
    """`env` can be sourced by a shell, `json` is one object, `text` is for people and keeps secrets back."""
    if form == "json":
        return json.dumps(dict(environment), indent=2)
    if form == "env":
        return "\n".join(f"{name}={shlex.quote(value)}" for name, value in environment.items())
    environment = {name: "(kept back)" if name in SECRETS else value for name, value in environment.items()}
    width = max(map(len, environment), default=0)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in environment.items())
