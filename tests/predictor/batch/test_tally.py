"""Counts of parts must add up to the counts of the whole."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from predictor.batch.tally import Bins, Tally

FLOATS = st.floats(-1e9, 1e9, allow_subnormal=False)


@given(values=st.lists(FLOATS, min_size=1, max_size=50), at=st.integers(0, 50))
def test_bins_of_two_parts_merged_hold_every_value(values, at):
    one, two = Bins(), Bins()
    one.add(values[:at])
    two.add(values[at:])

    one.merge(two)

    edges, counts = one.edges_and_counts()
    assert sum(counts) == len(values)
    assert len(edges) == len(counts) + 1 <= 26
    assert edges[0] <= min(values)
    assert max(values) <= edges[-1]


def test_bins_count_each_value_between_its_edges():
    bins = Bins()

    bins.add([0.0, 1.0, 1.5, 10.0])

    edges, counts = bins.edges_and_counts()
    expected, _ = np.histogram([0.0, 1.0, 1.5, 10.0], bins=edges)
    assert counts == expected.tolist()


def test_bins_of_the_largest_floats_end_with_them():
    bins = Bins()

    bins.add([1.79e308, -1.79e308])

    edges, counts = bins.edges_and_counts()
    assert sum(counts) == 2
    assert edges[0] <= -1.79e308
    assert edges[-1] >= 1.79e308


def test_tally_merged_counts_rows_on_in_the_second_part():
    first = Tally(rows=10, errors=[{"row": 3, "error": "a"}])
    second = Tally(rows=5, errors=[{"row": 2, "error": "b"}])

    first.merge(second)

    assert first.errors == [{"row": 3, "error": "a"}, {"row": 12, "error": "b"}]


def test_tally_written_and_read_is_the_same():
    tally = Tally(histogram_of="prediction", rows=3, scored=2)
    tally.values.add([1.0, 2.0])
    tally.labels.update(["a"])

    assert Tally.from_json(tally.to_json()) == tally
