"""What services of AWS may do here without a role of the stack, and API Gateway with one of the account."""

from tests.policies.matrix.rows import Part, may, may_not

_HERE, _ELSEWHERE = {"aws:SourceAccount": "account"}, {"aws:SourceAccount": "444455556666"}

WATCH = Part(
    "service cloudwatch.amazonaws.com",
    "Alarms, images and logs of AWS's own services",
    "What services of AWS may do here without a role of the stack.",
    [
        *(
            may(
                "says alarms on the stack's topic",
                "sns:Publish",
                "topic",
                given=_HERE,
                by=f"service {service}.amazonaws.com",
            )
            for service in ("cloudwatch", "budgets")
        ),
        may_not("not those of other accounts", "sns:Publish", "topic", given=_ELSEWHERE),
        may_not("no other service does", "sns:Publish", "topic", given=_HERE, by="service s3.amazonaws.com"),
        may_not("nobody without a signature does", "sns:Publish sns:Subscribe", "topic", by="anonymous"),
        may_not("no role of the stack does", "sns:Publish sns:Subscribe", "topic", by="PortalRole"),
        may(
            "the account's own policies decide who has",
            "kms:PutKeyPolicy kms:ScheduleKeyDeletion",
            "key",
            by="administrator",
        ),
        may_not("nobody of another account has", "kms:PutKeyPolicy kms:GenerateMac", "key", by="stranger"),
        may(
            "Lambda runs the stack's images",
            "ecr:BatchGetImage ecr:GetDownloadUrlForLayer",
            "repository",
            given={"aws:SourceArn": "function predict"},
            by="service lambda.amazonaws.com",
        ),
        may_not(
            "but in no function of another stack",
            "ecr:BatchGetImage ecr:GetDownloadUrlForLayer",
            "repository",
            given={"aws:SourceArn": "function predict of staging"},
            by="service lambda.amazonaws.com",
        ),
        may_not(
            "and pushes none",
            "ecr:PutImage",
            "repository",
            given={"aws:SourceArn": "function predict"},
            by="service lambda.amazonaws.com",
        ),
        may("API Gateway writes its logs", "sts:AssumeRole", "role GatewayRole", by="service apigateway.amazonaws.com"),
        may_not(
            "no other service takes that role", "sts:AssumeRole", "role GatewayRole", by="service lambda.amazonaws.com"
        ),
        may_not("no role does", "sts:AssumeRole", "role GatewayRole", by="PortalRole"),
    ],
)
