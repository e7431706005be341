"""The arithmetic of batches on AWS, beside cases that were worked out by hand."""

import pytest

from benchmarks.batch import quotas, simulation
from deploy.costs.batches import Batch, Cloud, Line, Network, Steps, cost_batch, plan_batch
from deploy.costs.prices import read_prices

MIB = quotas.MIB
STEPS = Steps(
    plan_bytes_per_s=10 * MIB,
    part_s=Line(fixed=1.0, each=0.5 / MIB),
    part_peak_bytes=Line(fixed=100 * MIB, each=4.0),
    finish_s=Line(fixed=2.0, each=0.25),
    output_share=1.5,
    cold_s=3.0,
    plan_requests=(5, 3),
    part_requests=(2, 2),
    finish_requests=(1, 2),
)
NO_NETWORK = Network(request_s=0.0, bytes_per_s=float("inf"))


def test_line_through_two_points_splits_fixed_from_each():
    line = Line.through((8, 5.0), (32, 17.0))

    assert line == Line(fixed=1.0, each=0.5)


def test_line_through_points_below_the_origin_has_no_negative_part():
    line = Line.through((8, 1.0), (32, 13.0))

    assert line == Line(fixed=0.0, each=0.5)


def test_batch_of_64_mib_has_four_parts_of_16():
    batch = plan_batch(64 * MIB, STEPS, Cloud(network=NO_NETWORK, memory_mb=1_024))

    assert (batch.parts, batch.part_bytes, batch.output_bytes) == (4, 16 * MIB, 96 * MIB)
    assert (batch.plan_s, batch.part_s, batch.finish_s) == (6.4, 9.0, 3.0)
    # One GB for 6.4 s of plan, 4 · 9 s of parts, 3 s of finish.
    assert batch.gb_s == pytest.approx(45.4)
    assert (batch.gets, batch.puts) == (5 + 4 * 2 + 1 + 4, 3 + 4 * 2 + 2)
    assert batch.transitions == 4 + 4 * 2


def test_batch_over_the_network_waits_for_requests_and_bytes():
    cloud = Cloud(network=Network(request_s=0.5, bytes_per_s=8 * MIB))

    batch = plan_batch(32 * MIB, STEPS, cloud)

    # 3.2 s of reading, 8 requests, 32 MiB in.
    assert batch.plan_s == pytest.approx(3.2 + 4.0 + 4.0)
    # 9 s of scoring, 4 requests, 16 MiB in and 24 out.
    assert batch.part_s == pytest.approx(9.0 + 2.0 + 5.0)
    # 2.5 s of adding up, 3 requests, and 2 parts that are waited for at once.
    assert batch.finish_s == pytest.approx(2.5 + 1.5 + 0.5)


def test_plan_of_a_large_file_takes_several_steps():
    batch = plan_batch(12_001 * MIB, STEPS, Cloud(network=NO_NETWORK))

    # 1,200.1 s at 10 MiB/s; each further step is a task and a choice.
    assert batch.plans == 3
    assert batch.transitions == 4 + 2 * 2 + batch.parts * 2


def test_batch_of_a_terabyte_has_no_more_parts_than_s3_takes():
    batch = plan_batch(10**12, STEPS, Cloud())

    assert batch.parts == 9_000
    assert batch.part_bytes == pytest.approx(10**12 / 9_000)


@pytest.mark.parametrize(
    ("parts", "concurrency", "wall_s", "environments"),
    [
        (1, 10, 5.0, 1),  # a cold start and a part
        (4, 2, 7.0, 2),  # two cold starts at once, then each takes a second part
        (5, 2, 9.0, 2),  # one takes a third
        (4, 10, 5.0, 4),  # no more environments than parts
    ],
)
def test_parts_at_a_concurrency_take_turns(parts, concurrency, wall_s, environments):
    run = simulation.run_parts(parts, part_s=2.0, cold_s=3.0, concurrency=concurrency)

    assert (run.wall_s, run.environments) == (wall_s, environments)


def test_parts_beyond_a_thousand_wait_for_lambda_to_scale():
    run = simulation.run_parts(2_000, part_s=60.0, cold_s=0.0, concurrency=2_000)

    # The last of the second thousand begins after 10 s.
    assert (run.wall_s, run.environments) == (pytest.approx(70.0), 2_000)


def test_parts_that_end_soon_need_no_further_environments():
    run = simulation.run_parts(2_000, part_s=0.005, cold_s=0.0, concurrency=2_000)

    assert (run.wall_s, run.environments) == (pytest.approx(0.01), 1_000)


def test_concurrency_is_never_over_that_of_a_distributed_map():
    run = simulation.run_parts(10_001, part_s=10_000.0, cold_s=0.0, concurrency=20_000)

    assert run.environments == 10_000


def test_cost_counts_seconds_requests_and_transitions():
    batch = Batch(
        size_bytes=1,
        parts=998,
        part_bytes=1,
        output_bytes=1,
        plan_s=1,
        part_s=1,
        finish_s=1,
        gb_s=40_000,
        gets=10_000,
        puts=1_000,
        transitions=2_000,
    )

    dollars = cost_batch(batch, cold_starts=100, cold_s=200.0, memory_mb=1_024, prices=read_prices("us-east-1"))

    # 60,000 GB-s at $0.0000166667 and 1,000 invokes at $0.0000002.
    assert dollars["Lambda"] == pytest.approx(1.000002 + 0.0002)
    assert dollars["Step Functions"] == pytest.approx(0.05)
    assert dollars["S3"] == pytest.approx(0.004 + 0.005)
    assert dollars["all"] == pytest.approx(1.059202)


def test_limit_is_reached_at_the_size_that_takes_as_long():
    cloud = Cloud(network=NO_NETWORK)

    over = simulation.size_that_reaches(900.0, lambda batch: batch.plan_s, STEPS, cloud)

    # 900 s at 10 MiB/s.
    assert over == pytest.approx(9_000 * MIB, abs=MIB)


def test_limit_that_no_file_reaches_has_no_size():
    over = simulation.size_that_reaches(10_000, lambda batch: batch.parts, STEPS, Cloud())

    assert over is None
