"""The calls of AWS that the code makes, read from its text: a new one shows before it is refused in a real account."""

from __future__ import annotations

import ast
import functools
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import botocore.session
from botocore import xform_name

from tests.policies.resolving import NotUnderstood, Resolver

ROOT = Path(__file__).parents[2]
# room → where its packages begin
ROOMS = {"portal": ROOT, "predictor": ROOT / "lambda_docker", "deploy": ROOT}

# What boto3 adds to S3's clients.
_ADDED = {"s3": {"upload_fileobj", "upload_file", "download_fileobj", "download_file", "copy"}}
# What names an operation rather than calling it.
_NAMING = {"get_paginator", "get_waiter", "generate_presigned_url", "can_paginate"}
# Requests that predictor.signed_request signs, by service and method, or by X-Amz-Target.
_SIGNED = {
    ("s3", "GET"): "get_object",
    ("s3", "HEAD"): "head_object",
    ("s3", "PUT"): "put_object",
    ("lambda", "POST"): "invoke",
    ("kms", "TrentService.VerifyMac"): "verify_mac",
}


class Made(NamedTuple):
    """A call: in which module, of which service, which operation (as boto3 calls it)."""

    module: str
    service: str
    operation: str


def find_calls(room: str) -> set[Made]:
    """Raises: NotUnderstood: a module that uses boto3 in a way that is not known here."""
    modules = dict(_modules(room))
    helpers = {name: service for tree in modules.values() for name, service in _helpers(tree)}
    return {call for module, tree in modules.items() for call in _calls(module, tree, helpers)}


def find_calls_by_name(room: str, services: Sequence[str]) -> set[Made]:
    """The same where clients are handed about: whatever is called like an operation of one of these services."""
    return {
        Made(module, service, operation)
        for module, tree in _modules(room)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _name(node.func) != "get_waiter"
        for operation in _operations(node)
        for service in services
        if operation in _known(service)
    }


def task_calls() -> set[Made]:
    """What the state machine's steps do."""
    definition = json.loads(Resolver("production").value(_state_machine()["DefinitionString"]))
    tasks = re.findall(r'"arn:aws:states:::(\w+):(\w+)"', json.dumps(definition))
    return {Made("BatchStateMachine", service, xform_name(operation)) for service, operation in tasks}


def needs_no_permission(call: Made) -> bool:
    """Whether AWS takes the call without credentials, as Cognito does from people who are about to sign in."""
    model = _model(call.service)
    name = next((name for name in model.operation_names if xform_name(name) == call.operation), None)
    return name is not None and model.operation_model(name).auth_type == "none"


def _modules(room: str) -> Iterator[tuple[str, ast.Module]]:
    for path in sorted((ROOMS[room] / room).rglob("*.py")):
        if "migrations" not in path.parts:
            name = ".".join(path.relative_to(ROOMS[room]).with_suffix("").parts)
            yield name, ast.parse(path.read_text("utf-8"))


def _helpers(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Functions that return a client of one service, by name, such as quick_lambda."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            returned = [child for child in ast.walk(node) if isinstance(child, ast.Return)]
            yield from ((node.name, service) for value in returned for service in _services(value, _makers(node)))


def _services(node: ast.AST, makers: set[str]) -> Iterator[str]:
    """The services that clients are made of: boto3.client("s3"), client("s3"), Connection("s3")."""
    for child in ast.walk(node):
        if isinstance(child, ast.Call) and _name(child.func) in makers:
            first = child.args[0] if child.args else None
            if isinstance(first, ast.Constant):
                yield str(first.value)


def _makers(node: ast.AST) -> set[str]:
    """What makes clients, boto3.client under other names too."""
    assigned = [child for child in ast.walk(node) if isinstance(child, ast.AnnAssign) and child.value]
    aliases = {_name(child.target) for child in assigned if ast.unparse(child.value or child) == "boto3.client"}
    return {"client", "Connection", *aliases}


def _calls(module: str, tree: ast.Module, helpers: dict[str, str]) -> Iterator[Made]:
    called = {_name(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    services = {*_services(tree, _makers(tree)), *(helpers[name] for name in called & set(helpers))}
    if _imports_boto3(tree) and not services:
        raise NotUnderstood(f"{module} imports boto3 and makes no client that can be seen")
    if not services and _borrows_a_client(tree):
        raise NotUnderstood(f"{module} calls another module's client")
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            for operation in _operations(node):
                yield from (Made(module, name, operation) for name in services if operation in _known(name))
    yield from _signed_calls(module, tree)


def _operations(node: ast.Call) -> list[str]:
    name = _name(node.func)
    if name == "generate_presigned_post":
        return ["put_object"]
    if name not in _NAMING:
        return [name]
    first = node.args[0] if node.args else None
    if not isinstance(first, ast.Constant):
        raise NotUnderstood(f"{name} of something that is not written out")
    return [str(first.value)]


def _signed_calls(module: str, tree: ast.Module) -> Iterator[Made]:
    connections = {
        str(node.args[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _name(node.func) == "Connection" and isinstance(node.args[0], ast.Constant)
    }
    if not connections:
        return
    (service,) = connections
    asked = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _name(node.func) in ("ask", "_ask")]
    methods = {node.args[0].value for node in asked if node.args and isinstance(node.args[0], ast.Constant)}
    targets = {
        value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(key, ast.Constant) and key.value == "X-Amz-Target" and isinstance(value, ast.Constant)
    }
    for what in targets or methods:
        if (service, what) not in _SIGNED:
            raise NotUnderstood(f"{module} signs {what} for {service}")
        yield Made(module, service, _SIGNED[service, str(what)])


def _imports_boto3(tree: ast.Module) -> bool:
    return any(isinstance(node, ast.Import) and node.names[0].name == "boto3" for node in ast.walk(tree))


def _borrows_a_client(tree: ast.Module) -> bool:
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "client"
        for node in ast.walk(tree)
    )


def _name(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


@functools.cache
def _known(service: str) -> set[str]:
    return {xform_name(name) for name in _model(service).operation_names} | _ADDED.get(service, set())


@functools.cache
def _model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


def _state_machine() -> dict[str, Any]:
    resolver = Resolver("production")
    (name,) = resolver.of_type("AWS::StepFunctions::StateMachine")
    return {"DefinitionString": resolver.property(name, "DefinitionString")}
