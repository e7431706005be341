"""The life of a version: the table, and its drawing in the documentation."""

import io
from pathlib import Path

import pytest
from django.core.management import call_command

from portal.errors import Refused
from portal.registry import states

DOCUMENT = Path(__file__).parents[3] / "docs" / "models.md"


def draw() -> str:
    out = io.StringIO()
    call_command("version_states", stdout=out)
    return out.getvalue().strip()


def test_diagram_in_the_documentation_is_the_commands_output():
    section = DOCUMENT.read_text("utf-8").partition("## The life of a version")[2].partition("\n## ")[0]

    assert f"```mermaid\n{draw()}\n```" in section


def test_diagram_has_every_change_of_the_table_and_no_character_that_ends_a_statement_early():
    drawn = draw()

    assert [pair for pair in states.LEGAL if f"    {pair[0]} --> {pair[1]}: " not in drawn] == []
    assert ";" not in drawn


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (states.REJECTED, states.LIVE),
        (states.LIVE, states.ARCHIVED),
        (states.ARCHIVED, states.READY),
        (states.ARCHIVED, states.CHECKING),
        (states.READY, states.CHECKING),
        (states.UPLOADED, states.READY),
    ],
)
def test_change_that_is_not_in_the_table_is_refused(old: str, new: str):
    with pytest.raises(Refused, match=f"A version that is {old} cannot become {new}."):
        states.check_change(old, new)


def test_every_state_can_be_reached_and_archived_is_the_only_end():
    reached = {states.UPLOADED} | {new for _, new in states.LEGAL}

    assert reached == {state for state, _ in states.CHOICES}
    assert reached - {old for old, _ in states.LEGAL} == {states.ARCHIVED}
