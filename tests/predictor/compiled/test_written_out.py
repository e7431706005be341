"""Logistic models written out: usual rows are answered as the walk answers them, all others are left to it."""

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, OneHotEncoder, RobustScaler, StandardScaler

from predictor.compiled.operations import find
from predictor.compiled.written_out import write_out
from tests.predictor.compiled.comparing import Compared
from tests.predictor.compiled.fitting import few

_NUMBERS, _TEXTS = ["a", "b", "c"], ["city", "'] + exit() #"]
# A category that would be something else, were it text of a program.
_CITIES = ["Basel", "Bern", '"] or exit() #', "Zug"]
_BEHIND_COLUMNS = (
    make_column_transformer((StandardScaler(), _NUMBERS), (OneHotEncoder(), _TEXTS)),
    make_column_transformer((OneHotEncoder(drop="first"), _TEXTS), (MinMaxScaler(), ["c", "a"])),
    make_column_transformer((OneHotEncoder(handle_unknown="ignore"), _TEXTS), ("passthrough", _NUMBERS)),
    ColumnTransformer(
        [
            ("n", make_pipeline(SimpleImputer(), make_union(StandardScaler(), MaxAbsScaler())), _NUMBERS),
            ("t", make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder()), _TEXTS),
        ]
    ),
)
_LOGISTIC = LogisticRegression()


def _table(rows: int = 300) -> tuple[pd.DataFrame, np.ndarray]:
    random = np.random.default_rng(3)
    table = pd.DataFrame(random.normal(size=(rows, 3)) * [1, 10, 0.1], columns=_NUMBERS)
    for name in _TEXTS:
        table[name] = random.choice(_CITIES, rows)
    wanted = table["a"] + table["city"].map(_CITIES.index) - 1 + random.normal(size=rows) > 0
    return table, np.where(wanted, "yes", "no")


def _fitted(columns: Any) -> Any:
    return make_pipeline(columns, _LOGISTIC).fit(*_table())


@functools.cache
def _mixed() -> tuple[Compared, Any]:
    model = make_pipeline(make_column_transformer((StandardScaler(), _NUMBERS), (OneHotEncoder(), ["city"])), _LOGISTIC)
    table, wanted = _table()
    compared = Compared(model.fit(table.drop(columns=_TEXTS[1]), wanted))
    return compared, _write_out(compared)


def _write_out(compared: Compared) -> Any:
    return write_out(compared.document["model"], inputs=len(compared.description.features))


def _walk(entry: Any) -> Callable[[list[Any]], Any]:
    def read(part: Any) -> Any:
        return find(part["op"]).read(part, read)

    return read(entry).answer


@pytest.mark.parametrize("columns", _BEHIND_COLUMNS, ids=range(len(_BEHIND_COLUMNS)))
def test_columns_written_out_answer_as_scikit_learn_and_as_the_walk(columns: Any) -> None:
    compared = Compared(_fitted(columns))
    answer, walk = _write_out(compared), _walk(compared.document["model"])
    rows = _table()[0][[feature.name for feature in compared.description.features]].to_numpy(dtype=object).tolist()

    answered = [(answer(row), walk(row)) for row in rows]

    assert compared.check_rows(rows) == len(rows)
    assert sum(one is not None for one, _ in answered) > 0.95 * len(rows)
    for one, other in answered:
        assert one is None or (one[0], one[1]) == (other[0], pytest.approx(other[1], rel=1e-13, abs=0))


@pytest.mark.parametrize(
    "model",
    [
        _LOGISTIC,
        LinearDiscriminantAnalysis(),
        make_pipeline(SimpleImputer(), RobustScaler(with_centering=False), StandardScaler(), _LOGISTIC),
        GridSearchCV(make_pipeline(StandardScaler(), _LOGISTIC), {"logisticregression__C": [0.1, 1.0]}, cv=2),
    ],
    ids=str,
)
def test_model_of_numbers_alone_is_written_out(model: Any) -> None:
    table, wanted = _table()
    rows = table[_NUMBERS].to_numpy()
    compared = Compared(model.fit(rows, wanted))

    assert sum(_write_out(compared)(row) is not None for row in rows.tolist()) > 0.95 * len(rows)
    assert compared.check_rows(rows.tolist()) == len(rows)


_NUMBER = st.one_of(st.none(), st.floats(), st.floats(-20, 20), st.sampled_from([5e-324, 1e308, -1e308, True]))


@few(200)
@given(
    numbers=st.tuples(_NUMBER, _NUMBER, _NUMBER),
    city=st.one_of(st.sampled_from(_CITIES), st.sampled_from(["Chur", None, math.nan])),
)
def test_any_row_is_answered_alike_or_left_to_the_walk(numbers: tuple[Any, ...], city: Any) -> None:
    compared, answer = _mixed()
    row = [*numbers, city]

    got = answer(row)

    compared.check_row(row)
    assert got is None or (all(map(_is_finite, numbers)) and city in _CITIES)


def _is_finite(number: Any) -> bool:
    return number is not None and math.isfinite(number)


def _logistic(*, weights: list[Any], intercept: Any = 0.5, before: Any = ()) -> dict[str, Any]:
    last = {"op": "logistic", "weights": [weights], "intercepts": [intercept], "link": "expit"}
    return {"op": "pipeline", "steps": [*before, last]}


@pytest.mark.parametrize("value", [-0.5, -0.5 + 1e-4, 1e4, -1e4, math.nan, math.inf, None, "1.0", 10**400])
def test_decision_that_is_near_or_enormous_or_none_is_left_to_the_walk(value: Any) -> None:
    answer = write_out(_logistic(weights=[1.0]), inputs=1)

    assert answer is not None
    assert answer([1.0]) is not None
    assert answer([value]) is None


@pytest.mark.parametrize("number", ["exit()", 1, True, None, math.nan, math.inf, [1.0], {"a": 1.0}])
def test_document_in_which_a_number_is_something_else_is_not_written_out(number: Any) -> None:
    scale = {"op": "scale", "subtract": [number], "divide": [1.0]}

    assert write_out(_logistic(weights=[number]), inputs=1) is None
    assert write_out(_logistic(weights=[1.0], intercept=number), inputs=1) is None
    assert write_out(_logistic(weights=[1.0], before=[scale]), inputs=1) is None


@pytest.mark.parametrize(
    "step",
    [
        {"op": "union", "parts": [{"of": {"op": "pass"}}, {"of": {"op": "pass"}}]},
        {"op": "scale", "subtract": [0.1]},
        {"op": "pipeline", "steps": [{"op": "scale", "divide": [0.1]}]},
    ],
)
def test_document_that_grows_with_each_step_is_given_up_soon(step: Any) -> None:
    # Else this would take all there is of memory.
    assert write_out(_logistic(weights=[1.0], before=[step] * 3_000), inputs=1) is None


@pytest.mark.parametrize("op", ["select", "polynomial", "normalize", "ordinal", "bins"])
def test_transform_that_is_not_known_here_is_walked(op: str) -> None:
    assert write_out(_logistic(weights=[1.0], before=[{"op": op, "columns": [0]}]), inputs=1) is None
