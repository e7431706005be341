"""Sparse tables: XGBoost takes the noughts that they leave out for missing, where every other model sees noughts."""

from collections.abc import Mapping, Sequence
from typing import Any

from predictor.compiled.operations.certain import operations_in
from predictor.compiled.terms import CannotCompile, Entry

_XGBOOST = {"xgboost_classifier", "xgboost_regressor"}


def write_noughts(steps: Sequence[Any], written: Sequence[Entry]) -> None:
    """Let XGBoost know which of a pipeline's steps before it leave noughts out.

    Raises: CannotCompile: they may leave some of them out, or it stands within another model
    """
    for place, entry in enumerate(written):
        if not operations_in(entry) & _XGBOOST or not any(map(_may_be_sparse, steps[:place])):
            continue
        if entry["op"] not in _XGBOOST or not _leaves_all_out(steps[place - 1]):
            raise CannotCompile("its XGBoost takes some noughts of a sparse table for missing")
        entry["noughts_are_missing"] = True


def _may_be_sparse(step: Any) -> bool:
    name = type(step).__name__
    if name == "Pipeline":
        return any(_may_be_sparse(one) for _, one in step.steps)
    if name == "FeatureUnion":
        return any(_may_be_sparse(one) for _, one in step.transformer_list)
    answer = _ANSWERS.get(name)
    return answer is not None and bool(answer(step))


_ANSWERS: Mapping[str, Any] = {
    "ColumnTransformer": lambda step: step.sparse_output_,
    "OneHotEncoder": lambda step: step.sparse_output,
    "KBinsDiscretizer": lambda step: step.encode == "onehot",
    "MissingIndicator": lambda step: step.sparse is True,
}


def _leaves_all_out(step: Any) -> bool:
    """Whether no nought is kept: categories have none, and what was dense loses them beside what is sparse."""
    name = type(step).__name__
    if name == "Pipeline":
        return _leaves_all_out(step.steps[-1][1])
    if name == "ColumnTransformer":
        parts = [part for _, part, _ in step.transformers_]
        return all(not _may_be_sparse(part) or _leaves_all_out(part) for part in parts)
    return name == "OneHotEncoder"
