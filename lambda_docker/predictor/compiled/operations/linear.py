"""A weighted sum of the columns, and what is made of it.

numpy adds the products up in an order that depends on the processor; here they are added from left to right, so that
the last digit or two may differ.
"""

from collections.abc import Callable, Mapping, Sequence
from operator import mul
from typing import Any

from predictor.compiled.numbers import pack, unpack
from predictor.compiled.operations.certain import surely_largest, surely_positive
from predictor.compiled.operations.links import INVERSES, expit, finite, largest, softmax
from predictor.compiled.terms import CannotCompile, Entry, HandOver, Operation, Predictor, Read, Row, Write

_BASE = "sklearn.linear_model"
_REGRESSORS = (
    *(f"{_BASE}._base.{name}" for name in ("LinearRegression",)),
    *(f"{_BASE}._ridge.{name}" for name in ("Ridge", "RidgeCV")),
    *(f"{_BASE}._coordinate_descent.{name}" for name in ("Lasso", "LassoCV", "ElasticNet", "ElasticNetCV")),
    *(f"{_BASE}._least_angle.{name}" for name in ("Lars", "LarsCV", "LassoLars", "LassoLarsCV", "LassoLarsIC")),
    *(f"{_BASE}._omp.{name}" for name in ("OrthogonalMatchingPursuit", "OrthogonalMatchingPursuitCV")),
    *(f"{_BASE}._bayes.{name}" for name in ("BayesianRidge", "ARDRegression")),
    f"{_BASE}._huber.HuberRegressor",
    f"{_BASE}._theil_sen.TheilSenRegressor",
    f"{_BASE}._quantile.QuantileRegressor",
    f"{_BASE}._stochastic_gradient.SGDRegressor",
    f"{_BASE}._passive_aggressive.PassiveAggressiveRegressor",
    "sklearn.svm._classes.LinearSVR",
)
_GENERALIZED = tuple(f"{_BASE}._glm.glm.{name}" for name in ("PoissonRegressor", "GammaRegressor", "TweedieRegressor"))
_LOGISTIC = (
    f"{_BASE}._logistic.LogisticRegression",
    f"{_BASE}._logistic.LogisticRegressionCV",
    "sklearn.discriminant_analysis.LinearDiscriminantAnalysis",
)
_DECIDERS = (
    "sklearn.svm._classes.LinearSVC",
    f"{_BASE}._ridge.RidgeClassifier",
    f"{_BASE}._ridge.RidgeClassifierCV",
    f"{_BASE}._perceptron.Perceptron",
    f"{_BASE}._passive_aggressive.PassiveAggressiveClassifier",
)
_SGD = f"{_BASE}._stochastic_gradient.SGDClassifier"

# Two decisions that are not this near are told apart by any order of adding up; of nearer ones it is found out.
_NEAR = 1e-3

Sums = Callable[[Row], list[float]]


def _write_regressor(model: Any, write: Write) -> Entry:
    return write_weights(model.coef_, model.intercept_)


def _read_regressor(entry: Mapping[str, Any], read: Read) -> Predictor:
    ((weights, intercept),) = _weights_of(entry)
    inverse = INVERSES[entry.get("link", "identity")]

    def answer(row: Row) -> float:
        return inverse(finite(sum(map(mul, row, weights)) + intercept))

    return Predictor("value", answer)


def _write_generalized(model: Any, write: Write) -> Entry:
    link = type(model._base_loss.link).__name__
    name = {"IdentityLink": "identity", "LogLink": "log"}.get(link)
    if name is None:
        raise CannotCompile(f"its {link} is not among those that are written")
    return {**write_weights(model.coef_, model.intercept_), "link": name}


def _write_logistic(model: Any, write: Write) -> Entry:
    # One against the rest is how two classes, and they alone, are told apart nowadays.
    return {**write_weights(model.coef_, model.intercept_), "link": "expit" if len(model.classes_) == 2 else "softmax"}


def _write_sgd(model: Any, write: Write) -> Entry:
    entry = write_weights(model.coef_, model.intercept_)
    if model.loss == "modified_huber":
        return {**entry, "link": "huber"}
    if model.loss != "log_loss":
        return entry
    return {**entry, "link": "expit" if len(model.classes_) == 2 else "expit_of_each"}


