"""Whether Portico answers: a prediction through API Gateway, and the portal."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from deploy.doctor.cloud import Cloud
from deploy.doctor.engine import Engine
from deploy.doctor.finding import Fault

# A cold start of the function's container may take some seconds.
PREDICTION_WITHIN_S = 40
# What the original tool's model and the sample in its place take; another model says what it takes instead.
ROW = {"var_1": 1.2, "var_2": -0.3, "var_3": 0.5, "var_4": 0.1}


def check_prediction(cloud: Cloud, *, load_samples: str, logs: str) -> str:
    """The default model, asked as a program would ask it.

    Args:
        load_samples: the command that loads the sample models
        logs: the command that shows what the function said
    """
    url = f"{cloud.variables['PORTICO_API_URL']}/singlePrediction"
    try:
        status, answer = _post(url, ROW)
    except (OSError, ValueError) as error:
        raise Fault(
            f"{url} does not answer: {error}", f"Have the emulator make the API again: {cloud.restart}"
        ) from error
    said = str(answer.get("message", answer)) if isinstance(answer, dict) else str(answer)
    if status == 200:
        return f"{said} from {cloud.parameter('DefaultModel') or 'the drop-in model'}"
    if status == 400 and said.startswith("Error-Bad input"):
        return "the default model answers, and takes other features than the sample"
    if status == 404 and "model" in said.lower():
        raise Fault(
            f"API Gateway and the function are well, but there is no model that answers: {said}",
            f"Make one live in the portal's console, or load the samples: {load_samples}",
        )
    raise Fault(f"{url} answered {status}: {said} {_ask_directly(cloud)}".rstrip(), f"See why: {logs}")


def _post(url: str, row: dict[str, float]) -> tuple[int, Any]:
    request = urllib.request.Request(  # noqa: S310 -- the emulator's address
        url, data=json.dumps(row).encode(), headers={"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=PREDICTION_WITHIN_S) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            body = error.read()[:500].decode(errors="replace")
        try:
            return error.code, json.loads(body)
        except ValueError:
            return error.code, body


def _ask_directly(cloud: Cloud) -> str:
    """API Gateway does not say why a function failed; Lambda does."""
    event = json.dumps({"operation": "describe", "model": cloud.parameter("DefaultModel")}).encode()
    try:
        answer = cloud.target.functions.invoke(FunctionName=cloud.functions[0], Payload=event)
        told = json.loads(answer["Payload"].read() or b"{}")
    except Exception as error:
        return f"The function itself: {error}"
    return f"The function itself: {told.get('errorMessage')}" if "FunctionError" in answer else ""


def check_portal(url: str, *, start: str, engine: Engine | None = None) -> str:
    """Its /health/ answers, and it is the portal that does.

    Args: start: the command that starts it
    """
    try:
        with urllib.request.urlopen(f"{url}/health/", timeout=10) as answer:  # noqa: S310 -- the portal's address
            is_portal = json.load(answer) == {"ok": True}
    except urllib.error.HTTPError as error:
        with error:
            raise Fault(
                f"{url}/health/ answered {error.code}.", _see_log(engine) or f"Start it anew: {start}"
            ) from None
    except (OSError, ValueError) as error:
        raise Fault(
            f"No portal answers at {url}. {_say_state(engine)}".rstrip(), _see_log(engine) or f"Start it: {start}"
        ) from error
    if not is_portal:
        raise Fault(f"What answers at {url} is not the portal.", f"Free the port and start it: {start}")
    return url


def _say_state(engine: Engine | None) -> str:
    container = _find(engine)
    if container is None:
        return "" if engine is None else "It has no container."
    last = container.logs(tail=1).decode(errors="replace").strip()
    return f"Its container is {container.status}, its last line: {last or 'none'}"


def _see_log(engine: Engine | None) -> str:
    container = _find(engine)
    if engine is None or container is None or container.status == "exited":
        return ""
    return f"See why: {engine.command('logs', '--tail', '50', 'portal')}"


def _find(engine: Engine | None) -> Any | None:
    try:
        return engine.container("portal") if engine else None
    except Exception:  # the engine's own check says what is wrong with it
        return None
