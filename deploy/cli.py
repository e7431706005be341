"""python -m deploy up | status | outputs | down | doctor | redeploy | manage."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any

import click
from rich.markup import escape

from deploy.compose import Compose
from deploy.console import console, errors, say_change, say_event, say_finding
from deploy.doctor.finding import examine
from deploy.doctor.reports import embedded_checks, localstack_checks
from deploy.embedded.portal import portal_variables
from deploy.embedded.ports import LOOPBACK
from deploy.embedded.run import bypass_proxies
from deploy.errors import DeployError, EmulatorAway
from deploy.execute import delete_everything, execute_plan, list_what_goes, read_outputs
from deploy.golden import RowsMoved, prove_code, put_image_back, show_moved
from deploy.outputs import FORMATS, format_outputs, portal_environment
from deploy.plan import Plan, describe_stack, drop_plan, make_plan, wait_for_target
from deploy.redeploy import put_live
from deploy.state import REPOSITORY, StateFolder, keep_secret
from deploy.status import read_status
from deploy.targets import LOCALSTACK_PORT, Target, embedded_target, localstack_target

TARGETS = ("embedded", "localstack")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Put Portico's cloud side on a target, look at it, take it away again."""


def in_one_sentence(command: Callable[..., None]) -> Callable[..., None]:
    """Turn what a command refuses into one sentence and an exit code that is not 0."""

    @wraps(command)
    def told(*arguments: Any, **options: Any) -> None:
        try:
            command(*arguments, **options)
        except DeployError as error:
            errors.print(f"[bold red]Error:[/] {escape(str(error))}")
            sys.exit(error.exit_code)

    return told


def names_target(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command --target and --env, as `name` and `env`."""
    command = click.option(
        "--env", default="local", show_default=True, metavar="NAME", help="Which of several stacks there."
    )(command)
    return click.option("--target", "name", type=click.Choice(TARGETS), required=True, help="Where the stack lives.")(
        command
    )


def on_target(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command its target; what it refuses is told in one sentence."""

    @names_target
    @in_one_sentence
    @wraps(command)
    def with_target(name: str, env: str, **options: Any) -> None:
        command(find_target(name, env), **options)

    return with_target


def find_target(name: str, environment: str = "local") -> Target:
    """Raises: EmulatorAway: nothing says where the emulator is, so it is not running"""
    given = os.environ.get("AWS_ENDPOINT_URL")
    if name == "localstack":
        published = f"http://{LOOPBACK}:{os.environ.get('PORTICO_AWS_PORT') or LOCALSTACK_PORT}"
        return localstack_target(
            given or published,
            public_url=os.environ.get("PORTICO_PUBLIC_ENDPOINT_URL"),
            portal_origin=os.environ.get("PORTICO_ORIGINS"),
            manifest_key=keep_secret(Path(key_file))
            if (key_file := os.environ.get("PORTICO_MANIFEST_KEY_FILE"))
            else None,
            environment=environment,
        )
    state = StateFolder.from_environment()
    endpoint = given or state.read_endpoint()
    if endpoint is None:
        raise EmulatorAway(
            "The emulator is not running. Start it with: make up (or, if one runs elsewhere, set AWS_ENDPOINT_URL)."
        )
    # An emulator named by hand may be somebody else's: it keeps the secret that it has.
    return embedded_target(endpoint, manifest_key=None if given else state.manifest_key(), environment=environment)


@main.command()
@on_target
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--wait", default=0.0, metavar="SECONDS", help="How long the place may take until it answers.")
def up(target: Target, dry_run: bool, wait: float) -> None:
    """Make the stack, or bring it up to date. Unchanged is a success.

    Changed code answers the live models' golden rows first. An image whose answers differ does not stay: the one before
    is put back, and the exit code is 3.
    """
    started = time.monotonic()
    wait_for_target(target, wait)
    plan = make_plan(target)
    console.print(f"Stack [bold]{target.stack_name}[/] at {target.endpoint_url}")
    console.print(f"  code  {describe_code(target, plan)}")
    if plan.is_empty:
        if not dry_run:
            ask_golden_rows(target, execute_plan(target, plan, say_event))
        console.print("Nothing to change: the stack is as the template and the code say.")
        return
    for change in plan.changes:
        say_change(change.verb, change.resource, change.kind + (" (replaced)" if change.replaces else ""))
    if dry_run:
        drop_plan(target, plan)
        console.print("Nothing was changed (--dry-run).")
        return
    console.print("Working:")
    outputs = execute_plan(target, plan, say_event)
    ask_golden_rows(target, outputs)
    console.print(f"Done in {time.monotonic() - started:.1f} s.")
    console.print(format_outputs(portal_environment(target, outputs), "text"), markup=False)


@main.command()
@on_target
def status(target: Target) -> None:
    """The stack's state, its outputs, and whether its functions answer. Exit code 1 if anything is wrong."""
    report = read_status(target)
    console.print(f"Stack [bold]{target.stack_name}[/] at {target.endpoint_url}: {report.stack}")
    for name, state in report.functions.items():
        console.print(f"  function  {name:<28} {escape(state)}")
    if report.outputs:
        console.print(format_outputs(report.outputs, "text"), markup=False)
    if not report.is_well:
        raise DeployError(f"Not everything is well. Bring it up to date: python -m deploy up --target {target.name}")


@main.command()
@on_target
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--to", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file, whole or not at all.")
def outputs(target: Target, form: str, to: Path | None) -> None:
    """What the portal needs to know of the stack. `env` can be sourced by a shell."""
    text = format_outputs(portal_environment(target, read_outputs(target)), form)
    if to is None:
        click.echo(text)
        return
    partial = to.with_name(f"{to.name}.partial")
    partial.write_text(text + "\n")
    partial.replace(to)