def _read_classifier(entry: Mapping[str, Any], read: Read) -> Predictor:
    pairs, link = _weights_of(entry), entry.get("link")
    if len(pairs) == 1:
        ((weights, intercept),) = pairs

        def decide(row: Row) -> float:
            return finite(sum(map(mul, row, weights)) + intercept)

        def decide_surely(row: Row) -> float:
            # decide(), without a call in a call: this is what most models do.
            decision = sum(map(mul, row, weights)) + intercept
            if decision - decision != 0.0:
                raise HandOver
            if -_NEAR < decision < _NEAR:
                surely_positive(decision, _reach(row, pairs))
            return decision

        return of_decision(decide_surely, link)._replace(decide=decide)

    def decide_each(row: Row) -> list[float]:
        return [finite(sum(map(mul, row, weights)) + intercept) for weights, intercept in pairs]

    def decide_each_surely(row: Row) -> list[float]:
        decisions = decide_each(row)
        second, first = sorted(decisions)[-2:]
        if first - second < _NEAR:
            surely_largest(decisions, _reach(row, pairs))
        return decisions

    return of_decisions(decide_each_surely, link)._replace(decide=decide_each)


def _reach(row: Row, pairs: Sequence[tuple[list[float], float]]) -> float:
    """The size of what is added up."""
    return max(
        sum(abs(value * weight) for value, weight in zip(row, weights, strict=True)) + abs(intercept)
        for weights, intercept in pairs
    )


def of_decision(decide: Callable[[Row], float], link: str | None) -> Predictor:
    """Two classes told apart by one number. link: "expit", "huber", or None where there are no probabilities."""
    if link is None:

        def tell(row: Row) -> tuple[int, float]:
            decision = decide(row)
            return int(decision > 0), decision

        return Predictor("scores", tell, decide)

    def answer(row: Row) -> tuple[int, list[float]]:
        decision = decide(row)
        probability = _clipped(decision) if link == "huber" else expit(decision)
        return int(decision > 0), [1.0 - probability, probability]

    return Predictor("probabilities", answer, decide)


def of_decisions(decide: Sums, link: str | None) -> Predictor:
    """A number for each class. link: "softmax", "expit_of_each", "huber", or None where there are no probabilities."""
    if link is None:

        def tell(row: Row) -> tuple[int, list[float]]:
            decisions = decide(row)
            return largest(decisions), decisions

        return Predictor("scores", tell, decide)
    make = _SHARES[link]

    def answer(row: Row) -> tuple[int, list[float]]:
        decisions = decide(row)
        return largest(decisions), make(decisions)

    return Predictor("probabilities", answer, decide)


def _share(decisions: Sequence[float]) -> list[float]:
    each = [expit(decision) for decision in decisions]
    total = sum(each)
    return [one / total for one in each] if total else [1.0 / len(each)] * len(each)


def _share_clipped(decisions: Sequence[float]) -> list[float]:
    each = [_clipped(decision) for decision in decisions]
    total = sum(each)
    return [one / total for one in each] if total else [1.0 / len(each)] * len(each)


def _clipped(decision: float) -> float:
    return (min(max(decision, -1.0), 1.0) + 1) / 2


_SHARES = {"softmax": softmax, "expit_of_each": _share, "huber": _share_clipped}


def write_weights(coefficients: Any, intercept: Any) -> Entry:
    """coefficients: (f,) or (k, f); intercept: a number, or (k,)."""
    if hasattr(coefficients, "toarray"):
        coefficients = coefficients.toarray()
    rows = [coefficients] if coefficients.ndim == 1 else list(coefficients)
    offsets = [float(offset) for offset in getattr(intercept, "ravel", lambda: [intercept])()]
    # No intercept is a single nought.
    offsets = offsets * len(rows) if len(offsets) == 1 else offsets
    return {"weights": [pack("d", row) for row in rows], "intercepts": pack("d", offsets)}


def _weights_of(entry: Mapping[str, Any]) -> list[tuple[list[float], float]]:
    return list(zip(map(unpack, entry["weights"]), unpack(entry["intercepts"]), strict=True))


OPERATIONS = (
    Operation("linear", _REGRESSORS, _write_regressor, _read_regressor),
    Operation("generalized_linear", _GENERALIZED, _write_generalized, _read_regressor),
    Operation("logistic", _LOGISTIC, _write_logistic, _read_classifier),
    Operation("decide", _DECIDERS, _write_regressor, _read_classifier),
    Operation("sgd", (_SGD,), _write_sgd, _read_classifier),
)
