"""Both rooms in one process: the portal's gateways call the container's real handlers, on the emulator's S3."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from portal.gateways import aws, inference
from predictor import model_store
from predictor.handler import handle, verify
from tests.predictor.factories import context_of

CONTRACT = Path(__file__).parents[2] / "docs" / "contract.md"


class InProcessLambda:
    """The Lambda service, as far as the portal uses it: the handler's own answer, over JSON both ways.

    Holds every request against botocore's description of Invoke, and keeps the events that came in.
    """

    def __init__(self, handlers: dict[str, Any]) -> None:
        self._handlers = handlers
        model = botocore.session.get_session().get_service_model("lambda")
        self._shape = model.operation_model("Invoke").input_shape
        self.events: list[dict[str, Any]] = []

    def invoke(self, **request: Any) -> dict[str, Any]:
        problems = ParamValidator().validate(request, self._shape)
        assert not problems.has_errors(), problems.generate_report()
        event = json.loads(request["Payload"])
        self.events.append(event)
        try:
            answer = self._handlers[request["FunctionName"]](event, context_of("request-1"))
        except Exception as problem:  # as Lambda reports any exception of a function
            fault = {"errorType": type(problem).__name__, "errorMessage": str(problem)}
            return {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": io.BytesIO(json.dumps(fault).encode())}
        return {"StatusCode": 200, "Payload": io.BytesIO(json.dumps(answer, allow_nan=False).encode())}


@pytest.fixture
def container(cloud, stack, monkeypatch) -> InProcessLambda:
    """What the portal's gateway invokes: the code in this repository, with a store that knows no model yet."""
    fake = InProcessLambda(
        {
            stack.environment["PORTICO_PREDICT_FUNCTION"]: handle,
            stack.environment["PORTICO_PREDICT_SMALL_FUNCTION"]: handle,
            stack.environment["PORTICO_VERIFY_FUNCTION"]: verify,
        }
    )
    monkeypatch.setattr(inference, "client", lambda service: fake if service == "lambda" else aws.client(service))
    monkeypatch.setattr(model_store, "store", model_store.ModelStore())
    return fake


@pytest.fixture(scope="session")
def contract() -> dict[str, str]:
    """docs/contract.md: the text of each section by its number."""
    parts = re.split(r"^## (\d)\. ", CONTRACT.read_text("utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))
