"""The two readers of rows: the written-out one reads what the other reads, and refuses in its words."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictor.coercion import row_reader, written_out_reader
from predictor.errors import BadInput
from predictor.features import Feature
from tests.predictor.compiled.fitting import few

# A name and a choice that would be something else, were they text of a program.
_NAMES = ("x", "bill length", '"] + 1 #', "row", "{v}", "class")
_CHOICES: tuple[tuple[Any, ...], ...] = (("a", "b"), ("'); exit()", '"'), (1, 2), (0.5, 1.0), (True, False))
_VALUES: st.SearchStrategy[Any] = st.one_of(
    st.floats(width=64),
    st.integers(-3, 3),
    st.sampled_from([2**53, 2**53 + 1, -(2**53) - 1, 10**400, 1e308, -1e308, "1", "1.0", " 2 ", "1_0", "", "nan"]),
    st.sampled_from(["a", "b", " a", "c", '"', "'); exit()", "true", "no", None, True, False, [1.0], {"a": 1}]),
)


@st.composite
def _features(draw: st.DrawFn) -> tuple[Feature, ...]:
    names = draw(st.lists(st.sampled_from(_NAMES), max_size=5, unique=True))
    kinds = [draw(st.sampled_from(("number", "number", "choice", "integer", "boolean", "text"))) for _ in names]
    return tuple(
        Feature(
            name,
            kind,
            choices=draw(st.sampled_from(_CHOICES)) if kind == "choice" else None,
            accepts_missing=draw(st.booleans()),
        )
        for name, kind in zip(names, kinds, strict=True)
    )


def _read(read: Any, row: dict[str, Any]) -> Any:
    try:
        return [(type(value), repr(value)) for value in read(row)]
    except BadInput as fault:
        return fault.message, fault.fields


@few(400)
@given(features=_features(), data=st.data())
def test_written_out_reader_of_any_row_reads_as_the_other(features: tuple[Feature, ...], data: st.DataObject) -> None:
    read = row_reader(features)
    written_out = written_out_reader(features, otherwise=read)

    for _ in range(5):
        row = {feature.name: data.draw(_VALUES) for feature in features if data.draw(st.integers(0, 9))}
        assert _read(written_out, row) == _read(read, row)


@pytest.mark.parametrize("value", [1.5, 3, "a"])
def test_written_out_reader_asks_the_other_for_nothing_usual(value: Any) -> None:
    feature = Feature("f", "choice", choices=("a", "b")) if isinstance(value, str) else Feature("f")

    read = written_out_reader([feature], otherwise=_must_not_run)

    assert read({"f": value, "another": None}) == [value]


def test_reader_of_texts_or_of_very_many_features_is_not_written_out() -> None:
    many = [Feature(f"x{place}") for place in range(40)]

    assert written_out_reader(many, otherwise=_must_not_run) is _must_not_run
    assert written_out_reader([Feature("f", "text")], otherwise=_must_not_run) is _must_not_run
    assert written_out_reader([], otherwise=_must_not_run) is _must_not_run


def _must_not_run(row: Any) -> Any:
    raise AssertionError
