"""What a fitted estimator says about its inputs, found by walking it; nothing is predicted here.

The walk follows pipelines, column transformers, unions, searches and ensembles down to the transformers that see the
original columns, and leaves a hint at each column. It reads attributes only, and expects none to be there or to be
readable: get_params() and repr() fail on estimators that an older scikit-learn wrote, and any property may raise.
"""

import functools
import math
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from predictor.features import Choice

# Where an estimator keeps the one that sees the same columns as itself.
_WRAPPED = ("best_estimator_", "estimator_", "regressor_", "classifier_", "base_estimator_", "_preprocessor")
_WRAPPED_MANY = ("estimators_", "calibrated_classifiers_")
_TEXT_VECTORIZERS = frozenset({"CountVectorizer", "TfidfVectorizer", "HashingVectorizer"})
# They take a single column and keep no count.
_ONE_COLUMN = frozenset({"IsotonicRegression"})
# Transformers that give one column for each column they take, in the same order.
_COLUMN_BY_COLUMN = frozenset(
    [
        "StandardScaler",
        "MinMaxScaler",
        "MaxAbsScaler",
        "RobustScaler",
        "QuantileTransformer",
        "PowerTransformer",
        "OrdinalEncoder",
        "SimpleImputer",
        "KNNImputer",
        "IterativeImputer",
        "FunctionTransformer",
        "Normalizer",
        "Binarizer",
    ]
)


_NAME_MAX_CHARACTERS = 100
# Estimators within estimators; deeper ones are not looked at.
_DEPTH = 8
_SAMPLED_WORDS = 24
# More are a text for people; no form could offer them.
_MOST_CHOICES = 10_000


@dataclass
class Hint:
    """What the walk found out about one column. spread: how far its numbers lie apart; words: some of a text's."""

    kind: str | None = None
    choices: tuple[Choice, ...] | None = None
    default: Choice | None = None
    spread: float | None = None
    words: tuple[str, ...] = ()
    knows_missing: bool = False
    missing_marker: Any = math.nan


@dataclass
class Inspection:
    """The inputs of an estimator.

    shape: "dataframe", "array", or "texts" for one that takes a list of texts and no table
    """

    names: list[str]
    shape: str
    hints: list[Hint] = field(default_factory=list)


def inspect(estimator: Any) -> Inspection | None:
    """The estimator's inputs, or None where nothing in it says how many there are."""
    if _takes_texts(estimator):
        found = Inspection(names=["text"], shape="texts", hints=[Hint(kind="text", default="")])
        _walk(estimator, [0], found)
        return found
    names = _first_attribute(estimator, "feature_names_in_")
    catboost_names = _catboost_names(estimator) if names is None else None
    if catboost_names is not None and not _are_numbered(catboost_names):
        names = catboost_names
    if names is not None:
        found = Inspection(names=[str(name) for name in names], shape="dataframe")
    else:
        count = len(catboost_names) if catboost_names else _count_of(estimator)
        if not isinstance(count, int | np.integer):
            return None
        found = Inspection(names=[f"x{index}" for index in range(int(count))], shape="array")
    found.hints = [Hint() for _ in found.names]
    _walk(estimator, list(range(len(found.names))), found)
    return found


def steps_of(estimator: Any) -> list[dict[str, str]]:
    """The steps of the pipeline, outermost first; one step where there is no pipeline."""
    pipeline = estimator
    for _ in range(_DEPTH):
        if _steps(pipeline) or read(pipeline, "best_estimator_") is None:
            break
        pipeline = read(pipeline, "best_estimator_")
    named = _steps(pipeline) or [("model", estimator)]
    return [{"name": str(name)[:_NAME_MAX_CHARACTERS], "class": class_name(step)} for name, step in named]


def final_estimator(estimator: Any) -> Any:
    """The estimator that predicts, out of searches and pipelines."""
    for _ in range(_DEPTH):
        best, steps = read(estimator, "best_estimator_"), _steps(estimator)
        if best is None and not steps:
            break
        estimator = best if best is not None else steps[-1][1]
    return estimator


