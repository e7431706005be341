"""The emulator, the stack on it, what the stack says of itself, and its functions."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from functools import cached_property
from typing import Any

from deploy.doctor.engine import Engine
from deploy.doctor.finding import Fault
from deploy.embedded.emulator import is_answering
from deploy.errors import DeployError
from deploy.execute import read_outputs
from deploy.outputs import function_names, portal_environment
from deploy.plan import describe_stack
from deploy.state import StateFolder
from deploy.status import WELL, ask_function
from deploy.targets import Target


class Cloud:
    """A target's stack, read once.

    Attributes:
        deploy: the command that brings the stack up to date
        restart: the command that makes the emulator build everything from its template again
    """

    def __init__(self, target: Target, *, deploy: str, restart: str) -> None:
        self.target, self.deploy, self.restart = target, deploy, restart

    @cached_property
    def stack(self) -> Any:
        return describe_stack(self.target)

    @cached_property
    def variables(self) -> dict[str, str]:
        """The stack's outputs, as the portal is given them."""
        return portal_environment(self.target, read_outputs(self.target))

    @property
    def functions(self) -> tuple[str, ...]:
        return function_names(self.variables)

    def parameter(self, name: str) -> str:
        given = {item["ParameterKey"]: item["ParameterValue"] for item in (self.stack or {}).get("Parameters", [])}
        return str(given.get(name, ""))


def check_emulator(state: StateFolder, endpoint: str | None) -> str:
    """MiniStack, as `make up` runs it."""
    if endpoint is None:
        raise Fault("The emulator is not running.", "Start it: make up")
    if not is_answering(endpoint):
        left = "" if state.read_endpoint() != endpoint else f" Its process was {state.read_pid()}."
        raise Fault(f"No emulator answers at {endpoint}.{left}", "Start it: make up")
    return endpoint


def check_localstack(engine: Engine, endpoint: str) -> str:
    """It answers, and has brought back what it keeps."""
    try:
        health = _get_json(f"{endpoint}/_localstack/health")
        ready = _get_json(f"{endpoint}/_localstack/init/ready")
    except (OSError, ValueError) as error:
        raise _explain_absence(engine, endpoint, error) from error
    if not ready.get("completed"):
        raise Fault("LocalStack still brings back what it keeps.", "Wait some seconds and ask again.")
    broken = [name for name, state in health.get("services", {}).items() if state == "error"]
    if broken:
        raise Fault(
            f"LocalStack's {', '.join(broken)} did not start.", f"See why: {engine.command('logs', 'localstack')}"
        )
    return f"{health.get('version', '')} at {endpoint}"


def _get_json(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 -- the emulator's address
        return json.load(answer)


def _explain_absence(engine: Engine, endpoint: str, error: Exception) -> Fault:
    try:
        container = engine.container("localstack")
    except Exception:  # the engine's own check says what is wrong with it
        container = None
    if container is not None and container.attrs["State"].get("Health", {}).get("Status") == "starting":
        return Fault("LocalStack is starting.", "Wait some seconds and ask again.")
    if container is not None and container.status == "running":
        return Fault(
            f"LocalStack's container {container.name} runs and does not answer at {endpoint}: {error}",
            f"See why: {engine.command('logs', '--tail', '50', 'localstack')}",
        )
    state = f"Its container {container.name} is {container.status}." if container else "It has no container."
    return Fault(f"LocalStack does not answer at {endpoint}. {state}", f"Start it: {engine.command('up', '-d')}")


def check_stack(cloud: Cloud) -> str:
    if cloud.stack is None:
        raise Fault(f"There is no stack {cloud.target.stack_name} {cloud.target.place}.", f"Make it: {cloud.deploy}")
    status = cloud.stack["StackStatus"]
    if status.endswith("_IN_PROGRESS"):
        raise Fault(f"{cloud.target.stack_name} is being changed ({status}).", "Wait some seconds and ask again.")
    if status not in WELL:
        reason = cloud.stack.get("StackStatusReason", "it does not say why")
        raise Fault(f"{cloud.target.stack_name} is {status}: {reason}", f"Bring it up to date: {cloud.deploy}")
    return f"{cloud.target.stack_name} {status}"


def check_outputs(cloud: Cloud) -> str:
    try:
        return f"bucket {cloud.variables['PORTICO_BUCKET']}, API {cloud.variables['PORTICO_API_URL']}"
    except DeployError as error:
        raise Fault(str(error).partition(". ")[0] + ".", f"Bring it up to date: {cloud.deploy}") from error


def check_functions(cloud: Cloud) -> str:
    """All are there and may be invoked; their code is not run."""
    for name in cloud.functions:
        said = ask_function(cloud.target, name)
        if said != "ready":
            # The stack believes that it has them, so that deploying it again changes nothing.
            raise Fault(f"{name} {said.rstrip('.')}.", f"Have the emulator make it again: {cloud.restart}")
    return ", ".join(cloud.functions)
