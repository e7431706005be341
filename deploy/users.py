"""The people in a stack's user pool: who they are, what they may, and whether they can sign in."""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from botocore.exceptions import ClientError

from deploy.errors import DeployError
from deploy.outputs import stack_outputs
from deploy.plan import describe_stack
from deploy.targets import Target

# The pool's groups: portal/accounts/roles.py, with a hyphen for the blank.
ROLES = ("viewer", "predictor", "model-owner", "admin")
# What a mail server and a person agree on; whether somebody reads it, only a mail tells.
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}")
_STATES = {
    "FORCE_CHANGE_PASSWORD": "invited",
    "CONFIRMED": "signs in",
    "RESET_REQUIRED": "must set a new password",
    "UNCONFIRMED": "not confirmed",
    "EXTERNAL_PROVIDER": "signs in elsewhere",
}
_PASSWORD_LENGTH = 20


@dataclass(frozen=True)
class Person:
    """One account."""

    email: str
    roles: tuple[str, ...]
    is_enabled: bool
    state: str
    since: date


@dataclass(frozen=True)
class Pool:
    """A stack's user pool."""

    target: Target
    pool_id: str

    @classmethod
    def of(cls, target: Target) -> Pool:
        """Raises: DeployError: there is no stack, or it has no user pool"""
        stack = describe_stack(target)
        if stack is None:
            raise DeployError(
                f"There is no stack {target.stack_name} {target.place}. Make it: python -m deploy up {target.options}"
            )
        pool_id = stack_outputs(stack).get("UserPoolId")
        if pool_id is None:
            raise DeployError(
                f"The stack {target.stack_name} has no user pool: people have accounts in the portal itself "
                f"(Console, People). To have one: python -m deploy up {target.options} --cognito"
            )
        return cls(target, pool_id)

    def add(self, email: str, role: str) -> str | None:
        """Make an account and invite its owner. Cognito mails a temporary password.

        Returns: the temporary password where no mail is sent: on an emulator
        Raises:  DeployError: the address is none, or somebody has it already
        """
        password = make_password() if self.target.is_emulated else None
        options: dict[str, Any] = (
            {"MessageAction": "SUPPRESS", "TemporaryPassword": password}
            if password
            else {"DesiredDeliveryMediums": ["EMAIL"]}
        )
        email = check_email(email)
        with self._explaining(email):
            self._users.admin_create_user(
                UserPoolId=self.pool_id,
                Username=email,
                UserAttributes=[{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}],
                **options,
            )
            self._users.admin_add_user_to_group(UserPoolId=self.pool_id, Username=email, GroupName=role)
        return password

    def set_role(self, email: str, role: str) -> None:
        """The one role that they have from their next sign-in on, or the next time their session is renewed."""
        with self._explaining(email):
            self._users.admin_add_user_to_group(UserPoolId=self.pool_id, Username=email, GroupName=role)
            for other in set(self._roles_of(email)) - {role}:
                self._users.admin_remove_user_from_group(UserPoolId=self.pool_id, Username=email, GroupName=other)

    def list(self) -> list[Person]:
        """Everybody, by address."""
        pages = self._users.get_paginator("list_users").paginate(UserPoolId=self.pool_id)
        found = [user for page in pages for user in page["Users"]]
        return sorted((self._read(user) for user in found), key=lambda person: person.email)

    def disable(self, email: str) -> None:
        """They cannot sign in, and what they are signed in to ends: an ID token within the hour, a session at once."""
        with self._explaining(email):
            self._users.admin_disable_user(UserPoolId=self.pool_id, Username=email)
            self._users.admin_user_global_sign_out(UserPoolId=self.pool_id, Username=email)

    def enable(self, email: str) -> None:
        with self._explaining(email):
            self._users.admin_enable_user(UserPoolId=self.pool_id, Username=email)

    def resend(self, email: str) -> str | None:
        """A new invitation, with a new temporary password, for somebody who has not signed in yet.

        Returns: the password where no mail is sent
        Raises:  DeployError: they have signed in already
        """
        with self._explaining(email):
            user = self._users.admin_get_user(UserPoolId=self.pool_id, Username=email)
            if user["UserStatus"] != "FORCE_CHANGE_PASSWORD":
                raise DeployError(
                    f"{email} has signed in already, so there is nothing to invite to. "
                    f"For a new password: python -m deploy users reset {email} {self.target.options}"
                )
            if self.target.is_emulated:
                return self._set_temporary_password(email)
            self._users.admin_create_user(
                UserPoolId=self.pool_id, Username=email, MessageAction="RESEND", DesiredDeliveryMediums=["EMAIL"]
            )
        return None

    def reset(self, email: str) -> str | None:
        """Their password counts no more. Cognito mails a code with which they set a new one.

        Returns: a temporary password where no mail is sent
        Raises:  DeployError: they have never signed in
        """
        with self._explaining(email):
            user = self._users.admin_get_user(UserPoolId=self.pool_id, Username=email)
            if self.target.is_emulated:
                return self._set_temporary_password(email)
            if user["UserStatus"] == "FORCE_CHANGE_PASSWORD":
                raise DeployError(
                    f"{email} has not signed in yet and has no password of their own. "
                    f"Invite them again: python -m deploy users resend {email} {self.target.options}"
                )
            self._users.admin_reset_user_password(UserPoolId=self.pool_id, Username=email)
        return None

    @property
    def _users(self) -> Any:
        return self.target.users

    def _set_temporary_password(self, email: str) -> str:
        password = make_password()
        self._users.admin_set_user_password(UserPoolId=self.pool_id, Username=email, Password=password, Permanent=False)
        return password

    def _read(self, user: Any) -> Person:
        attributes = {item["Name"]: item["Value"] for item in user.get("Attributes", [])}
        return Person(
            email=attributes.get("email", user["Username"]),
            roles=self._roles_of(user["Username"]),
            is_enabled=user["Enabled"],
            state=_STATES.get(user["UserStatus"], user["UserStatus"].lower()),
            since=user["UserCreateDate"].date(),
        )

    def _roles_of(self, username: str) -> tuple[str, ...]:
        pages = self._users.get_paginator("admin_list_groups_for_user").paginate(
            UserPoolId=self.pool_id, Username=username
        )
        return tuple(sorted(group["GroupName"] for page in pages for group in page["Groups"]))

    @contextmanager
    def _explaining(self, email: str) -> Iterator[None]:
        """What Cognito refuses about one person, in words; whatever else goes on to those who know it."""
        try:
            yield
        except ClientError as error:
            explain = _REFUSALS.get(error.response["Error"].get("Code", ""))
            if explain is None:
                raise
            raise DeployError(explain(email, self.target)) from error


