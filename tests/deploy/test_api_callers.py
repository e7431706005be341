"""The API behind a user pool: who has no token is refused by the gateway, before the function is asked."""

import uuid
from dataclasses import replace

import pytest

from deploy.embedded.emulator import Emulator
from deploy.execute import execute_plan
from deploy.outputs import portal_environment
from deploy.plan import make_plan
from deploy.targets import embedded_target
from tests.deploy.sending import send

pytestmark = [pytest.mark.embedded, pytest.mark.stack]  # LocalStack's free edition has no user pools

JOB = f"batchPrediction/{uuid.UUID(int=7)}"
CALLS = [("POST", "batchPrediction"), *((method, JOB) for method in ("GET", "DELETE", "PUT"))]


@pytest.fixture(scope="module")
def api_url(emulator: Emulator) -> str:
    """The address of the API of a stack of its own, which has a user pool."""
    target = embedded_target(emulator.endpoint, portal_origin="http://portal.test", environment="guarded")
    target = replace(target, parameters={**target.parameters, "WithCognito": "true"})
    return portal_environment(target, execute_plan(target, make_plan(target), lambda *_: None))["PORTICO_API_URL"]


@pytest.mark.parametrize("model_path", ["", "penguins/"])
@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize("token", [None, "junk", "a.b.c"])
def test_call_about_batches_without_a_good_token_is_a_401(api_url, token, method, path, model_path):
    headers = {"Content-Type": "application/json"} | ({"Authorization": token} if token else {})

    status, _, _ = send(method, f"{api_url}/{model_path}{path}", body=b"{}", headers=headers)

    assert status == 401


@pytest.mark.parametrize("path", ["batchPrediction", JOB, f"penguins/{JOB}"])
def test_preflight_needs_no_token(api_url, path):
    assert send("OPTIONS", f"{api_url}/{path}")[0] == 200
