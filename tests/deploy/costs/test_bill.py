"""The bill, by hand and by the function; and that the price table is whole."""

import json
from dataclasses import fields, replace
from datetime import date

import pytest

from deploy.costs import bill
from deploy.costs.batches import Line, Network, Steps
from deploy.costs.bill import GB, USES, Shape, Use, count_quantities, make_bill
from deploy.costs.measured import FIGURES, Call, Measured, read_measured
from deploy.costs.prices import Prices, price_date, priced_regions, read_free, read_prices
from deploy.costs.table import shape_of, show_bill
from deploy.errors import DeployError
from tests.deploy.as_written import FOLDER as GOLDEN
from tests.deploy.as_written import assert_as_written

NOTHING = Line(0.0, 0.0)
STEPS = Steps(
    plan_bytes_per_s=1e9, part_s=NOTHING, part_peak_bytes=NOTHING, finish_s=NOTHING, output_share=1.5, cold_s=2.0,
    plan_requests=(1, 1), part_requests=(1, 1), finish_requests=(1, 1),
)  # fmt: skip
# 99 of a hundred take 2 ms and one 202: 4 ms in the mean; 128 MB are an eighth of a GB.
MEASURED = Measured(Call(128, 2, 202), STEPS, "2026-11-28")
NO_PRICES = Prices(**{field.name: 0.0 for field in fields(Prices)})
MILLION = next(use for use in USES if use.predictions == 1_000_000)
BATCH = next(use for use in USES if use.batch_bytes)


SHAPE = Shape()


def months(shape=SHAPE, **prices):
    made = make_bill(shape, prices=replace(NO_PRICES, **prices), free=read_free(), measured=MEASURED)
    return {month.name: month for month in made}


def test_million_predictions_cost_their_requests_and_gb_seconds():
    month = months(lambda_request=1e-6, lambda_gb_second=1e-3)["1 M predictions"]

    assert month.services["Lambda"] == pytest.approx(1.00 + 1_000_000 * 0.004 / 8 * 1e-3)


def test_free_tier_is_taken_off_and_shown_apart():
    month = months(lambda_request=1e-6, state_transition=1.0)["1 M predictions"]

    assert (month.total, month.free, month.to_pay) == pytest.approx((1.0, 1.0, 0.0))


def test_alarms_beyond_the_free_ones_and_keys_cost_idle():
    month = months(Shape(alarms=12, keys=2, dashboards=1), alarm_month=0.10, kms_key_month=1.0, dashboard_month=3.0)[
        "idle"
    ]

    assert month.total == pytest.approx(1.20 + 2.00 + 3.00)
    assert month.to_pay == pytest.approx(0.20 + 2.00)


def test_idle_takes_no_call_of_anything():
    idle = count_quantities(Use("idle"), Shape(), MEASURED)

    assert (idle.lambda_requests, idle.api_requests, idle.state_transitions, idle.s3_gets, idle.log_gb) == (0,) * 5


def test_batch_pays_each_part_its_transitions_and_what_lies_there():
    taken = count_quantities(BATCH, Shape(batch_concurrency=8), MEASURED)

    parts = 60  # of 16 MiB each
    assert taken.lambda_requests == parts + 2
    assert taken.state_transitions == 4 + 2 * parts
    assert taken.s3_puts == 1 + parts + 1  # none for the history: nobody called the API
    assert taken.s3_gb_months == pytest.approx(bill.MODELS_GB + 1.0 + 1.5)
    assert taken.api_requests == 0


def test_batch_that_runs_side_by_side_pays_more_cold_starts():
    one = count_quantities(BATCH, Shape(batch_concurrency=1), MEASURED).lambda_gb_seconds
    ten = count_quantities(BATCH, Shape(batch_concurrency=10), MEASURED).lambda_gb_seconds

    assert ten - one == pytest.approx(9 * STEPS.cold_s * 1_769 / 1024)


def test_predictions_are_kept_each_by_itself_where_few_come_and_together_where_many_do():
    assert bill.count_captures(0) == 0
    assert bill.count_captures(1) == pytest.approx(1, rel=0.01)
    assert bill.count_captures(10_000) == pytest.approx(10_000, rel=0.02)
    # 22 days of 8 hours have 633,600 seconds, and no second has two objects.
    assert bill.count_captures(10**9) == pytest.approx(633_600, rel=0.01)
    assert count_quantities(MILLION, Shape(), MEASURED).s3_puts == bill.count_captures(1_000_000)


