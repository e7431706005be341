"""status, outputs, doctor."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.markup import escape

from deploy.commands.options import introduce, names_target, on_target
from deploy.compose import Compose
from deploy.console import console, say_finding
from deploy.doctor.finding import examine
from deploy.doctor.reports import aws_checks, embedded_checks, localstack_checks
from deploy.embedded.run import bypass_proxies
from deploy.errors import DeployError
from deploy.execute import read_outputs
from deploy.outputs import FORMATS, NAMED, format_outputs, portal_environment
from deploy.state import StateFolder
from deploy.status import Status, read_status
from deploy.targets import Target


@click.command()
@on_target
def status(target: Target) -> None:
    """The stack's state, its functions and alarms, the last batches that failed. Exit code 1 if anything is wrong."""
    introduce(target)
    report = read_status(target)
    if not report.is_there:
        raise DeployError(
            f"There is no stack {target.stack_name} {target.place}. Make it: python -m deploy up {target.options}"
        )
    show_status(report)
    if report.is_kept:
        raise DeployError(
            "Only what keeps data is there, nothing answers. Bring the service back: "
            f"python -m deploy up {target.options}"
        )
    if not report.is_well:
        raise DeployError(f"Not everything is well. Bring it up to date: python -m deploy up {target.options}")


@click.command()
@on_target
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--to", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file, whole or not at all.")
def outputs(target: Target, form: str, to: Path | None) -> None:
    """What the portal needs to know of the stack. `env` can be sourced by a shell; `text` keeps secrets back."""
    found = read_outputs(target)
    text = format_outputs(portal_environment(target, found), form)
    named = {what: found[name] for name, what in NAMED.items() if name in found}
    if form == "text" and named:
        text += "\n\n" + format_outputs(named, "text")
    if to is None:
        click.echo(text)
        return
    partial = to.with_name(f"{to.name}.partial")
    # On AWS a secret of the user pool is in it. On docker-compose another container's user reads it.
    partial.touch(mode=0o666 if target.is_emulated else 0o600)
    partial.write_text(text + "\n")
    partial.replace(to)


@click.command()
@names_target
def doctor(name: str, env: str | None, profile: str | None, region: str | None, account: str | None) -> None:
    """Look at everything that Portico needs, and say how to mend what is not well. Exit code 1 if anything is not."""
    bypass_proxies()
    if name == "localstack":
        checks = localstack_checks(Compose.from_environment(), env or "local")
    elif name == "aws":
        checks = aws_checks(env or "production", profile=profile, region=region, account=account)
    else:
        checks = embedded_checks(StateFolder.from_environment(), env or "local")
    outcomes = []
    for finding in examine(checks):
        say_finding(finding.outcome, finding.name, finding.what, finding.mend)
        outcomes.append(finding.outcome)
    if set(outcomes) == {"ok"}:
        console.print("\n[green]All is well.[/]")
        return
    console.print(f"\n[bold red]{outcomes.count('failed')} not well[/], {outcomes.count('skipped')} not looked at.")
    sys.exit(1)


def show_status(report: Status) -> None:
    console.print(f"  state     {report.stack}")
    for name, state in report.functions.items():
        console.print(f"  function  {name:<28} {escape(state)}")
    for name, reason in report.alarms.items():
        console.print(f"  [bold red]ALARM[/]     {name:<28} {escape(reason)}")
    for name, when in report.failures.items():
        console.print(f"  [yellow]failed[/]    {name:<28} {when}")
    addresses = {
        "API": report.outputs.get("PORTICO_API_URL", ""),
        "sign-in": report.outputs.get("PORTICO_USER_POOL_DOMAIN", ""),
        **report.named,
    }
    for what, value in addresses.items():
        if value:
            console.print(f"  {what:<9} {value}", markup=False)
    if report.outputs:
        console.print("\nWhat the portal is told:")
        console.print(format_outputs(report.outputs, "text"), markup=False)
