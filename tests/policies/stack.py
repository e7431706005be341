"""The policies of one stack, and what each of them is about."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.policies.conditions import Context
from tests.policies.names import arn_of, is_short
from tests.policies.resolving import ACCOUNT, REGION, NotUnderstood, Resolver
from tests.policies.simulation import Answer, Call, Document, InForce, Principal, decide

PRODUCTION = "production"


@dataclass(frozen=True)
class Stack:
    """Every policy by its name.

    Attributes:
        policies: "PredictRole/predict" for what a role may, "PredictRole trust" for who takes it; a resource's logical
            name for the policy of that resource
        about: name of a resource's or a trust policy → the ARN it is about
        written_by_aws: logical name of a role → the policies of AWS that it has as well
    """

    environment: str
    account: str
    policies: Mapping[str, Document]
    about: Mapping[str, str]
    written_by_aws: Mapping[str, list[str]]

    @property
    def roles(self) -> list[str]:
        return [name.removesuffix(" trust") for name in self.policies if name.endswith(" trust")]

    def with_policy(self, name: str, document: Document) -> Stack:
        return replace(self, policies={**self.policies, name: document})

    def decide(self, who: str, action: str, on: str, context: Mapping[str, str | tuple[str, ...]] = {}) -> Answer:
        """What IAM says to a call.

        Args:
            who: a role's logical name, "service …", "federated …", "anonymous"; "administrator" is a role of this
                account that may do anything, "stranger" one of another account
            on: the short name of what is called (`names`)
            context: beside what every call has; values may be short names too
        """
        principal = self.principal(who)
        given = {key: self.arn(value) if is_short(value) else value for key, value in context.items()}
        call = Call(principal, action, self.arn(on), {**self._always(principal), **given})
        environment = on.partition(" of ")[2]
        owner = make_stack(environment, account=self.account) if environment else self
        door = call.context.get("aws:SourceVpce")
        policies = InForce(
            identity=[_ANYTHING]
            if who == "administrator"
            else [self.policies[name] for name in self.own_policies(who)],
            resource=owner.policy_of(call.resource, action),
            decides_alone=_is_taking(action) or ":kms:" in call.resource,
            endpoint=self.policy_of(str(door), action) if door else None,
        )
        return decide(call, policies)

    def policy_of(self, resource: str, action: str) -> Document | None:
        """The policy of what is called; a role has one for those who take it."""
        for name, about in self.about.items():
            if _is_part(resource, about) and (_is_taking(action) or not name.endswith(" trust")):
                return self.policies[name]
        return None

    def principal(self, who: str) -> Principal:
        kind, _, name = who.partition(" ")
        if kind == "service":
            return Principal("service", name)
        if kind == "federated":
            return Principal("federated", self.arn(name))
        if kind == "anonymous":
            return Principal("anonymous", "")
        if kind in _OUTSIDE:
            return Principal("role", _OUTSIDE[kind].format(account=self.account))
        return Principal("role", self.arn(f"role {who}"))

    def arn(self, short: Any) -> str:
        """The ARN behind a short name such as `object models/…` or `function predict of staging`."""
        named, _, environment = str(short).partition(" of ")
        return _arn(named, environment or self.environment, self.account)

    def own_policies(self, role: str) -> list[str]:
        return [name for name in self.policies if name.startswith(f"{role}/")]

    def _always(self, principal: Principal) -> Context:
        secure = {"aws:SecureTransport": "true", "aws:RequestedRegion": REGION}
        if principal.kind != "role":
            return secure
        return {**secure, "aws:PrincipalArn": principal.name, "aws:PrincipalAccount": self.account}


@functools.cache
def make_stack(environment: str = PRODUCTION, *, account: str = ACCOUNT) -> Stack:
    """The stack of an environment as the template has it, everything switched on. Raises: NotUnderstood."""
    found = resolver(environment, account)
    policies: dict[str, Document] = {}
    about: dict[str, str] = {}
    written_by_aws: dict[str, list[str]] = {}
    for role in found.of_type("AWS::IAM::Role"):
        if unknown := found.properties(role) - _OF_ROLES:
            raise NotUnderstood(f"{', '.join(unknown)} of {role}")
        policies[f"{role} trust"] = found.property(role, "AssumeRolePolicyDocument")
        about[f"{role} trust"] = found.arn_or_id(role)
        policies |= {
            f"{role}/{inline['PolicyName']}": inline["PolicyDocument"]
            for inline in found.property(role, "Policies") or []
        }
        if attached := found.property(role, "ManagedPolicyArns"):
            written_by_aws[role] = attached
    for name, arn, document in _policies_of_resources(found):
        policies[name], about[name] = document, arn
    return Stack(environment, account, policies, about, written_by_aws)


_OF_ROLES = {"AssumeRolePolicyDocument", "Description", "ManagedPolicyArns", "Policies", "RoleName", "Tags"}
_OUTSIDE = {
    "administrator": "arn:aws:iam::{account}:role/administrator",
    "stranger": "arn:aws:iam::444455556666:role/stranger",
}
_ANYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
# type → the property that is the policy of a resource
POLICIES_OF_RESOURCES = {
    "AWS::EC2::VPCEndpoint": "PolicyDocument",
    "AWS::ECR::Repository": "RepositoryPolicyText",
    "AWS::KMS::Key": "KeyPolicy",
    "AWS::S3::BucketPolicy": "PolicyDocument",
    "AWS::SNS::TopicPolicy": "PolicyDocument",
}


def _policies_of_resources(found: Resolver) -> Iterator[tuple[str, str, Document]]:
    """Name, ARN of what it is about (an endpoint's id), and the policy."""
    for kind, text in POLICIES_OF_RESOURCES.items():
        for name in found.of_type(kind):
            match kind:
                case "AWS::S3::BucketPolicy":
                    arn = f"arn:aws:s3:::{found.property(name, 'Bucket')}"
                case "AWS::SNS::TopicPolicy":
                    (arn,) = found.property(name, "Topics")
                case _:
                    arn = found.arn_or_id(name)
            yield name, arn, found.property(name, text)
    functions: dict[str, list[dict[str, Any]]] = {}
    for permission in found.of_type("AWS::Lambda::Permission"):
        functions.setdefault(found.property(permission, "FunctionName"), []).append(_granted(found, permission))
    for arn, statements in functions.items():
        yield arn.rpartition(":")[2], arn, {"Version": "2012-10-17", "Statement": statements}


def _granted(found: Resolver, permission: str) -> dict[str, Any]:
    """A permission of Lambda as the statement that it becomes."""
    properties = {"Action", "FunctionName", "Principal", "SourceArn"}
    if unknown := found.properties(permission) - properties:
        raise NotUnderstood(f"{', '.join(unknown)} of {permission}")
    return {
        "Sid": permission,
        "Effect": "Allow",
        "Principal": {"Service": found.property(permission, "Principal")},
        "Action": found.property(permission, "Action"),
        "Resource": found.property(permission, "FunctionName"),
        "Condition": {"ArnLike": {"aws:SourceArn": found.property(permission, "SourceArn")}},
    }


@functools.cache
def resolver(environment: str, account: str) -> Resolver:
    return Resolver(environment, account=account)


@functools.cache
def _arn(short: str, environment: str, account: str) -> str:
    return arn_of(short, resolver(environment, account))


def _is_taking(action: str) -> bool:
    """Whether it is about taking a role."""
    return action.startswith("sts:")


def _is_part(resource: str, whole: str) -> bool:
    return resource == whole or resource.startswith((f"{whole}/", f"{whole}:"))