def check_email(text: str) -> str:
    """The address as the pool keeps it: in small letters, for people type it either way.

    Raises: DeployError: it is none
    """
    text = text.strip().lower()
    if len(text) > 254 or ".." in text or not _EMAIL.fullmatch(text):
        raise DeployError(f"'{text}' is no e-mail address, and people sign in with theirs: like ada@example.org.")
    return text


def make_password() -> str:
    """A temporary password that any policy of Cognito's takes."""
    kinds = (string.ascii_lowercase, string.ascii_uppercase, string.digits, "!-_.")
    needed = [secrets.choice(kind) for kind in kinds]
    rest = [secrets.choice("".join(kinds[:3])) for _ in range(_PASSWORD_LENGTH - len(needed))]
    mixed = needed + rest
    secrets.SystemRandom().shuffle(mixed)
    return "".join(mixed)


_REFUSALS: dict[str, Callable[[str, Target], str]] = {
    "UsernameExistsException": lambda email, target: (
        f"{email} has an account already; its role was left as it is. "
        f"Another role: python -m deploy users role {email} --role NAME {target.options}"
    ),
    "UserNotFoundException": lambda email, target: (
        f"Nobody here has the address {email}. See who has one: python -m deploy users list {target.options}"
    ),
    "ResourceNotFoundException": lambda email, target: (
        f"The user pool has no group of that name: it was made by another release, or by hand. "
        f"Bring it up to date: python -m deploy up {target.options}"
    ),
    "CodeDeliveryFailureException": lambda email, target: (
        f"Cognito could not send a mail to {email}. Look at the pool's e-mail settings: without Amazon SES it sends 50 "
        "a day."
    ),
    "LimitExceededException": lambda email, target: (
        "Cognito has sent as many mails as it does in a day without Amazon SES (50). Try again tomorrow."
    ),
    "InvalidParameterException": lambda email, target: (
        f"Cognito does not take {email}: it may have no verified address to send a code to. "
        f"See the account: python -m deploy users list {target.options}"
    ),
}
