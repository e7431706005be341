"""`up` on an account: what keeps data first, then the image by digest, then the service."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from deploy.aws.content import Source
from deploy.aws.registry import Bar, Registry, push_image
from deploy.errors import DeployError
from deploy.execute import execute_plan
from deploy.following import Report, settle
from deploy.outputs import stack_outputs
from deploy.plan import Plan, describe_stack, drop_plan, make_plan
from deploy.targets import Target

_REGISTRY = "RepositoryUri"
Say = Callable[[str], None]


def preview(target: Target, source: Source, report: Report) -> Plan:
    """What `up` will come to, by a change set that is dropped again. Nothing is built, and nothing changes.

    Raises: DeployError: the stack cannot be changed now, or the template is not accepted
    """
    settle(target, report)
    plan = make_plan(replace(target, image=_expected_image(target, source)))
    drop_plan(target, plan)
    settle(target, report)  # a stack that had only this plan is being deleted
    return plan


def roll_out(
    target: Target, source: Source, *, report: Report, bar: Bar, say: Say, may_lose: bool, first: Plan
) -> tuple[Target, Plan, dict[str, str]]:
    """Put everything live. Safe to interrupt: run again, it goes on from where the account is.

    Args:    may_lose: data may go with what is replaced or removed; first: what `preview` said
    Returns: the target with its image, the last plan, the stack's outputs
    Raises:  DeployError: a part failed; what is live stays live
    """
    refuse_losses(target, first, may_lose=may_lose)
    if not target.is_zip:
        if not has_registry(target):
            say("First what keeps data: bucket, registry, key, user pool.")
            lay_foundation(target, report, may_lose=may_lose)
        target = replace(target, image=push(target, source, bar))
        say(f"Image {target.image}")
    plan = make_plan(target)
    refuse_losses(target, plan, may_lose=may_lose)
    if not plan.is_empty:
        say("Now the service.")
    return target, plan, execute_plan(target, plan, report)


def push(target: Target, source: Source, bar: Bar, *, rebuild: bool = False) -> str:
    """The image by digest. Raises: DeployError: there is no registry yet"""
    return push_image(find_registry(target), source, bar, rebuild=rebuild)


def find_registry(target: Target) -> Registry:
    uri = stack_outputs(describe_stack(target)).get(_REGISTRY)
    if uri is None:
        raise DeployError(
            f"The stack {target.stack_name} has no image registry {target.place}. "
            f"Make it: python -m deploy up {target.options}"
        )
    return Registry(uri, target.images)


def has_registry(target: Target) -> bool:
    return _REGISTRY in stack_outputs(describe_stack(target))


def lay_foundation(target: Target, report: Report, *, may_lose: bool) -> None:
    """A service that is there already stays."""
    has_service = "PredictFunctionName" in stack_outputs(describe_stack(target))
    plan = make_plan(target, with_service=has_service)
    refuse_losses(target, plan, may_lose=may_lose)
    execute_plan(target, plan, report)


def refuse_losses(target: Target, plan: Plan, *, may_lose: bool) -> None:
    """Raises: DeployError: the plan takes away what holds data, and nobody said that it may"""
    if not plan.losses or may_lose:
        return
    drop_plan(target, plan)
    going = "; ".join(f"{change.resource}, with {change.loses}" for change in plan.losses)
    raise DeployError(
        f"This would take out of the stack: {going}. Nothing was changed. If that is meant: "
        f"python -m deploy up {target.options} --allow-data-loss"
    )


def _expected_image(target: Target, source: Source) -> str | None:
    """The image by digest where it is in the registry; where it is still to be built, by the tag that it will have."""
    if target.is_zip:
        return None
    if not has_registry(target):
        return f"to-be-built:{source.tag}"
    registry = find_registry(target)
    digest = registry.find(source.tag)
    return registry.by_digest(digest) if digest else f"{registry.uri}:{source.tag}"
