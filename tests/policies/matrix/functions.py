"""The three functions: predict, predict-small, verify."""

from tests.policies.matrix.rows import BATCH, CAPTURE, JOB, UPLOAD, Part, assumed_by, may, may_not

PREDICT = Part(
    "PredictRole",
    "The large predict function",
    "Loads live models in full, so a model that somebody vouched for runs with this role.",
    [
        *assumed_by("PredictRole", "lambda", "ec2"),
        may(
            "finds the live version and loads it",
            "s3:GetObject",
            "object models/penguins/live.json",
            "object models/penguins/3/manifest.json",
            "object models/penguins/3/model.skops",
        ),
        may("loads the original tool's drop-in model", "s3:GetObject", "object model/binary_sklearn_model.pkl"),
        may(
            "reads a batch's upload and its plan",
            "s3:GetObject",
            f"object {BATCH}/input.csv",
            f"object {BATCH}/plan.json",
        ),
        may(
            "reads what the original tool's users and programs uploaded",
            "s3:GetObject",
            "object ada/1793000000000_penguins.csv",
            "object ada/1793000000000_penguins.csv.gz",
            "object ada/1793000000000_penguins.csv.zip",
            "object ada/1793000000000_penguins.csv.zst",
            "object ada/1793000000000_penguins.tsv",
            "object ada/1793000000000_penguins.jsonl",
            "object ada/1793000000000_penguins.parquet",
            "object ada/1793000000000_penguins.xlsx",
        ),
        may(
            "writes a batch's result, in parts, and what it knows of the job",
            "s3:PutObject s3:ListMultipartUploadParts s3:AbortMultipartUpload",
            f"object {BATCH}/output.csv",
            f"object {JOB}/job.json",
        ),
        may(
            "writes the original API's result beside the upload",
            "s3:PutObject s3:ListMultipartUploadParts s3:AbortMultipartUpload",
            "object ada/1793000000000_penguins_predictions.csv",
        ),
        may("keeps what it answered, for the history", "s3:PutObject", f"object {CAPTURE}"),
        may("lists what has been scored", "s3:ListBucket", "bucket", given={"s3:prefix": f"{BATCH}/parts/"}),
        may("checks signatures", "kms:VerifyMac", "key"),
        may("starts the API's jobs", "states:StartExecution", "machine batch"),
        may("follows and stops them", "states:DescribeExecution states:StopExecution", "execution batch:api-7c9e6679"),
        may("writes its log", "logs:CreateLogStream logs:PutLogEvents", "log predict"),
        may_not(
            "never sees an upload nobody has loaded", "s3:GetObject s3:PutObject s3:DeleteObject", f"object {UPLOAD}"
        ),
        may_not(
            "nor one that is called like a table",
            "s3:GetObject",
            "object quarantine/x.csv",
            "object quarantine/ada/x.csv",
        ),
        may_not("nor puts anything there", "s3:PutObject", "object quarantine/x_predictions.csv"),
        may_not(
            "reads nothing of what was captured and deletes none of it",
            "s3:GetObject s3:DeleteObject",
            f"object {CAPTURE}",
            "object captures/x.csv",
        ),
        may_not(
            "does not say what the published page shows",
            "s3:PutObject",
            "object pages/index.json",
            "object pages/penguins/page.json",
            "object pages/x_predictions.csv",
        ),
        may_not(
            "writes no model, manifest or pointer: nothing becomes live by it",
            "s3:PutObject",
            "object models/penguins/3/model.skops",
            "object models/penguins/3/manifest.json",
            "object models/penguins/live.json",
            "object model/binary_sklearn_model.pkl",
            "object models/penguins/x_predictions.csv",
            "object model/x_predictions.csv",
        ),
        may_not(
            "deletes nothing",
            "s3:DeleteObject s3:DeleteObjectVersion",
            "object models/penguins/live.json",
            f"object {BATCH}/output.csv",
            "object ada/1793000000000_penguins.csv",
        ),
        may_not("reads no older versions", "s3:GetObjectVersion", "object models/penguins/live.json"),
        may_not(
            "reads nothing else that lies in the bucket",
            "s3:GetObject",
            "object notes.txt",
            "object ada/notes.txt",
            "object x.csv",
        ),
        may_not("overwrites no upload", "s3:PutObject", "object ada/1793000000000_penguins.csv"),
        may_not(
            "cannot look around: a model that takes the function over learns no names",
            "s3:ListBucket",
            "bucket",
        ),
        *(
            may_not("nor under other prefixes", "s3:ListBucket", "bucket", given={"s3:prefix": prefix})
            for prefix in ("", "batches/", "batches/7/", "quarantine/", "models/", "ada/")
        ),
        may_not("lists no versions and no uploads", "s3:ListBucketVersions s3:ListBucketMultipartUploads", "bucket"),
        may_not(
            "changes nothing about the bucket",
            "s3:DeleteBucket s3:PutBucketPolicy s3:PutLifecycleConfiguration",
            "bucket",
        ),
        may_not(
            "vouches for nothing", "kms:GenerateMac kms:PutKeyPolicy kms:ScheduleKeyDeletion kms:CreateGrant", "key"
        ),
        may_not(
            "invokes no function",
            "lambda:InvokeFunction",
            "function predict",
            "function predict-small",
            "function verify",
        ),
        may_not(
            "changes no function", "lambda:UpdateFunctionCode lambda:UpdateFunctionConfiguration", "function predict"
        ),
        may_not(
            "sees and stops no batch of the portal",
            "states:DescribeExecution states:StopExecution",
            "execution batch:batch-6f1c0f4e-1",
            "execution other:api-7c9e6679",
        ),
        may_not("starts no other machine", "states:StartExecution", "machine other"),
        may_not("changes no machine", "states:UpdateStateMachine states:DeleteStateMachine", "machine batch"),
        may_not("writes into no other log", "logs:PutLogEvents", "log verify", "log predict-small"),
        may_not("takes no role", "sts:AssumeRole", "role PredictSmallRole", "role BatchRole"),
        may_not("hands no role on", "iam:PassRole", "role PredictRole", "role PortalRole"),
    ],
)