@main.command()
@on_target
@click.option("--yes", is_flag=True, help="Do not ask.")
def down(target: Target, yes: bool) -> None:
    """Delete the stack and everything in its bucket. Lists it and asks first."""
    going = list_what_goes(target)
    if not going:
        delete_everything(target, say_event)
        console.print(f"There is no stack {target.stack_name} at {target.endpoint_url}: nothing to delete.")
        return
    console.print(f"This deletes stack [bold]{target.stack_name}[/] at {target.endpoint_url}, for good:")
    for what, kind in going:
        say_change("remove", what, kind)
    if not yes and not click.confirm("Delete all of it?"):
        console.print("Nothing was deleted.")
        return
    delete_everything(target, say_event)
    remains = describe_stack(target)
    console.print("Everything is gone." if remains is None else f"Left over: {remains['StackStatus']}")


@main.command()
@names_target
def doctor(name: str, env: str) -> None:
    """Look at everything that Portico needs, and say how to mend what is not well. Exit code 1 if anything is not."""
    bypass_proxies()
    if name == "localstack":
        checks = localstack_checks(Compose.from_environment(), env)
    else:
        checks = embedded_checks(StateFolder.from_environment(), env)
    outcomes = []
    for finding in examine(checks):
        say_finding(finding.outcome, finding.name, finding.what, finding.mend)
        outcomes.append(finding.outcome)
    if set(outcomes) == {"ok"}:
        console.print("\n[green]All is well.[/]")
        return
    console.print(f"\n[bold red]{outcomes.count('failed')} not well[/], {outcomes.count('skipped')} not looked at.")
    sys.exit(1)


@main.command()
@in_one_sentence
def redeploy() -> None:
    """Put changed function code live on docker-compose's stack: its image built anew, the stack brought up to date."""
    bypass_proxies()
    started = time.monotonic()
    put_live(Compose.from_environment())
    console.print(f"\n[green]It is live.[/] [dim]{time.monotonic() - started:.1f} s[/]")


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@in_one_sentence
def manage(arguments: tuple[str, ...]) -> None:
    """manage.py with the environment of `make up`'s portal, beside it."""
    target = find_target("embedded")
    stack = portal_environment(target, read_outputs(target))
    state = StateFolder.from_environment()
    variables = portal_variables(state, port=0, endpoint=target.endpoint_url, stack=stack)
    os.execve(sys.executable, [sys.executable, str(REPOSITORY / "manage.py"), *arguments], variables)  # noqa: S606


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


def describe_code(target: Target, plan: Plan) -> str:
    """Where the functions' code comes from, in a few words."""
    if plan.package is None:
        return f"image {target.image}"
    return f"{plan.package.key}  ({plan.package.file_count} files, {len(plan.package.body):,} bytes)"
