"""LocalStack walks through a function's environments while other threads add to them. A plain dict answers that with
"dictionary changed size during iteration", and the caller of the function gets an internal error."""

from collections import defaultdict
from typing import Any


class Steady(dict[str, Any]):
    """Its values are those of the moment of asking."""

    def values(self) -> Any:
        return list(super().values())


def install() -> None:
    from localstack.services.lambda_.invocation.assignment import AssignmentService

    original = AssignmentService.__init__

    def init(service: Any) -> None:
        original(service)
        service.environments = defaultdict(Steady)

    AssignmentService.__init__ = init