PREDICT_SMALL = Part(
    "PredictSmallRole",
    "The small predict function",
    "Answers single rows from tables. It loads no model, and writes what it answered.",
    [
        *assumed_by("PredictSmallRole", "lambda", "states"),
        may(
            "finds the live version and its tables",
            "s3:GetObject",
            "object models/penguins/live.json",
            "object models/penguins/3/manifest.json",
            "object models/penguins/3/compiled.json",
        ),
        may("looks whether there is a drop-in model", "s3:GetObject", "object model/binary_sklearn_model.pkl"),
        may("checks signatures", "kms:VerifyMac", "key"),
        may("has the large function answer the rest", "lambda:InvokeFunction", "function predict"),
        may("keeps what it answered, for the history", "s3:PutObject", f"object {CAPTURE}"),
        may("writes its log", "logs:CreateLogStream logs:PutLogEvents", "log predict-small"),
        may_not(
            "reads no model",
            "s3:GetObject",
            "object models/penguins/3/model.skops",
            "object models/penguins/3/model.pkl",
        ),
        may_not(
            "reads no upload", "s3:GetObject", f"object {UPLOAD}", f"object {BATCH}/input.csv", "object ada/17_x.csv"
        ),
        may_not(
            "reads nothing of what was captured and deletes none of it",
            "s3:GetObject s3:DeleteObject",
            f"object {CAPTURE}",
        ),
        may_not(
            "writes nothing else",
            "s3:PutObject s3:DeleteObject",
            "object pages/penguins/page.json",
            "object models/penguins/live.json",
            "object models/penguins/3/compiled.json",
            f"object {BATCH}/output.csv",
            "object ada/17_x_predictions.csv",
        ),
        may_not("lists nothing", "s3:ListBucket", "bucket"),
        may_not("lists nothing", "s3:ListBucket", "bucket", given={"s3:prefix": "models/"}),
        may_not("vouches for nothing", "kms:GenerateMac", "key"),
        may_not(
            "has nothing verified and does not call itself",
            "lambda:InvokeFunction",
            "function verify",
            "function predict-small",
        ),
        may_not("starts and stops no batch", "states:StartExecution", "machine batch"),
        may_not("starts and stops no batch", "states:StopExecution", "execution batch:api-7c9e6679"),
        may_not("writes into no other log", "logs:PutLogEvents", "log predict"),
    ],
)

