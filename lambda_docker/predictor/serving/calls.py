"""What a protocol is given and gives back: Call, Answer, and Refusal for what cannot be answered."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from predictor import model_store
from predictor.errors import BadInput, BatchRefused, CallRefused, Fault
from predictor.events import NO_MODEL
from predictor.loaded_model import LoadedModel


class Refusal(Exception):
    """A call that is not answered; `message` is a sentence for its caller."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = dict(headers or {})


@dataclass(slots=True)
class Call:
    """A request whose body has arrived.

    headers: by their names in small letters; model_tag: whom it asks, once that is known
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    request_id: str
    model_tag: str = NO_MODEL

    def find_model(self, slug: str = "", version: int | None = None) -> LoadedModel:
        """The model that is asked; whatever becomes of the call, its answer names it. Raises: Fault."""
        store = model_store.store
        model = store.find(slug) if version is None else store.get(slug, version)[0]
        self.model_tag = model.tag()
        return model


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


Answering = Callable[[Call], Answer]
# How a protocol words a refusal.
Wording = Callable[[Refusal], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """Where a path leads.

    body_limit: the limit's name; asks_model: whether a model has to work for the answer
    """

    methods: Mapping[str, Answering]
    word: Wording
    body_limit: str = "PORTICO_SERVE_BODY_MAX_BYTES"
    asks_model: bool = True


def to_json(value: Any, *, status: int = 200) -> Answer:
    return Answer(status, _encode(value).encode())


def read_json(body: bytes) -> dict[str, Any]:
    """The body's object; NaN, which pandas writes for a missing value, is None. Raises: Refusal."""
    try:
        value = _decode(body.decode("utf-8"))
    except UnicodeDecodeError:
        raise Refusal(400, "The request's body is not UTF-8.") from None
    except (ValueError, RecursionError):
        raise Refusal(400, "The request's body is not JSON.") from None
    if not isinstance(value, dict):
        raise Refusal(400, "The request's body must be a JSON object.")
    return value


# Infinity stays what it is, so that the message about it can name it.
_CONSTANTS = {"NaN": None, "Infinity": float("inf"), "-Infinity": float("-inf")}
# Made once: json.loads and json.dumps make theirs for each call that tells them a wish.
_decode = json.JSONDecoder(parse_constant=_CONSTANTS.get).decode
_encode = json.JSONEncoder(allow_nan=False).encode


def as_refusal(problem: Exception) -> Refusal | None:
    """An expected fault as a refusal; None for a bug."""
    if isinstance(problem, Refusal):
        return problem
    if isinstance(problem, BadInput):
        return BadValues(problem.message)
    if isinstance(problem, BatchRefused):
        return Refusal(400, str(problem))
    if isinstance(problem, Fault | CallRefused):
        return Refusal(problem.status, problem.message, {"Retry-After": "5"} if problem.status == 503 else None)
    return None


class BadValues(Refusal):
    """The request has the right shape, and values that the model cannot use."""

    def __init__(self, message: str) -> None:
        super().__init__(400, message)
