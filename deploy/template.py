"""Reads template.yaml and makes the text that CloudFormation gets."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

TEMPLATE = Path(__file__).with_name("template.yaml")

_CONDITION = re.compile(r"^    Condition: (\w+)$", re.MULTILINE)
_RESOURCE = re.compile(r"^  (\w+):\n    Type: (AWS::\S+)\n(?:^(?:    .*)?\n)*", re.MULTILINE)


# The parameters that the API's resources use, with their defaults: their values are in the snapshot too.
API_PARAMETERS = {"ApiCorsOrigin": "*", "WithCognito": "false"}


def render_template(parameters: Mapping[str, str], text: str | None = None) -> str:
    """The template with the API deployment named after the content of the API.

    API Gateway serves the snapshot that the last deployment took. CloudFormation takes a new one only for a new
    logical name, so the name carries a hash of everything the snapshot holds.
    """
    text = TEMPLATE.read_text() if text is None else text
    api = [match.group(0) for match in _RESOURCE.finditer(text) if _is_in_snapshot(match.group(2))]
    api += [f"{name}={parameters.get(name, default)}" for name, default in API_PARAMETERS.items()]
    digest = hashlib.sha256("".join(api).encode()).hexdigest()[:8]
    return re.sub(r"\bApiDeployment\b", f"ApiDeployment{digest}", text)


def left_out_resources(parameters: Mapping[str, str], text: str) -> set[str]:
    """Resources whose condition does not hold. MiniStack lists them in change sets all the same, AWS does not."""
    holds = {
        "HasCognito": parameters.get("WithCognito", API_PARAMETERS["WithCognito"]) == "true",
        "HasKmsKey": not parameters.get("ManifestKey"),
        "IsVerifyIsolated": parameters.get("IsolateVerify") == "true",
    }
    return {
        match.group(1)
        for match in _RESOURCE.finditer(text)
        if (condition := _CONDITION.search(match.group(0))) and not holds[condition.group(1)]
    }


def _is_in_snapshot(kind: str) -> bool:
    return kind.startswith("AWS::ApiGateway::") and kind not in {
        "AWS::ApiGateway::Deployment",
        "AWS::ApiGateway::Stage",
    }
