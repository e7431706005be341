"""Who is at work, in which account, and whether that is the account that was meant."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from deploy.errors import DeployError
from deploy.plan import describe_stack
from deploy.targets import Target

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import StackTypeDef

_SSO_ROLE = re.compile(r"AWSReservedSSO_(.+)_[0-9a-f]{16}")


@dataclass(frozen=True)
class Account:
    """An account as its caller sees it."""

    number: str
    arn: str
    region: str

    @property
    def who(self) -> str:
        """The caller in words: "ada@example.org, by single sign-on as Deployer"."""
        kind, _, name = self.arn.partition(f":{self.number}:")[2].partition("/")
        if kind == "root":
            return "the account's root user: better make a role, and sign in with that"
        if kind != "assumed-role":
            return f"{kind} {name}"
        role, _, session = name.partition("/")
        sso = _SSO_ROLE.fullmatch(role)
        return f"{session}, by single sign-on as {sso.group(1)}" if sso else f"role {role}, session {session}"


def find_account(target: Target) -> Account:
    """Ask STS, which every identity may."""
    found = target.identity.get_caller_identity()
    return Account(number=found["Account"], arn=found["Arn"], region=target.identity.meta.region_name)


def check_account(account: Account, stack: StackTypeDef | None, *, meant: str | None) -> None:
    """Args: meant: the account that the person names, None where they name none

    Raises: DeployError: the profile signs in to another account than the one that is meant, or than the stack's
    """
    if meant and meant != account.number:
        raise DeployError(
            f"These credentials are of account {account.number}, and --account says {meant}. Nothing was changed. "
            "Take the profile of that account: --profile NAME"
        )
    made_in = account_of(stack["StackId"]) if stack and "StackId" in stack else None
    if made_in and made_in != account.number:
        raise DeployError(
            f"The stack {stack['StackName'] if stack else ''} was made in account {made_in}, and these credentials are "
            f"of account {account.number}. Nothing was changed. Take the profile of that account: --profile NAME"
        )


def propose_gateway_role(target: Target) -> Target:
    """For a stack that is yet to be made: the role that API Gateway writes logs with, if the region has none.

    It is one for all APIs of the account in the region, so that a second stack must not make another.
    """
    if describe_stack(target) is not None:
        return target
    has_role = bool(target.gateway.get_account().get("cloudwatchRoleArn"))
    proposed = {"WithGatewayRole": "false" if has_role else "true"}
    return replace(target, first_parameters={**target.first_parameters, **proposed})


def account_of(arn: str) -> str:
    """arn:aws:cloudformation:eu-central-1:123456789012:stack/… → 123456789012"""
    return arn.split(":")[4]


def redirected_to() -> str | None:
    """Where the SDK really asks, if the environment sends it somewhere else than to AWS."""
    return os.environ.get("AWS_ENDPOINT_URL") or None
