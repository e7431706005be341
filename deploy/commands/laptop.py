"""redeploy and manage: for those who work on Portico."""

from __future__ import annotations

import os
import sys
import time

import click

from deploy.commands.options import find_target, in_one_sentence
from deploy.compose import Compose
from deploy.console import console
from deploy.embedded.portal import portal_variables
from deploy.embedded.run import bypass_proxies
from deploy.execute import read_outputs
from deploy.outputs import portal_environment
from deploy.redeploy import put_live
from deploy.state import REPOSITORY, StateFolder


@click.command()
@in_one_sentence
def redeploy() -> None:
    """Put changed function code live on docker-compose's stack: its image built anew, the stack brought up to date."""
    bypass_proxies()
    started = time.monotonic()
    put_live(Compose.from_environment())
    console.print(f"\n[green]It is live.[/] [dim]{time.monotonic() - started:.1f} s[/]")


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@in_one_sentence
def manage(arguments: tuple[str, ...]) -> None:
    """manage.py with the environment of `make up`'s portal, beside it."""
    target = find_target("embedded")
    stack = portal_environment(target, read_outputs(target))
    state = StateFolder.from_environment()
    variables = portal_variables(state, port=0, endpoint=target.endpoint_url, stack=stack)
    os.execve(sys.executable, [sys.executable, str(REPOSITORY / "manage.py"), *arguments], variables)  # noqa: S606
