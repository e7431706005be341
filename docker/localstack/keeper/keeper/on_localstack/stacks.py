"""Hears of each stack that CloudFormation made, changed or deleted, before those who wait for it do."""

from __future__ import annotations

import logging
from typing import Any

from localstack.aws.api import RequestContext
from localstack.aws.api.cloudformation import StackStatus
from localstack.aws.chain import HandlerChain
from localstack.http import Response
from localstack.services.cloudformation.engine.v2.change_set_model_executor import ChangeSetModelExecutor
from localstack.services.cloudformation.stores import get_cloudformation_store
from localstack.services.cloudformation.v2.entities import ChangeSet, Stack
from localstack.utils.patch import patch

from ..stacks import KeptStack, StackShelf

LOG = logging.getLogger(__name__)
_GIVES = {"CreateStack", "UpdateStack", "ExecuteChangeSet"}


class StackListener:
    """
    Attributes:
        is_open: False while stacks are brought back: nothing is learned from that
    """

    def __init__(self, shelf: StackShelf) -> None:
        self._shelf = shelf
        self._from_inside: set[tuple[str, str, str]] = set()
        self.is_open = False

    def install(self) -> None:
        """All ways to a stack (create, update, change set, delete) end in the executor's `execute`."""

        @patch(ChangeSetModelExecutor.execute)
        def execute(fn: Any, executor: ChangeSetModelExecutor) -> Any:
            change_set = executor._change_set
            is_deletion = change_set.stack.status == StackStatus.DELETE_IN_PROGRESS
            result = fn(executor)
            if self.is_open:
                try:
                    self._learn(change_set, is_deletion=is_deletion, has_failed=bool(result.failure_message))
                except OSError:
                    LOG.critical("keeper: stack %s WAS NOT KEPT", change_set.stack.stack_name, exc_info=True)
                    raise
            return result

    def note_call(self, chain: HandlerChain, context: RequestContext, response: Response) -> None:
        """Tell nested stacks, which their parents make again, from stacks that somebody made."""
        if not context.service or context.service.service_name != "cloudformation" or not context.operation:
            return
        name = (context.service_request or {}).get("StackName")
        if not name or not self.is_open:
            return
        # A stack or a change set may be named by its id: arn:…:stack/<name>/<id>
        name = name.split("/")[1] if name.startswith("arn:") else name
        stack = (context.account_id, context.region, name)
        if context.operation.name in _GIVES:
            (self._from_inside.add if context.is_internal_call else self._from_inside.discard)(stack)
        elif context.operation.name == "DeleteStack" and not _is_there(*stack):
            # It did not come back the last time, and is no longer wanted.
            self._shelf.forget(*stack)

    def _learn(self, change_set: ChangeSet, *, is_deletion: bool, has_failed: bool) -> None:
        stack = change_set.stack
        if is_deletion:
            self._shelf.forget(stack.account_id, stack.region_name, stack.stack_name)
        elif not has_failed and (stack.account_id, stack.region_name, stack.stack_name) not in self._from_inside:
            self._shelf.keep(_describe(change_set, stack))


def _describe(change_set: ChangeSet, stack: Stack) -> KeptStack:
    """As it was given: a value that CloudFormation looked up elsewhere (SSM) is looked up again."""
    parameters = change_set.resolved_parameters or {}
    return KeptStack(
        account=stack.account_id,
        region=stack.region_name,
        name=stack.stack_name,
        template=change_set.template_body or "",
        parameters={
            name: value["given_value"] for name, value in parameters.items() if value.get("given_value") is not None
        },
        capabilities=list(stack.capabilities or []),
        tags=[dict(tag) for tag in stack.tags or []],
    )


def _is_there(account: str, region: str, name: str) -> bool:
    stacks = get_cloudformation_store(account, region).stacks_v2.values()
    return any(stack.stack_name == name and stack.is_active() for stack in stacks)