def test_published_page_has_a_line_only_where_there_is_one():
    prices = {"amplify_gb_served": 1.0, "amplify_gb_month": 1.0}
    without, published = months(**prices)["idle"], months(Shape(has_page=True), **prices)["idle"]

    assert "Amplify Hosting" not in without.services
    # 10 people open 200 kB on 22 days, and it lies there once.
    assert published.services["Amplify Hosting"] == pytest.approx(0.044 + 0.0002)
    assert published.to_pay == pytest.approx(0.0442)


@pytest.mark.parametrize(
    ("origin", "has_page"),
    [("*", False), ("https://main.d0.amplifyapp.com", True), ("https://page.example.org", False)],
)
def test_stack_that_lets_a_page_of_amplify_s_in_has_one(origin, has_page):
    assert shape_of({}, {"ApiCorsOrigin": origin}).has_page == has_page


def test_bill_of_a_published_page_says_what_it_assumes():
    shown = show_bill(Shape(has_page=True), "us-east-1")

    assert "The published page: 200 kB, which 10 people open on 22 days." in shown


def test_stack_without_users_and_keys_pays_for_neither():
    taken = count_quantities(MILLION, Shape(keys=0, has_users=False), MEASURED)

    assert (taken.cognito_users, taken.kms_keys, taken.kms_requests) == (0, 0, 0)


def test_shape_is_read_from_what_the_template_has():
    kinds = {"AWS::KMS::Key": 2, "AWS::CloudWatch::Alarm": 12, "AWS::ECR::Repository": 1}

    shape = shape_of(kinds, {"PredictMemory": "3008", "BatchConcurrency": "20"})

    assert (shape.keys, shape.alarms, shape.images, shape.has_users) == (2, 12, bill.IMAGES_KEPT, False)
    assert (shape.memory_mb, shape.batch_concurrency) == (3008, 20)


def test_price_table_is_dated_and_whole_for_each_region():
    assert price_date() >= date(2026, 11, 1)
    assert priced_regions() == ("us-east-1", "eu-central-1")
    for region in priced_regions():
        assert all(getattr(read_prices(region), field.name) > 0 for field in fields(Prices))


def test_region_without_prices_is_shown_with_another_s_and_says_so():
    shown = show_bill(Shape(), "sa-east-1")

    assert "Prices of 2026-11-29, us-east-1" in shown
    assert "There are none of sa-east-1 in the table" in shown


def test_bill_is_as_written_from_the_figures_that_the_docs_quote():
    shape = Shape(alarms=10, dashboards=1, keys=1, images=10)

    assert_as_written("bill", f"{show_bill(shape, 'us-east-1')}\n\n{show_bill(shape, 'eu-central-1')}")


def test_a_million_predictions_cost_what_docs_cost_md_says():
    quoted = json.loads((FIGURES / "cost.json").read_text())["rows"][0]
    month = make_bill(Shape(), prices=read_prices("us-east-1"), free=read_free(), measured=read_measured())[2]

    assert month.services["Lambda"] == pytest.approx(quoted["all $"], abs=0.01)
    assert month.services["Lambda"] + month.services["API Gateway"] == pytest.approx(
        quoted["behind a REST API $"], abs=0.01
    )


def test_month_in_docs_cost_md_is_the_bill():
    shown = (GOLDEN / "bill.txt").read_text("utf-8").partition("\n\n")[0]
    quoted = (FIGURES.parent / "cost.md").read_text("utf-8")

    for line in shown.splitlines():
        assert line.strip() in quoted


def test_bill_without_the_figures_says_what_is_missing(tmp_path):
    with pytest.raises(DeployError, match=r"cold-shares\.json is not there"):
        read_measured(tmp_path)


def test_network_waits_for_requests_and_bytes():
    assert Network(request_s=0.5, bytes_per_s=100.0).seconds(requests=2, size_bytes=300) == 4.0
    assert BATCH.batch_bytes == GB
