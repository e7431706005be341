"""The template's resources as CloudFormation would make them for one environment, as far as policies look at them.

Only what is asked for is resolved, so that the bodies of state machines and the like may use any intrinsic. What is not
known here raises: a policy that was half understood would be tested as something else than what is deployed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from deploy.template import TEMPLATE, read_template

ACCOUNT, REGION = "111122223333", "eu-west-1"
# The whole stack of a real account: everything that has a policy is there.
EVERYTHING = {
    "ImageUri": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/portico@sha256:00",
    "PortalOrigin": "https://portico.example",
    "WithService": "true",
    "WithCognito": "true",
    "WithRegistry": "true",
    "WithWatch": "true",
    "WithBudget": "true",
    "WithAccessLogs": "true",
    "WithGatewayRole": "true",
    "AlarmEmail": "ada@portico.example",
    "GitHubRepository": "example/portico",
}
# CloudFormation leaves out what refers to this.
_NO_VALUE = object()
_REFERENCE = re.compile(r"\$\{(!?)([^}]+)\}")


class NotUnderstood(Exception):
    """The template uses something that these tests do not know: teach them before the template is deployed."""


class Resolver:
    """One stack `portico-<environment>`."""

    def __init__(self, environment: str, *, account: str = ACCOUNT, text: str | None = None) -> None:
        self.environment, self.account, self.stack = environment, account, f"portico-{environment}"
        template = read_template(TEMPLATE.read_text("utf-8") if text is None else text)
        self._parameters = {name: given.get("Default") for name, given in template["Parameters"].items()}
        given = {**EVERYTHING, "Environment": environment}
        self._parameters |= {name: value for name, value in given.items() if name in self._parameters}
        self._conditions, self._resources = template.get("Conditions", {}), template["Resources"]
        self.pseudo = {
            "AWS::AccountId": account,
            "AWS::Region": REGION,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackName": self.stack,
            "AWS::StackId": f"arn:aws:cloudformation:{REGION}:{account}:stack/{self.stack}/{_made_up(self.stack, 32)}",
            "AWS::NoValue": _NO_VALUE,
        }

    def of_type(self, kind: str) -> list[str]:
        """The logical names of the resources of a type that are made."""
        return [name for name, found in self._resources.items() if found["Type"] == kind and self.is_made(name)]

    def is_made(self, name: str) -> bool:
        condition = self._resources[name].get("Condition")
        return condition is None or self.holds(condition)

    def arn_or_id(self, name: str) -> str:
        """A resource's ARN; its id where it has none."""
        return self._attribute(name, "Arn") if self._resources[name]["Type"] in _ARN else self._physical(name)

    def properties(self, name: str) -> set[str]:
        return set(self._resources[name].get("Properties", {}))

    def property(self, name: str, path: str) -> Any:
        """One property of a resource, resolved; None where it has none."""
        value: Any = self._resources[name].get("Properties", {})
        for part in path.split("."):
            if part not in value:
                return None
            value = self.value(value[part])
        return None if value is _NO_VALUE else value

    def holds(self, condition: str) -> bool:
        return bool(self._truth(self._conditions[condition]))

    def value(self, node: Any) -> Any:
        """A piece of the template with its intrinsics replaced. Raises: NotUnderstood."""
        if isinstance(node, Mapping):
            if len(node) == 1:
                ((name, given),) = node.items()
                if name == "Ref" or name.startswith("Fn::"):
                    return self._intrinsic(name, given)
            resolved = {str(key): self.value(item) for key, item in node.items()}
            return {key: item for key, item in resolved.items() if item is not _NO_VALUE}
        if isinstance(node, list):
            return [item for item in map(self.value, node) if item is not _NO_VALUE]
        return node

    def _intrinsic(self, name: str, given: Any) -> Any:
        match name:
            case "Ref":
                return self._reference(given)
            case "Fn::GetAtt":
                return self._attribute(*(given if isinstance(given, list) else given.split(".", 1)))
            case "Fn::Sub":
                return self._substitute(given)
            case "Fn::If":
                condition, then, otherwise = given
                return self.value(then if self.holds(condition) else otherwise)
        raise NotUnderstood(f"{name} in a policy")

    def _substitute(self, given: Any) -> str:
        text, names = (given, {}) if isinstance(given, str) else given

        def replaced(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:  # ${!this} is for IAM, not for CloudFormation
                return "${" + name + "}"
            if name in names:
                return str(self.value(names[name]))
            return str(self._attribute(*name.split(".", 1)) if "." in name else self._reference(name))

        return _REFERENCE.sub(replaced, text)

    def _reference(self, name: str) -> Any:
        if name in self.pseudo:
            return self.pseudo[name]
        if name in self._parameters:
            return self._parameters[name]
        if name not in self._resources or not self.is_made(name):
            raise NotUnderstood(f"Ref to {name}, which is not there")
        kind = self._resources[name]["Type"]
        if kind in _REF_IS_ARN:
            return self._attribute(name, "Arn")
        return self._physical(name)

    def _attribute(self, name: str, attribute: str) -> str:
        if name not in self._resources or not self.is_made(name):
            raise NotUnderstood(f"GetAtt of {name}, which is not there")
        kind = self._resources[name]["Type"]
        if attribute not in ("Arn", "TopicArn") or kind not in _ARN:
            raise NotUnderstood(f"{attribute} of {name}, a {kind}")
        return _ARN[kind].format(name=self._physical(name), region=REGION, account=self.account)

    def _physical(self, name: str) -> str:
        """The name that the template gives a resource, else one as CloudFormation makes them up."""
        kind = self._resources[name]["Type"]
        given = self.property(name, _NAMED_BY[kind]) if kind in _NAMED_BY else None
        if given:
            return str(given)
        if kind not in _MADE_UP:
            raise NotUnderstood(f"the name of {name}, a {kind}")
        made = _MADE_UP[kind].format(
            stack=self.stack, name=name, region=REGION, digits=_made_up(f"{self.stack}/{name}", 12)
        )
        return made.lower() if kind == "AWS::S3::Bucket" else made

    def _truth(self, node: Any) -> bool:
        if isinstance(node, str):
            return self.holds(node)
        ((name, given),) = node.items()
        match name:
            case "Condition":
                return self.holds(given)
            case "Fn::Equals":
                return bool(self.value(given[0]) == self.value(given[1]))
            case "Fn::Not":
                return not self._truth(given[0])
            case "Fn::And":
                return all(map(self._truth, given))
            case "Fn::Or":
                return any(map(self._truth, given))
        raise NotUnderstood(f"{name} in a condition")


def _made_up(seed: str, digits: int) -> str:
    return hashlib.sha256(seed.encode()).hexdigest()[:digits]


_NAMED_BY = {
    "AWS::S3::Bucket": "BucketName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::StepFunctions::StateMachine": "StateMachineName",
    "AWS::ECR::Repository": "RepositoryName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::IAM::Role": "RoleName",
}
_MADE_UP = {
    "AWS::S3::Bucket": "{stack}-{name}-{digits}",
    "AWS::IAM::Role": "{stack}-{name}-{digits}",
    "AWS::IAM::OIDCProvider": "token.actions.githubusercontent.com",
    "AWS::KMS::Key": "{digits}",
    "AWS::Cognito::UserPool": "{region}_{digits}",
    "AWS::Cognito::IdentityPool": "{region}:{digits}",
    "AWS::ApiGateway::RestApi": "{digits}",
    "AWS::EC2::VPCEndpoint": "vpce-{digits}",
}
_ARN = {
    "AWS::S3::Bucket": "arn:aws:s3:::{name}",
    "AWS::Lambda::Function": "arn:aws:lambda:{region}:{account}:function:{name}",
    "AWS::Logs::LogGroup": "arn:aws:logs:{region}:{account}:log-group:{name}:*",
    "AWS::StepFunctions::StateMachine": "arn:aws:states:{region}:{account}:stateMachine:{name}",
    "AWS::ECR::Repository": "arn:aws:ecr:{region}:{account}:repository/{name}",
    "AWS::SNS::Topic": "arn:aws:sns:{region}:{account}:{name}",
    "AWS::IAM::Role": "arn:aws:iam::{account}:role/{name}",
    "AWS::IAM::OIDCProvider": "arn:aws:iam::{account}:oidc-provider/{name}",
    "AWS::KMS::Key": "arn:aws:kms:{region}:{account}:key/{name}",
    "AWS::Cognito::UserPool": "arn:aws:cognito-idp:{region}:{account}:userpool/{name}",
}
_REF_IS_ARN = {
    "AWS::SNS::Topic",
    "AWS::StepFunctions::StateMachine",
    "AWS::IAM::OIDCProvider",
}
