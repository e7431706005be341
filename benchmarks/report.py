"""A benchmark's result: a table for people, the same rows for programs."""

import datetime
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Report:
    """Rows with equal keys, in the order in which they are shown; `notes` say under what conditions.

    parts: further tables of the same run
    """

    title: str
    rows: Sequence[Mapping[str, Any]]
    notes: Sequence[str] = field(default_factory=tuple)
    parts: Sequence["Report"] = field(default_factory=tuple)

    def to_text(self) -> str:
        header = list(self.rows[0])
        cells = [header, *([_show(row[name]) for name in header] for row in self.rows)]
        widths = [max(len(line[place]) for line in cells) for place in range(len(header))]
        lines = [
            "  ".join(
                cell.ljust(width) if place == 0 else cell.rjust(width)
                for place, (cell, width) in enumerate(zip(line, widths, strict=True))
            )
            for line in cells
        ]
        text = "\n".join([self.title, "", *lines, "", *self.notes])
        return "\n\n".join([text, *(part.to_text() for part in self.parts)])

    def to_markdown(self) -> str:
        header = list(self.rows[0])
        lines = [header, ["---"] * len(header), *([_show(row[name]) for name in header] for row in self.rows)]
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        notes = "\n".join(f"- {note}" for note in self.notes)
        return "\n\n".join([f"## {self.title}", table, notes, *(part.to_markdown() for part in self.parts)])

    def to_json(self) -> dict[str, Any]:
        own = {"title": self.title, "rows": [dict(row) for row in self.rows], "notes": list(self.notes)}
        return {**own, "parts": [part.to_json() for part in self.parts]} if self.parts else own


def machine() -> dict[str, Any]:
    """Where and when the figures were taken."""
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "system": platform.platform(),
        "processors": os.cpu_count(),
        # Absolute times drift on a shared machine: trust the ratios of one run.
        "load": os.getloadavg(),
    }


def _show(value: Any) -> str:
    return "" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)
