import pytest

from portal.predictions import actions, states
from tests.portal.factories import make_batch, make_user, make_version


@pytest.mark.parametrize(
    ("changes", "old", "new"),
    [
        (states.BATCH_CHANGES, states.DONE, states.RUNNING),
        (states.BATCH_CHANGES, states.UPLOADING, states.DONE),
        (states.PREDICTION_CHANGES, states.ANSWERED, states.FAILED),
    ],
)
def test_change_that_the_table_does_not_name_is_a_fault(changes: set, old: str, new: str):
    with pytest.raises(ValueError, match=f"What is {old} cannot become {new}"):
        states.check_change(changes, old, new)


@pytest.mark.django_db
def test_batch_that_moved_on_meanwhile_stays_where_it_went():
    batch = make_batch(make_user(), make_version(), state="running")
    type(batch).objects.filter(pk=batch.pk).update(state="done")

    actions.fail_batch(batch, "The file never arrived.")

    assert (batch.state, batch.error) == ("done", "")
