"""A stack's outputs, as the portal and people read them."""

import json
import shlex
from collections.abc import Mapping

from deploy.errors import DeployError
from deploy.targets import Target

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
SECRETS = ("PORTICO_MANIFEST_KEY",)
# All run the same code.
FUNCTIONS = ("PredictFunctionName", "PredictSmallFunctionName", "VerifyFunctionName")
FORMATS = ("text", "env", "json")


def portal_environment(target: Target, outputs: Mapping[str, str]) -> dict[str, str]:
    """The portal's whole configuration of the cloud side, as environment variables.

    Raises: DeployError: the stack lacks an output, so it was made by another release
    """
    missing = [name for name in VARIABLES if name not in outputs]
    if missing:
        raise DeployError(
            f"The stack {target.stack_name} has no {', '.join(missing)}: it was made from another template. "
            f"Bring it up to date: python -m deploy up --target {target.name}"
        )
    environment = {variable: outputs[name] for name, variable in VARIABLES.items()}
    environment |= {variable: outputs[name] for name, variable in KEYS.items() if outputs.get(name)}
    environment["PORTICO_API_URL"] = target.api_url(environment["PORTICO_API_URL"])
    if target.public_url:
        environment["PORTICO_PUBLIC_ENDPOINT_URL"] = target.public_url
    return environment


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
