"""The life of a batch: the table, its drawing in the documentation, and the row that follows it."""

import io
from pathlib import Path

import pytest
from django.core.management import call_command

from portal.predictions import actions, states
from tests.portal.factories import make_batch, make_user, make_version

DOCUMENT = Path(__file__).parents[3] / "docs" / "batches.md"


def draw() -> str:
    out = io.StringIO()
    call_command("batch_states", stdout=out)
    return out.getvalue().strip()


def test_diagram_in_the_documentation_is_the_commands_output():
    assert f"```mermaid\n{draw()}\n```" in DOCUMENT.read_text("utf-8")


def test_diagram_has_every_change_of_the_table_and_no_character_that_ends_a_statement_early():
    drawn = draw()

    assert [pair for pair in states.BATCH_CHANGES if f"    {pair[0]} --> {pair[1]}: " not in drawn] == []
    assert ";" not in drawn


def test_every_state_of_a_batch_can_be_reached_and_only_finished_ones_are_ends():
    reached = {states.UPLOADING} | {new for _, new in states.BATCH_CHANGES}

    assert reached == {state for state, _ in states.BATCH_CHOICES}
    assert reached - {old for old, _ in states.BATCH_CHANGES} == set(states.FINISHED)


@pytest.mark.parametrize(
    ("changes", "old", "new"),
    [
        (states.BATCH_CHANGES, states.DONE, states.RUNNING),
        (states.BATCH_CHANGES, states.UPLOADING, states.DONE),
        (states.PREDICTION_CHANGES, states.ANSWERED, states.FAILED),
    ],
)
def test_change_that_the_table_does_not_name_is_a_fault(changes: dict, old: str, new: str):
    with pytest.raises(ValueError, match=f"What is {old} cannot become {new}"):
        states.check_change(changes, old, new)


@pytest.mark.parametrize(
    ("old", "new", "may"),
    [
        (states.QUEUED, states.DONE, True),
        (states.QUEUED, states.RUNNING, True),
        (states.RUNNING, states.PLANNING, False),
        (states.UPLOADING, states.DONE, False),
        (states.FAILED, states.RUNNING, False),
        (states.DONE, states.QUEUED, False),
    ],
)
def test_look_that_comes_late_may_skip_states_under_way_and_no_others(old: str, new: str, may: bool):
    assert states.leads_to(old, new) == may


@pytest.mark.django_db
def test_batch_that_moved_on_meanwhile_stays_where_it_went():
    batch = make_batch(make_user(), make_version(), state="running")
    type(batch).objects.filter(pk=batch.pk).update(state="done")

    actions.fail_batch(batch, "The file never arrived.")

    assert (batch.state, batch.error) == ("done", "")
