"""/invocations, as MLflow's scoring server and SageMaker's containers have it, with /ping, /health and /version.

    application/json    one of dataframe_split, dataframe_records, instances, inputs; params.predict_method may be
                        "predict_proba"                                           → {"predictions": […]}
    text/csv            a header with the features' names, or none and the values in the features' order; where the
                        caller accepts text/csv, the answer is one line a row

Source: MLflow 3.17, mlflow/pyfunc/scoring_server; Amazon SageMaker, "Custom inference code with hosting services"
"""

import csv
import io
from collections.abc import Sequence
from typing import Any

from predictor.engines import Answers
from predictor.features import Feature
from predictor.loaded_model import LoadedModel
from predictor.serving.calls import Answer, BadValues, Call, Refusal, read_json, to_json
from predictor.serving.columns import name_some, pick_columns, predict_columns, turn_rows

_FORMATS = ("dataframe_split", "dataframe_records", "instances", "inputs")
_METHODS = ("predict", "predict_proba")
_CODES = {404: "RESOURCE_DOES_NOT_EXIST", 503: "TEMPORARILY_UNAVAILABLE", 504: "DEADLINE_EXCEEDED"}

_Columns = Sequence[Sequence[Any]]


def invoke(call: Call) -> Answer:
    """Answer a POST to /invocations. Raises: Refusal, Fault."""
    kind = _read_content_type(call.headers.get("content-type", ""))
    model = call.find_model()
    if kind == "text/csv":
        columns, method = _read_csv(model.features, call.body), "predict"
    else:
        body = read_json(call.body)
        method = _read_method(body.get("params"), model)
        columns = _read_body(model.features, body)
    predictions = _pick(predict_columns(model, columns), method)
    if _wants_csv(call.headers.get("accept", "")):
        return Answer(200, _write_csv(predictions), "text/csv; charset=utf-8")
    return to_json({"predictions": predictions})


def word(refusal: Refusal) -> Answer:
    """A refusal in MLflow's form."""
    default = "INTERNAL_ERROR" if refusal.status >= 500 else "BAD_REQUEST"
    code = "INVALID_PARAMETER_VALUE" if isinstance(refusal, BadValues) else _CODES.get(refusal.status, default)
    return to_json({"error_code": code, "message": refusal.message}, status=refusal.status)


def _read_content_type(header: str) -> str:
    kind, _, rest = header.partition(";")
    kind = kind.strip().lower()
    if kind not in ("application/json", "text/csv"):
        named = f"not {kind[:60]!r}" if kind else "and the request names no Content-Type"
        raise Refusal(415, f"Only application/json and text/csv are read here, {named}.")
    for parameter in filter(None, map(str.strip, rest.split(";"))):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset" and value.strip(' "').lower() not in ("utf-8", "utf8"):
            raise Refusal(415, "Only UTF-8 is read here: leave the charset out, or say charset=utf-8.")
    return kind


def _wants_csv(accept: str) -> bool:
    return accept.partition(";")[0].strip().lower() == "text/csv"


def _read_method(params: object, model: LoadedModel) -> str:
    if params is None:
        return "predict"
    if not isinstance(params, dict):
        raise Refusal(400, "`params` must be a JSON object.")
    method = params.get("predict_method", "predict")
    if method not in _METHODS:
        raise BadValues(f"`predict_method` must be one of {', '.join(_METHODS)}.")
    if method == "predict_proba" and not model.output.probabilities:
        raise BadValues("This model gives no probabilities. Leave `predict_method` out.")
    return str(method)


def _pick(answers: Answers, method: str) -> list[Any]:
    if method == "predict_proba":
        return answers.probabilities or []
    return answers.values if answers.labels is None else answers.labels  # type: ignore[return-value]  # one is there


def _read_body(features: Sequence[Feature], body: dict[str, Any]) -> _Columns:
    found = [name for name in _FORMATS if name in body]
    if len(found) != 1:
        named = f"it has {name_some(found)}" if found else f"it has {name_some(list(body))}" if body else "it is empty"
        raise Refusal(400, f"The request's body must have exactly one of {', '.join(_FORMATS)}; {named}.")
    value = body[found[0]]
    if found[0] == "dataframe_split":
        return _read_split(features, value)
    if isinstance(value, dict) and found[0] != "dataframe_records":
        return _read_named(features, value)
    if not isinstance(value, list):
        raise Refusal(400, f"`{found[0]}` must be a list of rows.")
    if value and all(isinstance(row, dict) for row in value):
        return _read_records(features, value)
    if found[0] == "dataframe_records":
        raise Refusal(400, "`dataframe_records` must be a list of objects, one a row, with at least one row.")
    return _read_positional(features, value)


def _read_split(features: Sequence[Feature], value: Any) -> _Columns:
    names, rows = (value.get("columns"), value.get("data")) if isinstance(value, dict) else (None, None)
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise Refusal(400, "`dataframe_split` must be an object of `columns` and `data`, the data a list of lists.")
    if names is None:
        return turn_rows(features, rows)
    if not isinstance(names, list) or len(set(map(str, names))) < len(names):
        raise Refusal(400, "`columns` must be a list of names, each of them once.")
    for place, row in enumerate(rows):
        if len(row) != len(names):
            raise Refusal(400, f"Row {place + 1} has {len(row)} values, and there are {len(names)} columns.")
    turned = list(zip(*rows, strict=True)) or [()] * len(names)
    return pick_columns(features, {str(name): column for name, column in zip(names, turned, strict=True)})


def _read_records(features: Sequence[Feature], rows: list[dict[str, Any]]) -> _Columns:
    there = set().union(*rows)
    return pick_columns(features, {name: [row.get(name) for row in rows] for name in there})


def _read_named(features: Sequence[Feature], value: dict[str, Any]) -> _Columns:
    """Columns by their names, each [n], [n, 1] or a single value."""
    return pick_columns(
        features, {name: [_unwrap(entry) for entry in _as_list(column)] for name, column in value.items()}
    )


def _read_positional(features: Sequence[Feature], rows: list[Any]) -> _Columns:
    """Rows of values; of a model with a single feature, also bare values."""
    if len(features) == 1:
        return turn_rows(features, [_as_list(row) for row in rows])
    if not all(isinstance(row, list) for row in rows):
        raise Refusal(400, "The rows must all be lists of values, or all be objects of names and values.")
    return turn_rows(features, rows)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _unwrap(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _read_csv(features: Sequence[Feature], body: bytes) -> _Columns:
    """SageMaker's rule and MLflow's: a first row that names all features is a header, in any order and with others
    among them; else as many columns as there are features are taken in the features' order."""
    try:
        rows = [row for row in csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")) if row]
    except UnicodeDecodeError:
        raise Refusal(400, "The request's body is not UTF-8.") from None
    except csv.Error as problem:
        raise Refusal(400, f"The request's body is not CSV: {problem}.") from None
    if not rows:
        raise Refusal(400, "The request has no body. Send CSV, one line a row.")
    names = [name.strip() for name in rows[0]]
    if {feature.name for feature in features} <= set(names):
        return _read_split(features, {"columns": names, "data": rows[1:]})
    if len(names) != len(features):
        raise Refusal(
            400,
            f"The first line has {len(names)} columns and does not name the model's {len(features)} features: "
            f"{name_some([feature.name for feature in features])}. Begin with a line of these names, or send exactly "
            "these columns in this order.",
        )
    return turn_rows(features, rows)


def _write_csv(predictions: list[Any]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows(_as_list(prediction) for prediction in predictions)
    return text.getvalue().encode()
