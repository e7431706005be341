"""plan, up, push, down."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import replace

import click

from deploy.aws.content import CONTENT_TAG, Source
from deploy.aws.rollout import preview, push, roll_out
from deploy.commands.options import introduce, on_target, with_settings
from deploy.console import console, progress, say_change, say_event, say_loss, summarise_changes
from deploy.costs.table import shape_of, show_bill
from deploy.errors import DeployError
from deploy.execute import execute_plan
from deploy.following import settle
from deploy.golden import RowsMoved, prove_code, put_image_back, show_moved
from deploy.outputs import format_outputs, portal_environment
from deploy.parameters import DEFAULT_PORTAL_ORIGIN
from deploy.plan import ANY_ORIGIN, Plan, describe_stack, drop_plan, make_plan, wait_for_target
from deploy.removal import delete_everything, find_published_page, list_what_goes, withdraw_page
from deploy.targets import Target

UNCHANGED = "Nothing to change: the stack is as the template and the code say."


@click.command("plan")
@on_target
@with_settings
def plan_command(target: Target) -> None:
    """What `up` would do and what it would cost. Changes nothing."""
    introduce(target)
    plan = make_preview(target, Source.from_environment())
    show_plan(plan)
    if plan.is_empty:
        console.print(UNCHANGED)
    console.print("\n[bold]The bill[/]")
    if target.is_emulated:
        console.print("  Nothing: all of it runs on this machine.")
        return
    shape = shape_of(plan.count_kinds(), plan.parameters)
    console.print(show_bill(shape, target.session.region_name), markup=False)
    for hint in find_hints(plan.parameters):
        console.print(f"\n[yellow]![/] {hint}")


@click.command()
@on_target
@with_settings
@click.option("--allow-data-loss", "may_lose", is_flag=True, help="Replace or remove what holds data.")
@click.option("--yes", is_flag=True, help="AWS: do not ask before a stack is made for the first time.")
@click.option("--wait", default=0.0, metavar="SECONDS", help="How long the place may take until it answers.")
def up(target: Target, may_lose: bool, yes: bool, wait: float) -> None:
    """Make the stack, or bring it up to date. Unchanged is a success; interrupted, it goes on when it is run again.

    On AWS: first what keeps data, then the image, built and pushed, then the service.

    Changed code answers the live models' golden rows first. An image whose answers differ does not stay: the one before
    is put back, and the exit code is 3.
    """
    started = time.monotonic()
    wait_for_target(target, wait)
    introduce(target)
    try:
        target, plan, outputs = go_live(target, may_lose=may_lose, is_sure=yes)
    except KeyboardInterrupt:
        console.print(
            "\nInterrupted. What CloudFormation has begun goes on without this program; run the same command again, "
            "and it follows."
        )
        sys.exit(130)
    ask_golden_rows(target, outputs)
    if plan.is_empty:
        console.print(UNCHANGED)
        return
    console.print(f"Done in {time.monotonic() - started:.1f} s.")
    console.print(format_outputs(portal_environment(target, outputs), "text"), markup=False)


@click.command("push")
@on_target
@click.option("--rebuild", is_flag=True, help="Build anew, for a base image with security updates, say.")
def push_command(target: Target, rebuild: bool) -> None:
    """Build the functions' image and push it to the stack's registry; `up` then puts it live. AWS only."""
    if target.is_emulated:
        raise DeployError("There is nothing to push: an emulator runs the functions from this machine. See: redeploy")
    introduce(target)
    image = push(target, Source.from_environment(), progress, rebuild=rebuild)
    console.print(f"The registry has it: {image}")


@click.command()
@on_target
@click.option("--keep-data", "is_kept", is_flag=True, help="Leave bucket, registry, key and user pool.")
@click.option("--yes", is_flag=True, help="Emulators: do not ask.")
def down(target: Target, is_kept: bool, yes: bool) -> None:
    """Delete the stack and everything in it. Lists it and asks first; on AWS, for the stack's name."""
    introduce(target)
    settle(target, say_event)
    if is_kept:
        take_service_down(target, is_sure=yes)
        return
    going = list_what_goes(target)
    if not going:
        delete_everything(target, say_event)
        console.print(f"There is no stack {target.stack_name} {target.place}: nothing to delete.")
        return
    console.print("This deletes, for good:")
    for what, kind in going:
        say_change("remove", what, kind)
    if not confirm(target, "Delete all of it?", is_sure=yes):
        console.print("Nothing was deleted.")
        return
    delete_everything(target, say_event)
    remains = describe_stack(target)
    console.print("Everything is gone." if remains is None else f"Left over: {remains['StackStatus']}")


def make_preview(target: Target, source: Source) -> Plan:
    if target.is_emulated:
        settle(target, say_event)
        plan = make_plan(target)
        drop_plan(target, plan)
        return plan
    return preview(target, source, say_event)