_NETWORK = (
    "ec2:CreateNetworkInterface ec2:DeleteNetworkInterface ec2:DescribeNetworkInterfaces ec2:DescribeSubnets"
    " ec2:DescribeSecurityGroups ec2:DescribeVpcs ec2:AssignPrivateIpAddresses ec2:UnassignPrivateIpAddresses"
)
_INSIDE = {"aws:SourceVpce": "door", "lambda:SourceFunctionArn": "function verify"}

VERIFY = Part(
    "VerifyRole",
    "The verify function",
    "Loads what nobody has vouched for, in a network whose one way out is the endpoint of S3.",
    [
        *assumed_by("VerifyRole", "lambda", "states")[:2],
        may_not("is not taken by the portal", "sts:AssumeRole", "role VerifyRole", by="PortalRole"),
        may("reads the upload, through the endpoint", "s3:GetObject", f"object {UPLOAD}", given=_INSIDE),
        may("writes its log", "logs:CreateLogStream logs:PutLogEvents", "log verify"),
        may("is put into its network by Lambda", _NETWORK, "*"),
        may_not(
            "cannot touch the network itself", _NETWORK, "*", given={"lambda:SourceFunctionArn": "function verify"}
        ),
        may_not(
            "reads nothing but quarantine",
            "s3:GetObject",
            "object models/penguins/live.json",
            "object models/penguins/3/model.skops",
            "object model/binary_sklearn_model.pkl",
            f"object {BATCH}/input.csv",
            "object ada/17_x.csv",
            f"object {CAPTURE}",
            "object pages/index.json",
            given=_INSIDE,
        ),
        may_not("changes no upload", "s3:PutObject s3:DeleteObject", f"object {UPLOAD}", given=_INSIDE),
        may_not("reads no older versions", "s3:GetObjectVersion", f"object {UPLOAD}", given=_INSIDE),
        may_not(
            "writes nowhere else", "s3:PutObject", "object models/penguins/live.json", f"object {BATCH}/output.csv"
        ),
        may_not("lists nothing", "s3:ListBucket", "bucket", given={**_INSIDE, "s3:prefix": "quarantine/"}),
        may_not("checks and makes no signatures", "kms:VerifyMac kms:GenerateMac", "key"),
        may_not(
            "invokes nothing", "lambda:InvokeFunction", "function predict", "function predict-small", "function verify"
        ),
        may_not("starts and stops no batch", "states:StartExecution", "machine batch"),
        may_not("writes into no other log", "logs:PutLogEvents", "log predict"),
    ],
)

DOOR = Part(
    "PredictRole",
    "The way out of verify's network",
    "The endpoint's own policy, whatever the role of whoever stands behind it: here that of predict.",
    [
        may_not(
            "lets nothing but quarantine be read, not even by a role that may",
            "s3:GetObject",
            "object models/penguins/live.json",
            f"object {BATCH}/input.csv",
            given={"aws:SourceVpce": "door"},
        ),
        may_not(
            "lets nothing be written", "s3:PutObject", f"object {BATCH}/output.csv", given={"aws:SourceVpce": "door"}
        ),
    ],
)
