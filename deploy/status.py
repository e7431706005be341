"""Looks whether a stack is well: its state, its outputs, its functions."""

from collections.abc import Mapping
from dataclasses import dataclass

from botocore.exceptions import ClientError

from deploy.outputs import function_names, portal_environment
from deploy.plan import describe_stack
from deploy.targets import Target

WELL = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"}


@dataclass(frozen=True)
class Status:
    """What was found; `functions` says for each "ready" or what is wrong."""

    stack: str
    outputs: Mapping[str, str]
    functions: Mapping[str, str]

    @property
    def is_well(self) -> bool:
        return self.stack in WELL and all(state == "ready" for state in self.functions.values())


def read_status(target: Target) -> Status:
    """Raises: EmulatorAway: nothing answers there"""
    stack = describe_stack(target)
    if stack is None:
        return Status("not there", {}, {})
    found = {item["OutputKey"]: item["OutputValue"] for item in stack.get("Outputs", [])}
    if not found:
        return Status(stack["StackStatus"], {}, {})
    environment = portal_environment(target, found)
    return Status(
        stack["StackStatus"], environment, {name: ask_function(target, name) for name in function_names(found)}
    )


def ask_function(target: Target, name: str) -> str:
    """A dry run: the function and its permission are there, its code is not run."""
    try:
        target.functions.invoke(FunctionName=name, InvocationType="DryRun")
    except ClientError as error:
        return f"does not answer: {error.response['Error'].get('Message', 'unknown error')}"
    return "ready"
