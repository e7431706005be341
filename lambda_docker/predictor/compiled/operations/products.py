"""New columns made of products: polynomial features, and projections as of principal components.

A polynomial column multiplies as scikit-learn does, one factor after the other into what was there, bit for bit. A
projection is added up from left to right, so that the last digit or two may differ.
"""

from collections.abc import Mapping
from operator import mul
from typing import Any

from predictor.compiled.numbers import pack, unpack
from predictor.compiled.operations.certain import require_finite
from predictor.compiled.terms import CannotCompile, Entry, Operation, Read, Row, Transform, Write

_COLUMNS_MAX = 2_000
_NEXT_TO_NOTHING = 1e-5


def _write_polynomial(features: Any, write: Write) -> Entry:
    """A column is one more factor times an earlier column, of one degree less, or times one."""
    if features.n_output_features_ > _COLUMNS_MAX:
        raise CannotCompile(f"its PolynomialFeatures makes more than {_COLUMNS_MAX:,} columns")
    # Powers as scikit-learn's own order has them: by degree, so that what a column is made of stands before it.
    wanted = [
        tuple(place for place, times in enumerate(row) for _ in range(times)) for row in features.powers_.tolist()
    ]
    made: dict[tuple[int, ...], int] = {(): -1}
    steps: list[tuple[int, int]] = []
    kept = [_make(factors, made, steps) for factors in wanted]
    return {"factors": pack("i", [one for one, _ in steps]), "of": pack("i", [of for _, of in steps]), "kept": kept}


def _make(factors: tuple[int, ...], made: dict[tuple[int, ...], int], steps: list[tuple[int, int]]) -> int:
    """The place of a column, which is added with what it is made of unless it is there."""
    if factors not in made:
        # The factor of the smallest place comes last: scikit-learn multiplies a column onto those that begin after it.
        of = _make(factors[1:], made, steps)
        made[factors] = len(steps)
        steps.append((factors[0], of))
    return made[factors]


def _read_polynomial(entry: Mapping[str, Any], read: Read) -> Transform:
    steps, kept = list(zip(unpack(entry["factors"]), unpack(entry["of"]), strict=True)), entry["kept"]

    def multiply(row: Row) -> Row:
        require_finite(row)
        made: Row = []
        for factor, of in steps:
            made.append(row[factor] if of < 0 else made[of] * row[factor])
        return [1.0 if place < 0 else made[place] for place in kept]

    return multiply


def _write_components(pca: Any, write: Write) -> Entry:
    entry: Entry = {"components": [pack("d", row) for row in pca.components_]}
    if pca.mean_ is not None:
        # scikit-learn projects the mean as well and subtracts that.
        entry["subtract"] = pack("d", pca.mean_ @ pca.components_.T)
    if pca.whiten:
        import numpy as np

        scale = np.sqrt(pca.explained_variance_)
        tiny = np.finfo(scale.dtype).eps
        scale[scale < tiny] = tiny
        if scale.min() <= _NEXT_TO_NOTHING * scale.max():
            raise CannotCompile("its PCA whitens a component that hardly varies, and so magnifies rounding")
        entry["divide"] = pack("d", scale)
    return entry


def _read_components(entry: Mapping[str, Any], read: Read) -> Transform:
    components = [unpack(row) for row in entry["components"]]
    subtract = unpack(entry["subtract"]) if "subtract" in entry else [0.0] * len(components)
    divide = unpack(entry["divide"]) if "divide" in entry else [1.0] * len(components)
    columns = list(zip(components, subtract, divide, strict=True))

    def project(row: Row) -> Row:
        require_finite(row)
        return [(sum(map(mul, row, weights)) - mean) / scale for weights, mean, scale in columns]

    return project


OPERATIONS = (
    Operation(
        "polynomial",
        ("sklearn.preprocessing._polynomial.PolynomialFeatures",),
        _write_polynomial,
        _read_polynomial,
    ),
    Operation(
        "components",
        ("sklearn.decomposition._pca.PCA", "sklearn.decomposition._incremental_pca.IncrementalPCA"),
        _write_components,
        _read_components,
    ),
    Operation(
        "truncated_components",
        ("sklearn.decomposition._truncated_svd.TruncatedSVD",),
        lambda it, write: {"components": [pack("d", row) for row in it.components_]},
        _read_components,
    ),
)
