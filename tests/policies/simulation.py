"""What IAM decides about one call: an explicit deny first, then what allows it, else no.

As far as the template's policies go: one account, roles with inline policies, the policies of a bucket, a key, a
function, a topic and of a role's trust, and that of a VPC endpoint. Anything else in a policy raises NotUnderstood.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
and, for keys, https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

from tests.policies.conditions import Context, as_list, holds, matches, matches_arn
from tests.policies.resolving import NotUnderstood

Document = Mapping[str, Any]
_ELEMENTS = {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}


class Answer(Enum):
    ALLOWED = "allowed"
    DENIED = "denied by a statement"
    NOT_ALLOWED = "allowed by no statement"


@dataclass(frozen=True)
class Principal:
    """Who calls.

    Attributes:
        kind: "role" for a session of a role of the account; "service" and "federated" for AWS's services and for people
            or programs that an identity provider vouches for; "anonymous" for a call that is not signed
        name: the role's ARN, `lambda.amazonaws.com`, the provider
    """

    kind: Literal["role", "service", "federated", "anonymous"]
    name: str


@dataclass(frozen=True)
class Call:
    principal: Principal
    action: str
    resource: str
    context: Context = field(default_factory=dict)


@dataclass(frozen=True)
class InForce:
    """The policies that have a say in a call.

    Attributes:
        identity: the role's own
        resource: of what is called; decides_alone: a key's and a role's trust policy, without which nobody may anything
        endpoint: of the one way that leads there
    """

    identity: Sequence[Document] = ()
    resource: Document | None = None
    decides_alone: bool = False
    endpoint: Document | None = None


def decide(call: Call, policies: InForce) -> Answer:
    """Raises: NotUnderstood."""
    others = [policy for policy in (policies.resource, policies.endpoint) if policy]
    if any(_says(policy, "Deny", call, names_principals=False) for policy in policies.identity):
        return Answer.DENIED
    if any(_says(policy, "Deny", call, names_principals=True) for policy in others):
        return Answer.DENIED
    if policies.endpoint and not _says(policies.endpoint, "Allow", call, names_principals=True):
        return Answer.NOT_ALLOWED
    return Answer.ALLOWED if _is_allowed(call, policies) else Answer.NOT_ALLOWED


def statements(policy: Document) -> list[Mapping[str, Any]]:
    """Raises: NotUnderstood: an element or a version that is not known here."""
    if set(policy) != {"Version", "Statement"} or policy["Version"] != "2012-10-17":
        raise NotUnderstood(f"a policy with {sorted(policy)} of version {policy.get('Version')}")
    found = as_list(policy["Statement"])
    for statement in found:
        if unknown := set(statement) - _ELEMENTS:
            raise NotUnderstood(f"{', '.join(sorted(unknown))} in the statement {statement.get('Sid')}")
        if statement["Effect"] not in ("Allow", "Deny"):
            raise NotUnderstood(f"the effect {statement['Effect']}")
    return found


def _is_allowed(call: Call, policies: InForce) -> bool:
    if policies.resource and _says(policies.resource, "Allow", call, names_principals=True):
        return True
    if policies.decides_alone and not (policies.resource and _leaves_it_to_the_account(policies.resource, call)):
        return False
    return any(_says(policy, "Allow", call, names_principals=False) for policy in policies.identity)


def _says(policy: Document, effect: str, call: Call, *, names_principals: bool) -> bool:
    """Whether a statement of this effect is about the call."""
    for statement in statements(policy):
        if ("Principal" in statement) != names_principals:
            raise NotUnderstood(f"the statement {statement.get('Sid')} names a principal, or none")
        if statement["Effect"] != effect or not _is_about(statement, call):
            continue
        if not names_principals or _is_named(statement["Principal"], call.principal):
            return True
    return False


def _is_about(statement: Mapping[str, Any], call: Call) -> bool:
    return (
        any(matches(action, call.action, {}, ignore_case=True) for action in as_list(statement["Action"]))
        # A role's trust and a repository's policy are about what they belong to.
        and ("Resource" not in statement or any(_fits(one, call) for one in as_list(statement["Resource"])))
        and holds(statement.get("Condition", {}), call.context)
    )


def _fits(resource: str, call: Call) -> bool:
    return resource == "*" or matches_arn(resource, call.resource, call.context)


def _is_named(principal: Any, caller: Principal) -> bool:
    if principal == "*":
        return True
    kinds = {"AWS": "role", "Service": "service", "Federated": "federated"}
    if unknown := set(principal) - set(kinds):
        raise NotUnderstood(f"principals of the kind {', '.join(sorted(unknown))}")
    return any(
        name == "*" or (kinds[kind] == caller.kind and name == caller.name)
        for kind, names in principal.items()
        for name in as_list(names)
    )


def _leaves_it_to_the_account(policy: Document, call: Call) -> bool:
    """Whether it allows the account as such (`…:root`): then the policies of the account's own roles decide."""
    if call.principal.kind != "role":
        return False
    account = call.principal.name.split(":")[4]
    root = Principal("role", f"arn:aws:iam::{account}:root")
    return _says(policy, "Allow", Call(root, call.action, call.resource, call.context), names_principals=True)
