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


def check_prediction(cloud: Cloud, *, begin_anew: str, logs: str) -> str:
    """The default model, asked as a program would ask it; where there is none, another one that is live.

    Args:
        begin_anew: the command that starts with the samples and nothing else
        logs: the command that shows what the function said
    """
    api = cloud.variables["PORTICO_API_URL"]
    status, said = _ask(cloud, f"{api}/singlePrediction")
    if _is_answer(status, said):
        return f"answer {said} from {cloud.parameter('DefaultModel') or 'the drop-in model'}"
    if status != 404 or "model" not in said.lower():
        raise Fault(f"{api}/singlePrediction answered {status}: {said} {_ask_directly(cloud)}".rstrip(), f"See: {logs}")
    live = find_live_model(cloud)
    if live is None:
        raise Fault(
            f"API Gateway and the function are well, but no model is live: {said}",
            "Upload one in the portal's console or make one live there; to begin anew with the samples, "
            f"losing everything else: {begin_anew}",
        )
    status, said = _ask(cloud, f"{api}/{live}/singlePrediction")
    if not _is_answer(status, said):
        raise Fault(f"{live} is live and answered {status}: {said}", f"See: {logs}")
    return f"{live} answers; the default model {cloud.parameter('DefaultModel')} is not live"


def find_live_model(cloud: Cloud) -> str | None:
    """The slug of a model that answers calls."""
    pages = cloud.target.s3.get_paginator("list_objects_v2").paginate(
        Bucket=cloud.variables["PORTICO_BUCKET"], Prefix="models/"
    )
    keys = (item["Key"].split("/") for page in pages for item in page.get("Contents", []))
    return next((key[1] for key in keys if key[2:] == ["live.json"]), None)


def _is_answer(status: int, said: str) -> bool:
    """A model that takes other features than the sample says which: it was loaded, and that is what counts here."""
    return status == 200 or (status == 400 and said.startswith("Error-Bad input"))


def _ask(cloud: Cloud, url: str) -> tuple[int, str]:
    try:
        status, answer = _post(url, ROW)
    except (OSError, ValueError) as error:
        raise Fault(
            f"{url} does not answer: {error}", f"Have the emulator make the API again: {cloud.restart}"
        ) from error
    if isinstance(answer, dict):
        answer = answer.get("message", answer.get("pred_proba", answer))
    return status, str(answer)


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
