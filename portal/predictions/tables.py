"""First rows as a template can draw them: of a file before it is scored, and of a result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal.gateways.contract import Look


@dataclass(frozen=True)
class GivenCell:
    """A cell of a file that is not scored yet. `problem` says what is wrong with it."""

    shown: str
    is_used: bool
    problem: str = ""


@dataclass(frozen=True)
class Cell:
    """A cell of the preview. Added numbers are rounded, with `exact` beside them; original cells stay as they are."""

    shown: str
    exact: str
    is_added: bool
    is_number: bool


def first_rows(look: Look) -> list[list[GivenCell]]:
    """The first rows of a file, with what is wrong at the cell where it is wrong."""
    place_of = {name: place for place, name in reversed(list(enumerate(look.columns)))}
    used = {place_of.get(column or "") for column in look.mapping.values()}
    wrong: dict[tuple[int, int | None], str] = {}
    for problem in look.problems:
        place = place_of.get(look.mapping.get(problem.get("feature") or "") or "")
        wrong[problem["row"], place] = problem["message"]
    return [
        [
            GivenCell("" if cell is None else str(cell), place in used, wrong.get((row, place), ""))
            for place, cell in enumerate(cells)
        ]
        for row, cells in enumerate(look.rows, start=1)
    ]


def preview(summary: Mapping[str, Any]) -> list[list[Cell]]:
    """The first rows of the result, cell by cell: what was added comes first here, since it is what one looks for."""
    originals = len(summary.get("columns") or [])
    rows = [[_cell(cell, i >= originals) for i, cell in enumerate(cells)] for cells in summary.get("preview") or []]
    return [cells[originals:] + cells[:originals] for cells in rows]


def _cell(written: Any, is_added: bool) -> Cell:
    text = "" if written is None else str(written)
    # What was added has a decimal comma where the file's own numbers have.
    has_comma = is_added and text.count(",") == 1 and "." not in text
    try:
        number = float(text.replace(",", ".") if has_comma else text)
    except ValueError:
        return Cell(text, "", is_added, is_number=False)
    short = f"{number:.4f}" if abs(number) < 1 else f"{number:.4g}"  # probabilities line up
    short = short.replace(".", ",") if has_comma else short
    if not is_added or len(short) >= len(text) or abs(number) >= 1e4:
        return Cell(text, "", is_added, is_number=True)
    return Cell(short, text, is_added, is_number=True)
