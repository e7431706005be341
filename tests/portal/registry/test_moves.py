"""Rows of a replay in words."""

from typing import Any

import pytest

from portal.registry.models import ModelVersion
from portal.registry.moves import Difference, read_moves
from tests.portal.factories import make_manifest

BEFORE = {"label": "Adelie", "value": None, "probabilities": [0.75, 0.25], "scores": None}


def read(before: dict[str, Any], now: dict[str, Any] | None, error: str | None = None) -> Any:
    version = ModelVersion(manifest=make_manifest(), class_labels={"Gentoo": "The tall one"})
    return read_moves(version, [{"row": {"year": 2008}, "before": before, "now": now, "error": error}])[0]


@pytest.mark.parametrize(
    ("before", "now", "differences"),
    [
        pytest.param(
            BEFORE,
            {**BEFORE, "label": "Gentoo"},
            [Difference("Answer", "Adelie", "The tall one")],
            id="another-class-in-its-words",
        ),
        pytest.param(
            BEFORE,
            {**BEFORE, "probabilities": [0.75, 0.25000001]},
            [Difference("Probability of The tall one", 0.25, 0.25000001)],
            id="only-what-moved-with-all-digits",
        ),
        pytest.param(
            {"label": None, "value": 3.0}, {"label": None, "value": 4.0}, [Difference("Value", 3.0, 4.0)], id="value"
        ),
        pytest.param(
            {"label": "Adelie", "scores": -1.5},
            {"label": "Adelie", "scores": -1.4},
            [Difference("Score", -1.5, -1.4)],
            id="one-score-of-two-classes",
        ),
    ],
)
def test_moved_row_tells_what_differs(before: Any, now: Any, differences: list[Difference]):
    assert read(before, now).differences == differences


def test_moved_row_without_an_answer_tells_the_old_one_and_why():
    row = read(BEFORE, None, "The model raised ValueError.")

    assert row.differences == [Difference("Answer", "Adelie", None)]
    assert row.error == "The model raised ValueError."
