"""Forests and boosted trees by the compiled kernels: scikit-learn's own bits."""

import numpy as np
import pytest
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

from predictor import native
from predictor.engines import answering
from predictor.engines.answering import answer_table
from predictor.engines.forests import forest_of
from predictor.engines.leaf_masks import masks_of
from predictor.features import Output

needs_kernels = pytest.mark.skipif(native.kernels() is None, reason="no C++ compiler is here")

RNG = np.random.default_rng(3)
TABLE = np.round(RNG.normal(size=(600, 5)), 1)
ASKED = np.round(RNG.normal(size=(3001, 5)), 1)
TARGETS = {1: TABLE[:, 0] * 3.7 + TABLE[:, 1], 2: (TABLE[:, 0] > 0.3).astype(int), 4: RNG.integers(0, 4, 600)}
FORESTS = [
    (RandomForestClassifier, 2, {}),
    (RandomForestClassifier, 4, {"max_leaf_nodes": 9}),
    (RandomForestClassifier, 2, {"max_depth": 1}),
    (ExtraTreesClassifier, 2, {}),
    (RandomForestRegressor, 1, {}),
    (ExtraTreesRegressor, 1, {"max_depth": 5}),
]


def _with_gaps(table):
    gaps = table.copy()
    gaps[RNG.random(table.shape) < 0.1] = np.nan
    return gaps


@needs_kernels
@pytest.mark.parametrize(("kind", "classes", "options"), FORESTS)
@pytest.mark.parametrize("fitted_with_gaps", [False, True])
def test_forest_gives_the_estimators_bits(kind, classes, options, fitted_with_gaps):
    fitted = _with_gaps(TABLE) if fitted_with_gaps else TABLE
    estimator = kind(n_estimators=20, random_state=0, **options).fit(fitted, TARGETS[classes])
    ask = estimator.predict_proba if classes > 1 else estimator.predict
    thresholds = np.concatenate([tree.tree_.threshold for tree in estimator.estimators_])
    # Values on the thresholds themselves, and beside them; one that parts only what is missing has none.
    on = np.resize(thresholds[np.isfinite(thresholds)], (500, 5))
    tables = [ASKED, ASKED[:1], ASKED[:9], on, np.nextafter(on.astype(np.float32), np.float32(9)).astype(np.float64)]
    tables.append(_with_gaps(ASKED))

    forest = forest_of(estimator)

    for table in tables:
        assert forest.ask(estimator, table).tobytes() == ask(table).tobytes()


@needs_kernels
def test_forest_of_a_single_leaf_a_tree_gives_the_estimators_bits():
    estimator = RandomForestClassifier(5).fit(TABLE, np.ones(600))

    assert np.array_equal(forest_of(estimator).ask(estimator, ASKED), estimator.predict_proba(ASKED))


@needs_kernels
def test_row_that_the_forest_refuses_is_refused_as_ever():
    estimator = RandomForestClassifier(5).fit(TABLE, TARGETS[2])

    with pytest.raises(ValueError, match="contains infinity"):
        forest_of(estimator).ask(estimator, np.full((2000, 5), np.inf))


@needs_kernels
def test_row_that_the_forest_refuses_does_not_end_its_use():
    estimator = RandomForestClassifier(5).fit(TABLE, TARGETS[2])
    output = Output("binary", (0, 1), probabilities=True)

    endless = ASKED.copy()
    endless[-1, 0] = np.inf

    with pytest.raises(ValueError, match="contains infinity"):
        answer_table(estimator, endless, output)
    answer_table(estimator, ASKED, output)

    assert answering._forests._made[estimator][1] is not None


def test_forest_of_several_outputs_is_left_to_the_estimator():
    estimator = RandomForestRegressor(3).fit(TABLE, TABLE[:, :2])

    assert forest_of(estimator) is None


@pytest.mark.parametrize("classes", [1, 2, 4])
@pytest.mark.parametrize("table", [ASKED, _with_gaps(ASKED), ASKED[:3], ASKED[:1]], ids=["plain", "gaps", "3", "1"])
def test_masks_give_the_same_bits_with_and_without_kernels(classes, table, monkeypatch):
    kind = HistGradientBoostingRegressor if classes == 1 else HistGradientBoostingClassifier
    estimator = kind(random_state=0, max_iter=30).fit(_with_gaps(TABLE), TARGETS[classes])
    baseline = estimator._baseline_prediction.ravel()

    compiled = masks_of(estimator).sums(table, baseline)
    monkeypatch.setattr(native, "kernels", lambda: None)
    plain = masks_of(estimator).sums(table, baseline)

    assert np.array_equal(compiled, plain)
    assert np.array_equal(compiled, estimator._raw_predict(table))