def go_live(target: Target, *, may_lose: bool, is_sure: bool) -> tuple[Target, Plan, dict[str, str]]:
    """Show what will be done, and do it.

    Returns: the target with its image, what was done last, the stack's outputs
    """
    source = Source.from_environment()
    if target.is_emulated:
        settle(target, say_event)
        plan = make_plan(target)
        show_plan(plan)
        if plan.losses and not may_lose:
            drop_plan(target, plan)
            raise DeployError("Nothing was changed. If the loss is meant, add --allow-data-loss.")
        return target, plan, execute_plan(target, plan, say_event)
    first = preview(target, source, say_event)
    show_plan(first)
    if first.is_new and not is_sure and not click.confirm("Make it in this account?"):
        raise DeployError("Nothing was made.")
    target, last, outputs = roll_out(
        target, source, report=say_event, bar=progress, say=console.print, may_lose=may_lose, first=first
    )
    return target, (last if first.is_empty else first), outputs


def show_plan(plan: Plan) -> None:
    console.print(f"  code      {describe_code(plan)}")
    if plan.clear_remains:
        console.print("The remains of a first deployment that failed are cleared, and all is made anew.")
        return
    if plan.is_empty:
        return
    for change in plan.changes:
        replaced = "perhaps replaced" if change.is_possible else "replaced"
        if change.loses:
            how = "removed" if change.verb == "remove" else replaced
            say_loss(change.resource, change.kind, change.loses, how=how, keeps_old=change.keeps_old)
        elif change.replaces:
            say_change("replace", change.resource, f"{change.kind}, {replaced}")
        else:
            say_change(change.verb, change.resource, change.kind)
    console.print(summarise_changes("replace" if change.replaces else change.verb for change in plan.changes))


def take_service_down(target: Target, *, is_sure: bool) -> None:
    """Leave only what keeps data; `up` brings the rest back, at another address of the API.

    The published page goes too: without the API it answers nothing.
    """
    page = find_published_page(target)
    if page:
        target = replace(target, chosen_parameters={**target.chosen_parameters, "ApiCorsOrigin": ANY_ORIGIN})
    plan = make_plan(target, with_service=False)
    if plan.is_empty or plan.is_new:
        drop_plan(target, plan)
        console.print("Nothing to take down: there is no service, only data, or neither.")
        return
    for change in plan.changes:
        say_change("replace" if change.replaces else change.verb, change.resource, change.kind)
    if page:
        say_change("remove", page.origin, "the published page, an app of Amplify Hosting")
    console.print("Bucket, registry, key and user pool stay. The API will have another address when it comes back.")
    if plan.losses or not confirm(target, "Take the service down?", is_sure=is_sure):
        drop_plan(target, plan)
        console.print("Nothing was changed.")
        return
    withdraw_page(target, say_event)
    execute_plan(target, plan, say_event)
    console.print(f"The service is gone, the data is kept. Bring it back: python -m deploy up {target.options}")


def confirm(target: Target, question: str, *, is_sure: bool) -> bool:
    """On AWS the stack's name is typed: `--yes` in a script that names the wrong stack would be too easy."""
    if target.is_emulated:
        return is_sure or click.confirm(question)
    typed = click.prompt(f"{question} Type the stack's name ({target.stack_name})", default="", show_default=False)
    return bool(typed.strip() == target.stack_name)


def ask_golden_rows(target: Target, outputs: Mapping[str, str]) -> None:
    """Raises: RowsMoved: code that answers otherwise was taken; where it can be, the image before is back"""
    moved = prove_code(target, outputs)
    if not moved:
        return
    show_moved(moved)
    if target.image and put_image_back(target, outputs):
        raise RowsMoved(
            "The new image answers golden rows of live models otherwise than the one they were checked with, so the "
            "image before was put back. Fit the models again with the new libraries and upload them, or mend the image."
        )
    raise RowsMoved(
        "The code that is live now answers golden rows otherwise than the code the models were checked with, and there "
        "is none to go back to. Fit the models again with the libraries that are installed now, and upload them."
    )


def find_hints(parameters: Mapping[str, str]) -> list[str]:
    """What nobody has said yet, and somebody will miss."""
    hints = []
    if parameters.get("PortalOrigin") == DEFAULT_PORTAL_ORIGIN:
        hints.append(
            "Uploads and sign-in are for a portal on this machine. Where it is served elsewhere: "
            "--set PortalOrigin=https://…"
        )
    if parameters.get("WithWatch") == "true" and not parameters.get("AlarmEmail"):
        hints.append("Nobody is told when an alarm rings: --set AlarmEmail=ADDRESS")
    return hints


def describe_code(plan: Plan) -> str:
    """Where the functions' code comes from, in a few words."""
    if plan.package is not None:
        return f"{plan.package.key}  ({plan.package.file_count} files, {len(plan.package.body):,} bytes)"
    image = plan.parameters["ImageUri"]
    is_there = f":{CONTENT_TAG}" not in image
    return f"image {image}" if is_there else f"image to be built and pushed ({image.rpartition(':')[2]})"