def is_of_scikit_learn(estimator: Any, *, depth: int = _DEPTH) -> bool:
    """Whether an estimator, and each that it holds, is scikit-learn's own and calls no function of anybody else's."""
    if not type(estimator).__module__.startswith("sklearn.") or depth == 0:
        return False
    held = [value for value in vars(estimator).values() if value is not None]
    while held:
        value = held.pop()
        if isinstance(value, list | tuple | set):
            held += value
        elif isinstance(value, dict):
            held += value.values()
        elif _is_foreign(value, depth):
            return False
    return True


def _is_foreign(value: Any, depth: int) -> bool:
    """Whether it is a function, or an estimator that is not scikit-learn's."""
    if isinstance(value, types.FunctionType | types.MethodType | functools.partial):
        return not str(getattr(value, "__module__", "")).startswith("sklearn.")
    return hasattr(value, "get_params") and not is_of_scikit_learn(value, depth=depth - 1)


def class_name(step: Any) -> str:
    """The name of a step's class, or the step itself where it is a word ("passthrough")."""
    return (step if isinstance(step, str) else str(type(step).__name__))[:_NAME_MAX_CHARACTERS]


def read(estimator: Any, attribute: str) -> Any:
    """An attribute, or None where it is not there or raises, as properties of half-fitted pipelines do."""
    try:
        return getattr(estimator, attribute, None)
    except Exception:
        return None


def to_json_value(value: Any) -> Any:
    """A numpy scalar as the Python value that JSON writes; other values unchanged."""
    return value.item() if isinstance(value, np.generic) else value


def _steps(estimator: Any) -> list[tuple[Any, Any]]:
    """A pipeline's steps; empty for anything else, whatever its `steps` may be."""
    steps = read(estimator, "steps")
    if not isinstance(steps, list | tuple):
        return []
    return [tuple(step) for step in steps if isinstance(step, list | tuple) and len(step) == 2]


def _inner(estimator: Any) -> Iterator[Any]:
    """The estimators that see the same columns, in the order of seeing them."""
    yield from (step for _, step in _steps(estimator)[:1])
    for attribute in _WRAPPED:
        found = read(estimator, attribute)
        if found is not None and not isinstance(found, str):
            yield found
    united = read(estimator, "transformer_list")
    for entry in united if isinstance(united, list | tuple) else ():
        yield entry[1]
    for attribute in _WRAPPED_MANY:
        yield from _members(read(estimator, attribute))


def _members(found: Any) -> Iterator[Any]:
    if found is None or callable(found):
        return
    # The first tells enough: members see the same columns, and a forest has hundreds.
    for member in list(np.ravel(np.asarray(found, dtype=object)))[:3]:
        inner = read(member, "estimator")
        yield member if inner is None else inner


def _first_attribute(estimator: Any, attribute: str, *, depth: int = 0) -> Any:
    value = read(estimator, attribute)
    if value is not None or depth > _DEPTH:
        return value
    for inner in _inner(estimator):
        value = _first_attribute(inner, attribute, depth=depth + 1)
        if value is not None:
            return value
    return None


def _count_of(estimator: Any) -> Any:
    count = _first_attribute(estimator, "n_features_in_")
    return 1 if count is None and class_name(final_estimator(estimator)) in _ONE_COLUMN else count


def _catboost_names(estimator: Any, *, depth: int = 0) -> list[str] | None:
    """CatBoost's word for feature_names_in_, and all that a loaded model of its knows of its inputs."""
    if _is_catboost(estimator):
        return read(estimator, "feature_names_")
    if depth > _DEPTH:
        return None
    return next((found for inner in _inner(estimator) if (found := _catboost_names(inner, depth=depth + 1))), None)


def _is_catboost(estimator: Any) -> bool:
    return any(kind.__module__.split(".")[0] == "catboost" for kind in type(estimator).__mro__)


def _are_numbered(names: Sequence[str]) -> bool:
    """Whether these are the names that CatBoost gives the columns of an array."""
    return list(names) == [str(place) for place in range(len(names))]


