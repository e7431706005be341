"""A month's bill, before and after the free tier: a pure function of prices, figures and what the stack holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from deploy.costs.batches import Cloud, plan_batch
from deploy.costs.measured import COLD_SHARE, Measured
from deploy.costs.prices import Free, Prices

GB = 10**9
# Assumed, not measured; each is said below the bill.
PEOPLE = 10
MODELS_GB = 0.1
IMAGE_GB = 0.25
# The live one and, for going back, those that the repository's lifecycle rule keeps.
IMAGES_KEPT = 10
LOG_BYTES_A_PREDICTION = 1_000
# A function that starts has a pointer and a manifest checked by KMS, and fetches both and the tables.
KMS_REQUESTS_A_START, GETS_A_START = 2, 3
BATCH_DAYS = 30
# What the API answered is kept: one object a second of a process at most, holding what came in that second. Calls come
# in office hours.
CAPTURE_BYTES, CAPTURE_DAYS, CAPTURE_S = 600, 400, 1.0
OFFICE_DAYS = 22
OFFICE_S = OFFICE_DAYS * 8 * 3600
# The published page, whole, as often as each of them comes to work.
PAGE_BYTES = 200_000


@dataclass(frozen=True, slots=True)
class Shape:
    """What of the stack costs money, idle or by the call.

    Attributes:
        images: how many images the registry keeps
        has_page: it is published, by Amplify Hosting
    """

    memory_mb: int = 1_769
    batch_concurrency: int = 8
    alarms: int = 0
    dashboards: int = 0
    keys: int = 1
    images: int = 1
    has_users: bool = True
    has_page: bool = False


@dataclass(frozen=True, slots=True)
class Use:
    """What is done with it in a month."""

    name: str
    predictions: int = 0
    batch_bytes: int = 0


USES = (
    Use("idle"),
    Use("10 k predictions", predictions=10_000),
    Use("1 M predictions", predictions=1_000_000),
    Use("a 1 GB batch", batch_bytes=GB),
)


@dataclass(frozen=True, slots=True)
class Quantities:
    """How much of each priced thing a month takes."""

    lambda_requests: float
    lambda_gb_seconds: float
    api_requests: float
    state_transitions: float
    s3_puts: float
    s3_gets: float
    s3_gb_months: float
    ecr_gb_months: float
    kms_keys: float
    kms_requests: float
    log_gb: float
    alarms: float
    dashboards: float
    cognito_users: float
    page_gb_months: float
    page_gb_served: float

    def less(self, free: Free) -> Quantities:
        """What is left to pay for."""

        def rest(quantity: float, free_quantity: float) -> float:
            return max(quantity - free_quantity, 0.0)

        return Quantities(
            lambda_requests=rest(self.lambda_requests, free.lambda_requests),
            lambda_gb_seconds=rest(self.lambda_gb_seconds, free.lambda_gb_seconds),
            api_requests=self.api_requests,
            state_transitions=rest(self.state_transitions, free.state_transitions),
            s3_puts=self.s3_puts,
            s3_gets=self.s3_gets,
            s3_gb_months=self.s3_gb_months,
            ecr_gb_months=self.ecr_gb_months,
            kms_keys=self.kms_keys,
            kms_requests=rest(self.kms_requests, free.kms_requests),
            log_gb=rest(self.log_gb, free.log_gb),
            alarms=rest(self.alarms, free.alarms),
            dashboards=rest(self.dashboards, free.dashboards),
            cognito_users=rest(self.cognito_users, free.cognito_users),
            page_gb_months=self.page_gb_months,
            page_gb_served=self.page_gb_served,
        )


_SERVICES: Mapping[str, Callable[[Quantities, Prices], float]] = {
    "Lambda": lambda q, p: q.lambda_requests * p.lambda_request + q.lambda_gb_seconds * p.lambda_gb_second,
    "API Gateway": lambda q, p: q.api_requests * p.api_request,
    "Step Functions": lambda q, p: q.state_transitions * p.state_transition,
    "S3": lambda q, p: q.s3_puts * p.s3_put + q.s3_gets * p.s3_get + q.s3_gb_months * p.s3_gb_month,
    "ECR": lambda q, p: q.ecr_gb_months * p.ecr_gb_month,
    "KMS": lambda q, p: q.kms_keys * p.kms_key_month + q.kms_requests * p.kms_request,
    "CloudWatch alarms, dashboard": lambda q, p: q.alarms * p.alarm_month + q.dashboards * p.dashboard_month,
    "CloudWatch Logs": lambda q, p: q.log_gb * (p.log_gb + p.log_gb_month),
    "Cognito": lambda q, p: q.cognito_users * p.cognito_user_month,
    "Amplify Hosting": lambda q, p: q.page_gb_months * p.amplify_gb_month + q.page_gb_served * p.amplify_gb_served,
}


@dataclass(frozen=True, slots=True)
class Month:
    """One column: dollars by service without a free tier, and what is to pay with it."""

    name: str
    services: Mapping[str, float]
    to_pay: float

    @property
    def total(self) -> float:
        return sum(self.services.values())

    @property
    def free(self) -> float:
        return self.total - self.to_pay


def make_bill(shape: Shape, *, prices: Prices, free: Free, measured: Measured) -> list[Month]:
    """A whole month for each of USES, what costs money idle included."""
    months = []
    for use in USES:
        needed = count_quantities(use, shape, measured)
        to_pay = _price(needed.less(free), prices)
        services = _price(needed, prices)
        if not shape.has_page:
            del services["Amplify Hosting"]
        months.append(Month(use.name, services, sum(to_pay.values())))
    return months


def count_quantities(use: Use, shape: Shape, measured: Measured) -> Quantities:
    """Predictions come one by one through the API, are answered by the small function, and kept for the history."""
    starts, captures = use.predictions * COLD_SHARE, count_captures(use.predictions)
    requests: float = use.predictions
    gb_seconds = use.predictions * measured.prediction.gb_seconds
    puts, transitions, batch_gb = captures, 0, 0.0
    gets = use.predictions + starts * GETS_A_START + captures
    if use.batch_bytes:
        batch = plan_batch(use.batch_bytes, measured.steps, Cloud(memory_mb=shape.memory_mb))
        cold_starts = min(shape.batch_concurrency, batch.parts)
        requests += batch.parts + 2
        gb_seconds += batch.gb_s + cold_starts * measured.steps.cold_s * shape.memory_mb / 1024
        gets, puts, transitions = gets + batch.gets, puts + batch.puts, batch.transitions
        starts += cold_starts
        batch_gb = (batch.size_bytes + batch.output_bytes) / GB * BATCH_DAYS / 30
    return Quantities(
        lambda_requests=requests,
        lambda_gb_seconds=gb_seconds,
        api_requests=use.predictions,
        state_transitions=transitions,
        s3_puts=puts,
        s3_gets=gets,
        s3_gb_months=MODELS_GB + batch_gb + use.predictions * CAPTURE_BYTES / GB * CAPTURE_DAYS / 30,
        ecr_gb_months=shape.images * IMAGE_GB,
        kms_keys=shape.keys,
        kms_requests=starts * KMS_REQUESTS_A_START if shape.keys else 0,
        log_gb=use.predictions * LOG_BYTES_A_PREDICTION / GB,
        alarms=shape.alarms,
        dashboards=shape.dashboards,
        cognito_users=PEOPLE if shape.has_users else 0,
        page_gb_months=PAGE_BYTES / GB if shape.has_page else 0,
        page_gb_served=PEOPLE * OFFICE_DAYS * PAGE_BYTES / GB if shape.has_page else 0,
    )


def count_captures(predictions: int) -> float:
    """Objects that so many predictions are kept in: one, then what comes until the first that comes a second later."""
    return OFFICE_S / (CAPTURE_S + OFFICE_S / predictions) if predictions else 0.0


def _price(quantities: Quantities, prices: Prices) -> dict[str, float]:
    return {service: price(quantities, prices) for service, price in _SERVICES.items()}
