"""Which path is whose."""

import functools

from predictor.serving import VERSION, mlflow, open_inference, original
from predictor.serving.calls import Answer, Answering, Call, Route, Wording, to_json

JSON_BODY_LIMIT = "PORTICO_BODY_MAX_BYTES"
PINGS = ("/ping", "/health", "/v2/health/live", "/v2/health/ready")


# Of what callers make up, the last few are kept.
@functools.lru_cache(maxsize=256)
def find_route(path: str) -> Route | None:
    """Where a path leads, or None where it leads nowhere."""
    segments = tuple(filter(None, path.split("/")))
    if segments[:1] == ("v2",):
        return _find_open_inference(segments)
    if segments == ("invocations",):
        return Route({"POST": mlflow.invoke}, mlflow.word)
    if segments in (("ping",), ("health",)):
        return _plain(_say_alive)
    if segments == ("version",):
        return _plain(_say_version)
    if any(call in segments[-2:] for call in original.CALLS):
        every = dict.fromkeys(("GET", "POST", "DELETE", "OPTIONS", "PUT", "PATCH", "HEAD"), original.answer)
        return Route(every, original.word, body_limit=JSON_BODY_LIMIT)
    return None


def wording_of(path: str, route: Route | None) -> Wording:
    """How a refusal is worded on this path."""
    if route is not None:
        return route.word
    return open_inference.word if path.startswith("/v2/") else original.word


def _find_open_inference(segments: tuple[str, ...]) -> Route | None:
    ask: Answering | None = None
    match segments[1:]:
        case ():
            return Route({"GET": open_inference.show_server}, open_inference.word, asks_model=False)
        case ("health", "live"):
            return Route({"GET": _say_live}, open_inference.word, asks_model=False)
        case ("health", "ready"):
            return Route({"GET": _say_ready}, open_inference.word, asks_model=False)
        case ("models", _, "infer") | ("models", _, "versions", _, "infer"):
            return Route({"POST": open_inference.infer}, open_inference.word)
        case ("models", _, "ready") | ("models", _, "versions", _, "ready"):
            ask = open_inference.show_ready
        case ("models", _) | ("models", _, "versions", _):
            ask = open_inference.show_model
    return None if ask is None else Route({"GET": ask}, open_inference.word)


def _plain(ask: Answering) -> Route:
    return Route({"GET": ask, "HEAD": ask}, mlflow.word, asks_model=False)


def _say_alive(call: Call) -> Answer:
    return Answer(200, b"\n")


def _say_version(call: Call) -> Answer:
    return Answer(200, VERSION.encode(), "text/plain; charset=utf-8")


def _say_live(call: Call) -> Answer:
    return to_json({"live": True})


def _say_ready(call: Call) -> Answer:
    return to_json({"ready": True})