def _takes_texts(estimator: Any, *, depth: int = 0) -> bool:
    if type(estimator).__name__ in _TEXT_VECTORIZERS:
        return True
    return depth < _DEPTH and any(_takes_texts(inner, depth=depth + 1) for inner in _inner(estimator))


def _walk(estimator: Any, columns: Sequence[int], found: Inspection, depth: int = 0) -> None:
    """Leave hints at `columns`, the indices of the original columns that this estimator sees."""
    if depth > 12 or isinstance(estimator, str) or estimator is None:
        return
    _read_hints(estimator, columns, found)
    parts = read(estimator, "transformers_")
    if isinstance(parts, list | tuple):
        for _, transformer, spec in parts:
            _walk(transformer, _resolve(spec, columns, found, estimator), found, depth + 1)
    elif _steps(estimator):
        for _, step in _steps(estimator):
            _walk(step, columns, found, depth + 1)
            if not _is_column_by_column(step, columns):
                break
    else:
        for inner in _inner(estimator):
            if read(inner, "n_features_in_") in (None, len(columns)):
                _walk(inner, columns, found, depth + 1)


def _is_column_by_column(step: Any, columns: Sequence[int]) -> bool:
    if isinstance(step, str) or step is None:
        return True
    if type(step).__name__ not in _COLUMN_BY_COLUMN or read(step, "indicator_") is not None:
        return False
    statistics = read(step, "statistics_")
    if statistics is None:
        return True
    # An imputer drops the columns in which it saw no value at all.
    return not any(_is_missing(value) for value in np.ravel(np.asarray(statistics, dtype=object)))


def _resolve(spec: Any, columns: Sequence[int], found: Inspection, transformer: Any) -> list[int]:
    """The original indices behind a column specification: names, indices, slices or a mask."""
    names = [str(name) for name in getattr(transformer, "feature_names_in_", [found.names[i] for i in columns])]
    position = {name: place for place, name in enumerate(names)}
    if isinstance(spec, slice):
        places = _resolve_slice(spec, position, len(columns))
    else:
        listed: list[Any] = [spec] if isinstance(spec, str) or np.isscalar(spec) else list(spec)
        if listed and all(isinstance(item, bool | np.bool_) for item in listed):
            places = [place for place, chosen in enumerate(listed) if chosen]
        else:
            known = [item for item in listed if not isinstance(item, str) or item in position]
            places = [position[item] if isinstance(item, str) else int(item) for item in known]
    return [columns[place] for place in places if -len(columns) <= place < len(columns)]


def _resolve_slice(spec: slice, position: dict[str, int], count: int) -> list[int]:
    if isinstance(spec.start, str) or isinstance(spec.stop, str):
        start = position[spec.start] if spec.start is not None else None
        # By name a slice includes its end, as in pandas.
        stop = position[spec.stop] + 1 if spec.stop is not None else None
        spec = slice(start, stop, spec.step)
    return list(range(count))[spec]


def _read_hints(estimator: Any, columns: Sequence[int], found: Inspection) -> None:
    if type(estimator).__name__ in _TEXT_VECTORIZERS:
        for column in columns:
            hint = found.hints[column]
            hint.kind, hint.default, hint.words = "text", "", _sample_words(estimator)
        return
    if _is_catboost(estimator):
        # It takes texts for these, and hashes them: which ones it saw it does not say.
        for place in estimator.get_cat_feature_indices():
            found.hints[columns[place]].kind, found.hints[columns[place]].default = "text", ""
        return
    categories = read(estimator, "categories_")
    if isinstance(categories, list) and len(categories) == len(columns):
        for column, values in zip(columns, categories, strict=True):
            _hint_choices(found.hints[column], values)
    if "Imputer" in type(estimator).__name__:
        for column in columns:
            hint = found.hints[column]
            hint.knows_missing = True
            if hasattr(estimator, "missing_values") and estimator.missing_values is None:
                hint.missing_marker = None
    for column, default in zip(columns, _defaults_of(estimator, len(columns)), strict=False):
        if found.hints[column].default is None:
            found.hints[column].default = default
    for column, spread in zip(columns, _spreads_of(estimator, len(columns)), strict=False):
        if found.hints[column].spread is None and spread:
            found.hints[column].spread = spread


