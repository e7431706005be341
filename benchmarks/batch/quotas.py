"""What AWS allows, as of November 2026, each with the document that says so. Prices: deploy/costs/prices.toml."""

MIB, GIB, TIB = 2**20, 2**30, 2**40
KIB = 2**10

# SageMaker Developer Guide, Serverless Inference: the least memory, and the most that a request may hold.
SAGEMAKER_LEAST_MB = 1_024
SAGEMAKER_PAYLOAD_BYTES = 4 * MIB

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
