"""The bill as people read it: one column a month, plain text that a pipe keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from deploy.aws.hosting import is_of_amplify
from deploy.costs import bill
from deploy.costs.bill import Month, Shape, make_bill
from deploy.costs.measured import COLD_SHARE, Measured, read_measured
from deploy.costs.prices import FALLBACK, price_date, priced_regions, read_free, read_prices

_WIDTH = 18


def show_bill(shape: Shape, region: str) -> str:
    """A month's bill in a region, with where each number comes from.

    Raises: DeployError: the measured figures are not here
    """
    measured = read_measured()
    priced = region if region in priced_regions() else FALLBACK
    months = make_bill(shape, prices=read_prices(priced), free=read_free(), measured=measured)
    return "\n".join([*_table(months), "", *_notes(shape, measured, region=region, priced=priced)])


def shape_of(kinds: Mapping[str, int], parameters: Mapping[str, str]) -> Shape:
    """What costs money of a stack with so many resources of each kind.

    Args:    kinds: AWS::S3::Bucket and so on; parameters: the template's
    """
    default = Shape()
    return Shape(
        memory_mb=int(parameters.get("PredictMemory") or default.memory_mb),
        batch_concurrency=int(parameters.get("BatchConcurrency") or default.batch_concurrency),
        alarms=kinds.get("AWS::CloudWatch::Alarm", 0),
        dashboards=kinds.get("AWS::CloudWatch::Dashboard", 0),
        keys=kinds.get("AWS::KMS::Key", 0),
        images=kinds.get("AWS::ECR::Repository", 0) * bill.IMAGES_KEPT,
        has_users="AWS::Cognito::UserPool" in kinds,
        has_page=is_of_amplify(parameters.get("ApiCorsOrigin", "")),
    )


def _table(months: Sequence[Month]) -> list[str]:
    def line(name: str, values: Sequence[str]) -> str:
        return f"  {name:<30}" + "".join(f"{value:>{_WIDTH}}" for value in values)

    lines = [line("US dollars a month", [month.name for month in months])]
    lines += [line(service, [_usd(month.services[service]) for month in months]) for service in months[0].services]
    return [
        *lines,
        line("all", [_usd(month.total) for month in months]),
        line("of it in the free tier", [_usd(month.free) for month in months]),
        line("to pay", [_usd(month.to_pay) for month in months]),
    ]


def _usd(value: float) -> str:
    return "-" if value == 0 else "< 0.01" if value < 0.005 else f"{value:,.2f}"


def _notes(shape: Shape, measured: Measured, *, region: str, priced: str) -> list[str]:
    call = measured.prediction
    other = "" if region == priced else f" There are none of {region} in the table: expect up to a fifth more."
    people = bill.PEOPLE if shape.has_users else "no"
    return [
        f"  Prices of {price_date()}, {priced}, without taxes (deploy/costs/prices.toml names the pages).{other}",
        f"  A prediction: {call.warm_ms} ms at {call.memory_mb} MB, and {call.cold_ms:,} ms where the function has to"
        f" start, which one in {1 / COLD_SHARE:.0f} meets;",
        f"  measured {measured.day} (docs/cost.md). All come through the API: what the portal asks needs no gateway.",
        f"  Assumed: {people} people who sign in, {bill.MODELS_GB} GB of models, {shape.images} images of"
        f" {bill.IMAGE_GB} GB, {bill.LOG_BYTES_A_PREDICTION:,} bytes of log a prediction,",
        f"  a batch's files kept {bill.BATCH_DAYS} days; calls in office hours, each kept for the history for"
        f" {bill.CAPTURE_DAYS} days in {bill.CAPTURE_BYTES} bytes,",
        "  those of one second in one object. The free tier is the account's: all there share it.",
        *_page_notes(shape),
        "  Left out: data out to the internet (100 GB a month are free), and the machine that runs the portal.",
    ]


def _page_notes(shape: Shape) -> list[str]:
    if not shape.has_page:
        return []
    return [
        f"  The published page: {bill.PAGE_BYTES / 1_000:.0f} kB, which {bill.PEOPLE} people open on"
        f" {bill.OFFICE_DAYS} days."
    ]
