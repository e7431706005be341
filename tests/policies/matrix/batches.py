"""The state machine, and what may call the functions from outside."""

from tests.policies.matrix.rows import BATCH, UPLOAD, Part, assumed_by, may, may_not

BATCHES = Part(
    "BatchRole",
    "The state machine of batches",
    "Has the predict function plan, score and finish, and starts one child execution for each part.",
    [
        *assumed_by("BatchRole", "states", "lambda"),
        may("has the predict function do the work", "lambda:InvokeFunction", "function predict"),
        may("reads the list of parts", "s3:GetObject", f"object {BATCH}/parts.json"),
        may("starts children of its own machine", "states:StartExecution", "machine batch"),
        may(
            "follows and stops them",
            "states:DescribeExecution states:StopExecution",
            "execution batch/Score:6f1c0f4e",
        ),
        may_not("invokes no other function", "lambda:InvokeFunction", "function predict-small", "function verify"),
        may_not(
            "reads no rows and no models",
            "s3:GetObject",
            f"object {BATCH}/input.csv",
            f"object {BATCH}/output.csv",
            f"object {UPLOAD}",
            "object models/penguins/live.json",
        ),
        may_not(
            "writes nothing", "s3:PutObject s3:DeleteObject", f"object {BATCH}/parts.json", f"object {BATCH}/output.csv"
        ),
        may_not("lists nothing", "s3:ListBucket", "bucket"),
        may_not("starts no other machine", "states:StartExecution", "machine other"),
        may_not(
            "stops no other batch",
            "states:StopExecution",
            "execution batch:batch-6f1c0f4e-1",
            "execution other/Score:1",
        ),
        may_not("checks and makes no signatures", "kms:VerifyMac kms:GenerateMac", "key"),
    ],
)

GATEWAY = Part(
    "service apigateway.amazonaws.com",
    "The REST API",
    "What the functions' own policies let in. Roles of this account invoke them by their own policies.",
    [
        may(
            "this stack's API asks the predict functions",
            "lambda:InvokeFunction",
            "function predict-small",
            "function predict",
            given={"aws:SourceArn": "stage POST/singlePrediction"},
        ),
        may_not(
            "another stack's API does not",
            "lambda:InvokeFunction",
            "function predict-small",
            "function predict",
            given={"aws:SourceArn": "stage POST/singlePrediction of staging"},
        ),
        may_not(
            "nobody asks the verify function over HTTP",
            "lambda:InvokeFunction",
            "function verify",
            given={"aws:SourceArn": "stage POST/singlePrediction"},
        ),
        may_not("no other service asks", "lambda:InvokeFunction", "function predict", by="service s3.amazonaws.com"),
        may_not("nor anybody without a signature", "lambda:InvokeFunction", "function predict", by="anonymous"),
    ],
)

BUCKET = Part(
    "anonymous",
    "The bucket, whoever asks",
    "Its own policy refuses what comes unencrypted, and lets nobody in.",
    [
        may_not("gives nothing to callers who do not sign", "s3:GetObject", "object models/penguins/live.json"),
        may_not("takes nothing from them", "s3:PutObject", f"object {BATCH}/input.csv", f"object {UPLOAD}"),
        may_not("lists nothing to them", "s3:ListBucket", "bucket"),
        may_not(
            "answers no role over plain HTTP",
            "s3:GetObject",
            "object models/penguins/live.json",
            given={"aws:SecureTransport": "false"},
            by="PredictRole",
        ),
        may_not(
            "answers no role over plain HTTP",
            "s3:ListBucket",
            "bucket",
            given={"aws:SecureTransport": "false", "s3:prefix": f"{BATCH}/parts/"},
            by="PredictRole",
        ),
    ],
)