def _hint_choices(hint: Hint, values: Iterable[Any]) -> None:
    known = [to_json_value(value) for value in values]
    if not all(value is None or isinstance(value, str | int | float | bool) for value in known):
        return  # dates and the like, which JSON cannot write
    missing = [value for value in known if _is_missing(value)]
    choices = tuple(value for value in known if not _is_missing(value))
    if len(choices) > _MOST_CHOICES:
        hint.kind, hint.default = "text", str(choices[0])
    else:
        hint.kind, hint.choices = "choice", choices
    if missing:
        hint.knows_missing = True
        hint.missing_marker = None if missing[0] is None else math.nan


def _sample_words(vectorizer: Any) -> tuple[str, ...]:
    """Some of the words that it counts, for rows to try it with."""
    known = read(vectorizer, "vocabulary_")
    if not isinstance(known, Mapping) or not known:
        return ()
    words = sorted(str(word) for word in known)
    return tuple(words[:: max(1, len(words) // _SAMPLED_WORDS)][:_SAMPLED_WORDS])


def _defaults_of(estimator: Any, count: int) -> list[Choice | None]:
    """A typical value for each column, as far as this estimator knows one."""
    for attribute in ("statistics_", "mean_", "center_"):
        values = read(estimator, attribute)
        if values is not None and np.shape(values) == (count,):
            return [_rounded(value) for value in values]
    low, high = read(estimator, "data_min_"), read(estimator, "data_max_")
    if low is not None and high is not None and np.shape(low) == (count,):
        return [_rounded((a + b) / 2) for a, b in zip(low, high, strict=True)]
    return [_median(thresholds) for thresholds in _thresholds_of(estimator, count)]


def _spreads_of(estimator: Any, count: int) -> list[float | None]:
    """About a standard deviation of each column, as far as this estimator knows one."""
    for attribute, share in (("scale_", 1.0), ("data_range_", 0.25)):
        values = read(estimator, attribute)
        # A MinMaxScaler's scale_ is what it multiplies with.
        if attribute == "scale_" and read(estimator, "data_range_") is not None:
            continue
        if values is not None and np.shape(values) == (count,):
            return [_positive(share * float(value)) for value in values]
    # A tree may part what is missing from all else at infinity, and numbers as large as there are have no square.
    thresholds = [found[np.isfinite(found)] for found in _thresholds_of(estimator, count)]
    with np.errstate(over="ignore"):
        return [_positive(float(np.std(found))) if len(found) > 1 else None for found in thresholds]


def _thresholds_of(estimator: Any, count: int) -> list[Any]:
    """Where trees, and what resembles them, divide each column."""
    tree = read(estimator, "tree_")
    if tree is not None and hasattr(tree, "threshold"):
        return [tree.threshold[tree.feature == column] for column in range(count)]
    isotonic = read(estimator, "X_thresholds_")
    if isotonic is not None and count == 1:
        return [np.asarray(isotonic)]
    mapper = read(estimator, "_bin_mapper")
    if mapper is not None and len(mapper.bin_thresholds_) == count:
        return list(mapper.bin_thresholds_)
    return []


def _positive(value: float) -> float | None:
    return float(f"{value:.4g}") if math.isfinite(value) and value > 0 else None


def _median(values: Any) -> Choice | None:
    return _rounded(np.median(values)) if len(values) else None


def _rounded(value: Any) -> Choice | None:
    """Four significant digits are enough for a form's first value."""
    plain = to_json_value(value)
    if _is_missing(plain) or isinstance(plain, str | bool):
        return None if _is_missing(plain) else plain
    return float(f"{plain:.4g}") if isinstance(plain, int | float) and math.isfinite(plain) else None


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
