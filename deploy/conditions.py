"""CloudFormation's conditions, decided here: which resources a stack has under some parameters.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-conditions.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NO_VALUE = {"Ref": "AWS::NoValue"}


class Conditions:
    """The conditions of a template under some parameters; those that are not given have their defaults."""

    def __init__(self, template: Mapping[str, Any], parameters: Mapping[str, str]) -> None:
        self._conditions = template.get("Conditions", {})
        defaults = {name: entry.get("Default", "") for name, entry in template.get("Parameters", {}).items()}
        self._values = {name: str(value) for name, value in {**defaults, **parameters}.items()}

    def holds(self, name: str) -> bool:
        return self._is_true(self._conditions[name])

    def hold_for(self, entry: Mapping[str, Any]) -> bool:
        """Whether there is this resource, or this output."""
        return "Condition" not in entry or self.holds(entry["Condition"])

    def value(self, parameter: str) -> str:
        return self._values[parameter]

    def settle(self, part: Any) -> Any:
        """A part of a template with each Fn::If replaced by what it comes to; what comes to nothing is left out."""
        if isinstance(part, Mapping):
            if set(part) == {"Fn::If"}:
                condition, then, otherwise = part["Fn::If"]
                return self.settle(then if self.holds(condition) else otherwise)
            settled = {name: self.settle(value) for name, value in part.items()}
            return {name: value for name, value in settled.items() if value != NO_VALUE}
        if isinstance(part, list):
            return [value for value in map(self.settle, part) if value != NO_VALUE]
        return part

    def _is_true(self, expression: Mapping[str, Any]) -> bool:
        ((function, content),) = expression.items()
        if function == "Condition":
            return self.holds(content)
        if function == "Fn::Not":
            return not self._is_true(content[0])
        if function == "Fn::And":
            return all(map(self._is_true, content))
        if function == "Fn::Or":
            return any(map(self._is_true, content))
        if function == "Fn::Equals":
            first, second = map(self._operand, content)
            return first == second
        raise ValueError(f"{function} is no function of a condition.")

    def _operand(self, operand: Any) -> str:
        return self.value(operand["Ref"]) if isinstance(operand, Mapping) else str(operand)
