"""What commands have in common: which stack they are about, and how a refusal is told."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError
from rich.markup import escape

from deploy.aws.account import check_account, find_account, propose_gateway_role, redirected_to
from deploy.aws.faults import explain_fault
from deploy.aws.target import aws_target
from deploy.console import console, errors
from deploy.embedded.ports import LOOPBACK
from deploy.errors import DeployError, EmulatorAway
from deploy.parameters import read_choices
from deploy.plan import describe_stack
from deploy.state import StateFolder, keep_secret
from deploy.targets import LOCAL, LOCALSTACK_PORT, Target, embedded_target, localstack_target

EMULATED = ("embedded", "localstack")
TARGETS = (*EMULATED, "aws")


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
    """Give a command --target and what names one stack there."""
    for option in (
        click.option("--account", metavar="NUMBER", help="AWS: refuse to work in any other account."),
        click.option("--region", metavar="NAME", help="AWS: instead of the profile's."),
        click.option("--profile", metavar="NAME", help="AWS: of your settings, instead of AWS_PROFILE."),
        click.option(
            "--env", metavar="NAME", help="Which of several stacks there.  [default: local; production on AWS]"
        ),
        click.option("--target", "name", type=click.Choice(TARGETS), required=True, help="Where the stack lives."),
    ):
        command = option(command)
    return command


def on_target(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command its target; what it or AWS refuses is told in one sentence."""

    @names_target
    @in_one_sentence
    @wraps(command)
    def with_target(
        name: str, env: str | None, profile: str | None, region: str | None, account: str | None, **options: Any
    ) -> None:
        target = find_target(name, env, profile=profile, region=region)
        try:
            if not target.is_emulated:
                check_account(find_account(target), describe_stack(target), meant=account)
            elif account:
                raise DeployError("--account is for --target aws: an emulator has no accounts.")
            command(target, **options)
        except (BotoCoreError, ClientError) as error:
            raise explain_fault(error, target) from error

    return with_target


def with_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Let people choose template parameters; the stack remembers them."""

    @click.option(
        "--set", "pairs", multiple=True, metavar="NAME=VALUE", help="A parameter of the template; the stack keeps it."
    )
    @click.option("--cognito", is_flag=True, help="Emulators: have a user pool from now on; AWS always has.")
    @wraps(command)
    def with_choices(target: Target, pairs: tuple[str, ...], cognito: bool, **options: Any) -> None:
        choices = read_choices(pairs, decided_by_target=target.parameters)
        if cognito and target.name == "localstack":
            raise DeployError("LocalStack has no Cognito in its free edition. The embedded emulator has: make up.")
        if cognito and target.is_emulated:
            choices["WithCognito"] = "true"
        target = replace(target, chosen_parameters={**target.chosen_parameters, **choices})
        command(target if target.is_emulated else propose_gateway_role(target), **options)

    return with_choices


def find_target(
    name: str, environment: str | None = None, *, profile: str | None = None, region: str | None = None
) -> Target:
    """Raises: EmulatorAway: nothing says where the emulator is, so it is not running"""
    if name == "aws":
        target = aws_target(environment=environment or "production", profile=profile, region=region)
        _check_region(target)
        return target
    if profile or region:
        raise DeployError("--profile and --region are for --target aws: an emulator takes nobody's credentials.")
    environment = environment or LOCAL
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


def introduce(target: Target) -> None:
    """Which stack this is about, and on AWS who is at work."""
    console.print(f"Stack [bold]{target.stack_name}[/] {target.place}")
    if target.is_emulated:
        return
    account = find_account(target)
    console.print(f"  account   {account.number}")
    console.print(f"  identity  {escape(account.who)}")
    if elsewhere := redirected_to():
        console.print(f"  [yellow]asks      {escape(elsewhere)}, by AWS_ENDPOINT_URL: that is not AWS[/]")


def _check_region(target: Target) -> None:
    """Now, for it is in every sentence: a profile that is not there, or no region, is found out here."""
    try:
        if not target.session.region_name:
            raise DeployError(
                "No AWS region is set. Name it: --region eu-central-1; or for good: aws configure set region "
                f"eu-central-1{f' --profile {target.profile}' if target.profile else ''}"
            )
    except BotoCoreError as error:
        raise explain_fault(error, target) from error
