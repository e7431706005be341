"""Short names for what is in a stack, so that the table reads as text: `object models/penguins/live.json`, `bucket`."""

from __future__ import annotations

from typing import Any

from tests.policies.resolving import REGION, Resolver

# kind → ARN; {name} is the rest of the short name, a resource's logical name its ARN or, where it has none, its id
_KINDS = {
    "alarm": "arn:aws:cloudwatch:{region}:{account}:alarm:portico-{environment}-{name}-1A2B3C4D",
    "api": "arn:aws:apigateway:{region}::/restapis/{Api}/{name}",
    "execution": "arn:aws:states:{region}:{account}:execution:portico-{environment}-{name}",
    "function": "arn:aws:lambda:{region}:{account}:function:portico-{environment}-{name}",
    "group": "arn:aws:logs:{region}:{account}:log-group:/aws/{path}:log-stream:",
    "log": "arn:aws:logs:{region}:{account}:log-group:/aws/lambda/portico-{environment}-{name}:log-stream:2026/11/29/1",
    "machine": "arn:aws:states:{region}:{account}:stateMachine:portico-{environment}-{name}",
    "object": "{Bucket}/{name}",
    "role": "",
    "stage": "arn:aws:execute-api:{region}:{account}:{Api}/prod/{name}",
}
_SINGLE = {
    "account": "{account}",
    "bucket": "{Bucket}",
    "dashboard": "arn:aws:cloudwatch::{account}:dashboard/portico-{environment}",
    "door": "{VerifyDoor}",
    "identities": "{IdentityPool}",
    "key": "{ManifestKmsKey}",
    "people": "{UserPool}",
    "provider": "{GitHubOidcProvider}",
    "repository": "{Repository}",
    "stack": "{stack}",
    "topic": "{AlarmTopic}",
}


def arn_of(short: str, resolver: Resolver) -> str:
    """The ARN, or the id of what has none; what is no short name stays as it is."""
    kind, _, name = short.partition(" ")
    if kind == "role" and name:
        return resolver.arn_or_id(name)
    pattern = _SINGLE.get(short) or (_KINDS.get(kind) if name else None)
    return short if pattern is None else pattern.format_map(_Names(resolver, name))


def is_short(text: Any) -> bool:
    if not isinstance(text, str):
        return False
    named = text.partition(" of ")[0]
    return named in _SINGLE or (" " in named and named.partition(" ")[0] in _KINDS)


class _Names(dict[str, str]):
    def __init__(self, resolver: Resolver, name: str) -> None:
        environment = resolver.environment
        super().__init__(
            name=name,
            path=_path(name, environment),
            environment=environment,
            account=resolver.account,
            region=REGION,
            stack=resolver.pseudo["AWS::StackId"],
        )
        self._resolver = resolver

    def __missing__(self, logical: str) -> str:
        return self._resolver.arn_or_id(logical)


def _path(group: str, environment: str) -> str:
    """`lambda predict` and `apigateway` are groups of logs."""
    service, *function = group.split(" ")
    return "-".join([f"{service}/portico-{environment}", *function])
