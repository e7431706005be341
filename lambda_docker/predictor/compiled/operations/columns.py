"""Pipelines, and what deals columns out: column transformers, unions, selections, columns passed through."""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

from predictor.compiled.numbers import pack, unpack
from predictor.compiled.operations.certain import require_exact, require_finite
from predictor.compiled.operations.sparse import write_noughts
from predictor.compiled.terms import CannotCompile, Entry, Operation, Predictor, Read, Row, Transform, Write

_SELECTORS = (
    "sklearn.feature_selection._univariate_selection.SelectKBest",
    "sklearn.feature_selection._univariate_selection.SelectPercentile",
    "sklearn.feature_selection._univariate_selection.SelectFpr",
    "sklearn.feature_selection._univariate_selection.SelectFdr",
    "sklearn.feature_selection._univariate_selection.SelectFwe",
    "sklearn.feature_selection._univariate_selection.GenericUnivariateSelect",
    "sklearn.feature_selection._variance_threshold.VarianceThreshold",
    "sklearn.feature_selection._from_model.SelectFromModel",
    "sklearn.feature_selection._sequential.SequentialFeatureSelector",
)
_PASSED_THROUGH = {"op": "pass"}


def _write_pipeline(pipeline: Any, write: Write) -> Entry:
    steps = [step for _, step in pipeline.steps if step is not None and step != "passthrough"]
    written = [write(step) for step in steps]
    for place, entry in enumerate(written):
        require_exact(written[:place], entry)
    write_noughts(steps, written)
    return {"steps": written}


def _read_pipeline(entry: Mapping[str, Any], read: Read) -> Transform | Predictor:
    steps = [read(step) for step in entry["steps"]]
    transforms, last = (steps[:-1], steps[-1]) if steps and isinstance(steps[-1], Predictor) else (steps, None)
    prepare = _chain(transforms)
    if last is None:
        return prepare
    if not transforms:
        return last
    answer, decide = last.answer, last.decide
    return Predictor(
        last.gives, lambda row: answer(prepare(row)), None if decide is None else lambda row: decide(prepare(row))
    )


def _chain(transforms: Sequence[Transform]) -> Transform:
    if len(transforms) == 1:
        return transforms[0]
    if len(transforms) == 2:
        first, second = transforms
        return lambda row: second(first(row))

    def apply(row: Row) -> Row:
        for transform in transforms:
            row = transform(row)
        return row

    return apply


def _write_column_transformer(transformer: Any, write: Write) -> Entry:
    # What fit() made of names, slices, masks and callables.
    places = transformer._transformer_to_input_indices
    parts = []
    for name, part, _ in transformer.transformers_:
        columns = [int(place) for place in places[name]]
        if part == "drop" or not columns:
            continue
        weight = (transformer.transformer_weights or {}).get(name)
        entry = _PASSED_THROUGH if part == "passthrough" else write(part)
        parts.append({"columns": columns, "of": entry, **({} if weight is None else {"weight": float(weight)})})
    return {"parts": parts}


def _write_union(union: Any, write: Write) -> Entry:
    weights = union.transformer_weights or {}
    parts = []
    for name, part in union.transformer_list:
        if part == "drop":
            continue
        weight = {"weight": float(weights[name])} if weights.get(name) is not None else {}
        parts.append({"of": _PASSED_THROUGH if part == "passthrough" else write(part), **weight})
    return {"parts": parts}


def _read_parts(entry: Mapping[str, Any], read: Read) -> Transform:
    parts = [_read_part(part, read) for part in entry["parts"]]
    if len(parts) == 2:
        first, second = parts
        return lambda row: first(row) + second(row)

    def deal(row: Row) -> Row:
        dealt: Row = []
        for part in parts:
            dealt += part(row)
        return dealt

    return deal


def _read_part(part: Mapping[str, Any], read: Read) -> Transform:
    transforms = [] if part["of"] == _PASSED_THROUGH and "columns" in part else [read(part["of"])]
    if "weight" in part:
        weight = float(part["weight"])
        transforms.append(lambda row: [value * weight for value in row])
    if "columns" not in part:
        return _chain(transforms)
    if not transforms:
        return pick(part["columns"])
    return _of_columns(part["columns"], _chain(transforms))


def _of_columns(columns: Sequence[int], transform: Transform) -> Transform:
    stretch = _stretch(columns)
    if stretch is not None:
        return lambda row: transform(row[stretch])
    picked = pick(columns)
    return lambda row: transform(picked(row))


def pick(columns: Sequence[int]) -> Transform:
    """What takes these columns out of a row, in this order."""
    stretch = _stretch(columns)
    if stretch is not None:
        return itemgetter(stretch)
    picked = itemgetter(*columns)
    return lambda row: list(picked(row))


def _stretch(columns: Sequence[int]) -> slice | None:
    """The columns as a slice, if they are one."""
    first = columns[0]
    return slice(first, first + len(columns)) if list(columns) == list(range(first, first + len(columns))) else None


def _write_selection(selector: Any, write: Write) -> Entry:
    return {"columns": pack("i", selector.get_support(indices=True))}


def _read_selection(entry: Mapping[str, Any], read: Read) -> Transform:
    columns = unpack(entry["columns"])
    picked: Transform = pick(columns) if columns else lambda row: []
    # What is left out is refused as well.
    return lambda row: picked(require_finite(row))


def _write_function(transformer: Any, write: Write) -> Entry:
    if transformer.func is not None:
        raise CannotCompile("a FunctionTransformer runs a function of its author's")
    return {}


def _write_search(search: Any, write: Write) -> Entry:
    return {"steps": [write(search.best_estimator_)]}


OPERATIONS = (
    Operation("pipeline", ("sklearn.pipeline.Pipeline",), _write_pipeline, _read_pipeline),
    Operation(
        "columns", ("sklearn.compose._column_transformer.ColumnTransformer",), _write_column_transformer, _read_parts
    ),
    Operation("union", ("sklearn.pipeline.FeatureUnion",), _write_union, _read_parts),
    Operation("select", _SELECTORS, _write_selection, _read_selection),
    Operation(
        "pass",
        ("sklearn.preprocessing._function_transformer.FunctionTransformer",),
        _write_function,
        lambda entry, read: list,
    ),
    Operation(
        "search",
        (
            "sklearn.model_selection._search.GridSearchCV",
            "sklearn.model_selection._search.RandomizedSearchCV",
            "sklearn.model_selection._search_successive_halving.HalvingGridSearchCV",
            "sklearn.model_selection._search_successive_halving.HalvingRandomSearchCV",
        ),
        _write_search,
        _read_pipeline,
    ),
)
