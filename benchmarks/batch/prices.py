"""What AWS asks and what it allows, as of November 2026 in us-east-1, each with the document that says so."""

from dataclasses import dataclass

MIB, GIB, TIB = 2**20, 2**30, 2**40
KIB = 2**10

# AWS Lambda Pricing, x86, first tier; since August 2025 the initialization of a cold start is billed as well.
GB_SECOND = 0.0000166667
LAMBDA_REQUEST = 0.20 / 1_000_000
# AWS Step Functions Pricing, Standard workflows.
STATE_TRANSITION = 0.025 / 1_000
# Amazon S3 Pricing, S3 Standard: PUT, COPY, POST, LIST; GET and all others.
PUT_REQUEST = 0.005 / 1_000
GET_REQUEST = 0.0004 / 1_000

# Amazon API Gateway Pricing, REST APIs, first tier.
API_REQUEST = 3.50 / 1_000_000
# Amazon SageMaker Pricing, Serverless Inference: a second of each GB of memory, and data in and out of the endpoint.
SAGEMAKER_GB_SECOND = 0.0000200
SAGEMAKER_GB_PROCESSED = 0.016
# SageMaker Developer Guide, Serverless Inference: the least memory, and the most that a request may hold.
SAGEMAKER_LEAST_MB = 1_024
SAGEMAKER_PAYLOAD_BYTES = 4 * MIB

# Plan, its choice, Score and Finish; each further step of a long plan is two more. A Distributed Map is charged one
# transition for each child it starts, and that child's own state is another (Step Functions Developer Guide,
# Transitions).
PARENT_TRANSITIONS = 4
PLAN_AGAIN_TRANSITIONS = 2
CHILD_TRANSITIONS = 2
# Two tasks of five events each, a choice of two, the map's six, begin and end; a child's are seven. Each further step
# of a long plan is a task and a choice.
PARENT_EVENTS = 20
PLAN_AGAIN_EVENTS = 7

# Lambda quotas; Lambda function scaling.
TIMEOUT_S = 900
ACCOUNT_CONCURRENCY = 1_000
SCALING_AT_ONCE = 1_000
SCALING_PER_S = 100.0
# Amazon S3 multipart upload limits; 50 TB since December 2025, 5 TiB before.
PARTS_MAX = 10_000
PART_MAX_BYTES = 5 * GIB
OBJECT_MAX_BYTES = 50 * 10**12
# S3 Best practices design patterns: requests per second and prefix.
PUTS_PER_S = 3_500
# Step Functions service quotas; Map state processing modes.
EVENTS_MAX = 25_000
PAYLOAD_MAX_BYTES = 256 * KIB
MAP_CONCURRENCY = 10_000


@dataclass(frozen=True, slots=True)
class Network:
    """What storage on the same machine does not show.

    Source: S3 Best practices design patterns: first bytes come after 100 to 200 ms, one connection has 85 to 90 MB/s
    """

    request_s: float = 0.1
    bytes_per_s: float = 85_000_000

    def seconds(self, *, requests: float, size_bytes: float) -> float:
        return requests * self.request_s + size_bytes / self.bytes_per_s
