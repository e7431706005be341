"""users add | list | role | disable | enable | resend | reset."""

from __future__ import annotations

import click

from deploy.commands.options import on_target
from deploy.console import console
from deploy.targets import Target
from deploy.users import ROLES, Person, Pool

_ADDRESS = click.argument("email")
_ROLE = click.option("--role", type=click.Choice(ROLES), required=True, help="What they may.")


@click.group()
def users() -> None:
    """The people in the stack's user pool."""


@users.command()
@_ADDRESS
@_ROLE
@on_target
def add(target: Target, email: str, role: str) -> None:
    """Invite somebody: Cognito mails a temporary password, good for a week."""
    password = Pool.of(target).add(email, role)
    _tell(
        f"{email} is invited, with the role {role}.",
        password,
        mailed=f"Cognito has mailed them a temporary password, from {_SENDER}.",
    )


@users.command("list")
@on_target
def list_command(target: Target) -> None:
    """Everybody, with role and state."""
    people = Pool.of(target).list()
    if not people:
        console.print(f"Nobody yet. Invite somebody: python -m deploy users add EMAIL --role admin {target.options}")
        return
    width = max(len(person.email) for person in people)
    for person in people:
        line = f"{person.email:<{width}}  {_roles(person):<12}  {_state(person):<23}  since {person.since}"
        console.print(line, markup=False)


@users.command()
@_ADDRESS
@_ROLE
@on_target
def role(target: Target, email: str, role: str) -> None:
    """Give somebody another role."""
    Pool.of(target).set_role(email, role)
    console.print(f"{email} has the role {role}, from the next sign-in or renewal of the session on: within the hour.")


@users.command()
@_ADDRESS
@on_target
def disable(target: Target, email: str) -> None:
    """Let somebody in no more. What they did stays."""
    Pool.of(target).disable(email)
    console.print(f"{email} cannot sign in any more and is signed out; a call of the API may still pass for an hour.")


@users.command()
@_ADDRESS
@on_target
def enable(target: Target, email: str) -> None:
    """Let somebody in again."""
    Pool.of(target).enable(email)
    console.print(f"{email} can sign in again.")


@users.command()
@_ADDRESS
@on_target
def resend(target: Target, email: str) -> None:
    """Invite somebody again who has not signed in yet."""
    password = Pool.of(target).resend(email)
    _tell(f"{email} is invited again.", password, mailed="Cognito has mailed them a new temporary password.")


@users.command()
@_ADDRESS
@on_target
def reset(target: Target, email: str) -> None:
    """Somebody's password counts no more; they set another."""
    password = Pool.of(target).reset(email)
    _tell(
        f"The password of {email} counts no more.",
        password,
        mailed="Cognito has mailed them a code; with it they set a new one, at the sign-in's “Forgot your password?”.",
    )


_SENDER = "no-reply@verificationemail.com"


def _tell(what: str, password: str | None, *, mailed: str) -> None:
    console.print(what)
    if password is None:
        console.print(mailed)
        return
    console.print("No mail leaves an emulator, so here is the temporary password, once:")
    console.print(f"  {password}", markup=False)


def _roles(person: Person) -> str:
    return ", ".join(person.roles) or "no role"


def _state(person: Person) -> str:
    return person.state if person.is_enabled else "disabled"
