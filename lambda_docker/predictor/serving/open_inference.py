"""The Open Inference Protocol (v2), as KServe, MLServer and Triton have it.

    GET   /v2   /v2/health/live   /v2/health/ready   /v2/models/{m}[/versions/{v}]   …/ready
    POST  /v2/models/{m}[/versions/{v}]/infer

A model takes one tensor [n, f], or one tensor a feature as [n] or [n, 1]; it answers `predict` [n, 1] and, where it
gives probabilities, `predict_proba` [n, k]. Answers are JSON; Triton's binary form is read in requests.
"""

from collections.abc import Sequence
from typing import Any

from predictor import keys
from predictor.engines import Answers
from predictor.errors import UnknownModel, UnknownVersion
from predictor.loaded_model import LoadedModel
from predictor.published import DROP_IN_SLUG
from predictor.serving import VERSION
from predictor.serving.calls import Answer, Call, Refusal, read_json, to_json
from predictor.serving.columns import name_some, pick_columns, predict_columns
from predictor.serving.tensors import Tensor, datatype_of, datatype_of_labels, read_tensors, write_tensor

_BINARY = "inference-header-content-length"


def show_server(call: Call) -> Answer:
    return to_json({"name": "portico", "version": VERSION, "extensions": ["binary_tensor_data"]})


def show_model(call: Call) -> Answer:
    """What a model takes and gives. Raises: Fault."""
    model = _find_model(call)
    inputs = [{"name": feature.name, "datatype": datatype_of(feature), "shape": [-1, 1]} for feature in model.features]
    outputs = [{"name": "predict", "datatype": _datatype_of_answers(model), "shape": [-1, 1]}]
    if model.output.probabilities:
        outputs.append({"name": "predict_proba", "datatype": "FP64", "shape": [-1, len(model.output.classes or ())]})
    return to_json(
        {
            "name": model.slug,
            "versions": [_version_of(model)],
            "platform": "sklearn",
            "inputs": inputs,
            "outputs": outputs,
        }
    )


def show_ready(call: Call) -> Answer:
    """Whether a model answers. Raises: Fault."""
    return to_json({"name": _find_model(call).slug, "ready": True})


def infer(call: Call) -> Answer:
    """Answer a POST to …/infer. Raises: Refusal, Fault."""
    model = _find_model(call)
    body, binary = _read_body(call)
    tensors = read_tensors(body.get("inputs"), binary)
    answers = predict_columns(model, _to_columns(model, tensors))
    outputs = _choose(_write_answers(model, answers), body.get("outputs"))
    named = {"id": body["id"]} if isinstance(body.get("id"), str) else {}
    return to_json({"model_name": model.slug, "model_version": _version_of(model), **named, "outputs": outputs})


def word(refusal: Refusal) -> Answer:
    """A refusal in the protocol's form."""
    return to_json({"error": refusal.message}, status=refusal.status)


def _find_model(call: Call) -> LoadedModel:
    _, _, slug, *rest = filter(None, call.path.split("/"))
    version = rest[1] if rest[:1] == ["versions"] else ""
    model = _find_live(call, slug)
    if version in ("", _version_of(model)):
        return model
    # Of a model without versions, the beginning of its checksum stands in their place.
    if model.version is None or not version.isdecimal() or not 0 < int(version) < 10**9:
        raise UnknownVersion(f"The model '{model.slug}' has no version '{version[:40]}'.")
    return call.find_model(slug, int(version))


def _find_live(call: Call, slug: str) -> LoadedModel:
    if slug != DROP_IN_SLUG and not keys.is_slug(slug):
        raise UnknownModel(f"There is no model '{slug[:40]}'.")
    return call.find_model("" if slug == DROP_IN_SLUG else slug)


def _version_of(model: LoadedModel) -> str:
    return model.tag().rpartition("/")[2]


def _read_body(call: Call) -> tuple[dict[str, Any], bytes]:
    """The JSON, and what follows it where the caller says that something does."""
    length = call.headers.get(_BINARY)
    if length is None:
        return read_json(call.body), b""
    if not length.isdecimal() or int(length) > len(call.body):
        raise Refusal(400, "Inference-Header-Content-Length must be the length of the JSON within the body.")
    return read_json(call.body[: int(length)]), call.body[int(length) :]


def _to_columns(model: LoadedModel, tensors: Sequence[Tensor]) -> list[Sequence[Any]]:
    features = model.features
    if len(tensors) == 1 and tensors[0].name not in {feature.name for feature in features}:
        return _split_table(model, tensors[0])
    named: dict[str, Sequence[Any]] = {}
    for tensor in tensors:
        if tensor.name in named:
            raise Refusal(400, f"Two of the inputs are called {name_some([tensor.name])}.")
        if len(tensor.shape) != 1 and tensor.shape[1:] != (1,):
            raise Refusal(400, f"The input {name_some([tensor.name])} must have the shape [n] or [n, 1].")
        named[tensor.name] = tensor.values
    return pick_columns(features, named)


def _split_table(model: LoadedModel, tensor: Tensor) -> list[Sequence[Any]]:
    width = len(model.features)
    if len(tensor.shape) == 1 and width == 1:
        return [tensor.values]
    if len(tensor.shape) != 2 or tensor.shape[1] != width:
        raise Refusal(
            400,
            f"The input {name_some([tensor.name])} has the shape {list(tensor.shape)}. Send [n, {width}], the columns "
            f"in the order of {name_some([feature.name for feature in model.features])}; or one input a feature.",
        )
    return [tensor.values[place::width] for place in range(width)]


def _write_answers(model: LoadedModel, answers: Answers) -> list[dict[str, Any]]:
    values = answers.values if answers.labels is None else answers.labels
    labels = list(values or ())
    kind = _datatype_of_answers(model)
    outputs = [write_tensor("predict", [len(labels), 1], kind, list(map(str, labels)) if kind == "BYTES" else labels)]
    if answers.probabilities is not None:
        shape = [len(labels), len(answers.probabilities[0])]
        flat = [value for row in answers.probabilities for value in row]
        outputs.append(write_tensor("predict_proba", shape, "FP64", flat))
    return outputs


def _datatype_of_answers(model: LoadedModel) -> str:
    if model.output.type == "regression":
        return "FP64"
    return datatype_of_labels(model.output.classes or ()) if model.output.classes else "INT64"


def _choose(outputs: list[dict[str, Any]], wanted: Any) -> list[dict[str, Any]]:
    """The outputs that were asked for, all of them where none were."""
    if wanted is None or wanted == []:
        return outputs
    if not isinstance(wanted, list) or not all(isinstance(entry, dict) and "name" in entry for entry in wanted):
        raise Refusal(400, "`outputs` must be a list of objects with a name each.")
    known = {output["name"]: output for output in outputs}
    names = [str(entry["name"]) for entry in wanted]
    strange = [name for name in names if name not in known]
    if strange:
        raise Refusal(400, f"The model has no output {name_some(strange)}; it has {name_some(list(known))}.")
    return [known[name] for name in names]
