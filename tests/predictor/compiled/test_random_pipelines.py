"""Pipelines at random: whatever is put together, the walker answers as scikit-learn does, or hands over.

pytest --hypothesis-show-statistics tests/predictor/compiled -q          how many examples passed, failed, were invalid
PORTICO_TEST_EXAMPLES=50 pytest tests/predictor/compiled/test_random_pipelines.py     fifty times as many, at random
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from hypothesis import event, given

from predictor.compiled.terms import CannotCompile
from predictor.compiled.thresholds import thresholds_of
from tests.predictor.compiled.comparing import EXTREMES, Compared
from tests.predictor.compiled.fitting import few, fit
from tests.predictor.compiled.random_pipelines import Case, cases

_EDGES = 15


@few(40)
@given(case=cases())
def test_random_pipeline_with_any_rows_answers_alike(case: Case) -> None:
    fitted = fit(case.pipeline, case.frame, case.target)
    try:
        compared = Compared(fitted)
    except CannotCompile as reason:
        event(f"in full: {reason}")
        return
    rows = [[None if value != value else value for value in row] for row in case.frame.to_numpy(object).tolist()]

    # As the gate measures: 1e-12 of the number, or of the largest one of ordinary rows.
    scale = 1e3 * compared.scale_of(rows[:15])
    answered = compared.check_rows(rows[:15], scale=scale)
    compared.check_rows([*_varied(rows, case.seed), *_on_thresholds(compared, rows[3])], scale=scale)
    are_numeric = [feature.is_numeric for feature in compared.description.features]
    for row in _odd(rows, are_numeric, case.seed):
        compared.check_row(row, scale=scale)

    event(f"compiled: {'all' if answered == 15 else 'some' if answered else 'none'} of the usual rows answered")


def _varied(rows: list[list[Any]], seed: int) -> Iterator[list[Any]]:
    """Every column from another row, and numbers moved."""
    random = np.random.default_rng(seed + 1)
    for _ in range(15):
        row = [rows[random.integers(len(rows))][place] for place in range(len(rows[0]))]
        yield [value * float(random.normal(1, 1)) if isinstance(value, float) else value for value in row]


def _on_thresholds(compared: Compared, row: list[Any]) -> Iterator[list[Any]]:
    """Numbers that trees compare inputs with, and the floats beside them."""
    for place, value in list(thresholds_of(compared.document["model"], len(row)))[:_EDGES]:
        if isinstance(row[place], float):
            for near in (value, math.nextafter(value, math.inf), math.nextafter(value, -math.inf)):
                yield [*row[:place], near, *row[place + 1 :]]


def _odd(rows: list[list[Any]], are_numeric: list[bool], seed: int) -> Iterator[list[Any]]:
    """One extreme number, one thing missing, one word that nobody knows, or everything missing."""
    random = np.random.default_rng(seed + 2)
    usual = rows[int(random.integers(len(rows)))]
    for place in random.permutation(len(usual))[:3]:
        odd = float(random.choice(EXTREMES)) if are_numeric[place] else "violet"
        yield [*usual[:place], odd, *usual[place + 1 :]]
        yield [*usual[:place], None, *usual[place + 1 :]]
    yield [None] * len(usual)
