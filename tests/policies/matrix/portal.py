"""The portal, and the browsers of people who have signed in."""

from tests.policies.matrix.rows import BATCH, CAPTURE, JOB, SUB, UPLOAD, Part, may, may_not

_MODEL = [
    f"object models/penguins/3/{name}" for name in ("model.skops", "manifest.json", "compiled.json", "pictures/1.png")
]

PORTAL = Part(
    "PortalRole",
    "The portal",
    "Takes uploads in, puts verified models in their place, signs them, and asks the functions.",
    [
        may("is taken by whoever the account lets", "sts:AssumeRole", "role PortalRole", by="administrator"),
        may_not(
            "is not taken by a function, nor by a workflow",
            "sts:AssumeRole",
            "role PortalRole",
            by="VerifyRole",
        ),
        may_not("is not taken by a function, nor by a workflow", "sts:AssumeRole", "role PortalRole", by="PredictRole"),
        may_not("is not taken by a function, nor by a workflow", "sts:AssumeRole", "role PortalRole", by="CiRole"),
        may_not("nor from another account", "sts:AssumeRole", "role PortalRole", by="stranger"),
        may(
            "takes an upload in, in parts where it is large, reads it once more and throws it away",
            "s3:PutObject s3:AbortMultipartUpload s3:GetObject s3:DeleteObject",
            f"object {UPLOAD}",
        ),
        may(
            "does so with a batch's file and results",
            "s3:PutObject s3:AbortMultipartUpload s3:GetObject s3:DeleteObject",
            f"object {BATCH}/input.csv",
            f"object {BATCH}/parts/3.json",
        ),
        may("writes a version, and reads it", "s3:PutObject s3:AbortMultipartUpload s3:GetObject", *_MODEL),
        may(
            "writes the pointer to the live one, and reads it",
            "s3:PutObject s3:GetObject",
            "object models/penguins/live.json",
        ),
        may("exchanges a version's pictures", "s3:DeleteObject", "object models/penguins/3/pictures/1.png"),
        may(
            "writes what the published page makes its forms of, and reads it",
            "s3:PutObject s3:GetObject",
            "object pages/index.json",
            "object pages/penguins/page.json",
        ),
        may("takes what the API answered into the history", "s3:GetObject", f"object {CAPTURE}"),
        may(
            "hands out what the API scored within a call, from the caller's folder",
            "s3:GetObject",
            "object ada/1793000000000_penguins_predictions.csv",
        ),
        may("lists what a batch has left", "s3:ListBucket", "bucket", given={"s3:prefix": f"{BATCH}/"}),
        may("lists what was captured", "s3:ListBucket", "bucket", given={"s3:prefix": "captures/2026/11/29/"}),
        may("is told which keys are not there; to S3 that is a listing without a prefix", "s3:ListBucket", "bucket"),
        may(
            "finds uploads that broke off", "s3:ListBucketMultipartUploads", "bucket", given={"s3:prefix": f"{BATCH}/"}
        ),
        may(
            "asks the three functions",
            "lambda:InvokeFunction",
            "function predict",
            "function predict-small",
            "function verify",
        ),
        may("starts batches", "states:StartExecution", "machine batch"),
        may(
            "follows and stops them",
            "states:DescribeExecution states:StopExecution",
            "execution batch:batch-6f1c0f4e-1",
        ),
        may(
            "is told how the API's own ended, of which a cancelled one says so nowhere else",
            "states:DescribeExecution",
            "execution batch:api-7c9e6679",
        ),
        may("vouches for models", "kms:GenerateMac", "key"),
        may("asks whether a token's person is still in the pool", "cognito-idp:AdminGetUser", "people"),
        may_not(
            "deletes no model: a version stays, and so does what is live",
            "s3:DeleteObject s3:DeleteObjectVersion",
            "object models/penguins/3/model.skops",
            "object models/penguins/3/manifest.json",
            "object models/penguins/live.json",
        ),
        may_not("reads no older versions", "s3:GetObjectVersion", "object models/penguins/live.json"),
        may_not(
            "changes nothing of what was captured, and takes none of it away",
            "s3:PutObject s3:DeleteObject",
            f"object {CAPTURE}",
        ),
        may_not("takes no page away", "s3:DeleteObject", "object pages/penguins/page.json"),
        may_not(
            "leaves the original tool's drop-in model alone, which is nobody's to vouch for",
            "s3:GetObject s3:PutObject s3:DeleteObject",
            "object model/binary_sklearn_model.pkl",
        ),
        may_not(
            "leaves the folders of the original tool's users alone",
            "s3:GetObject s3:PutObject s3:DeleteObject",
            "object ada/1793000000000_penguins.csv",
        ),
        may_not(
            "and changes no result there",
            "s3:PutObject s3:DeleteObject",
            "object ada/1793000000000_penguins_predictions.csv",
        ),
        may(
            "deletes what somebody of the user pool sent, whose folder is called by their `sub`, when its time is over",
            "s3:DeleteObject",
            f"object {SUB}/1793000000000_penguins.csv",
            f"object {SUB}/1793000000000_penguins_predictions.csv",
        ),
        may_not(
            "and neither reads nor changes it before",
            "s3:GetObject s3:PutObject s3:DeleteObjectVersion",
            f"object {SUB}/1793000000000_penguins.csv",
        ),
        may_not("lists under no other prefix", "s3:ListBucket", "bucket", given={"s3:prefix": "ada/"}),
        may_not("lists under no other prefix", "s3:ListBucket", "bucket", given={"s3:prefix": ""}),
        may_not("lists no versions", "s3:ListBucketVersions", "bucket"),
        may_not(
            "changes nothing about the bucket",
            "s3:DeleteBucket s3:PutBucketPolicy s3:DeleteBucketPolicy s3:PutLifecycleConfiguration"
            " s3:PutBucketVersioning s3:PutBucketPublicAccessBlock s3:PutBucketCORS",
            "bucket",
        ),
        may_not("asks no other function", "lambda:InvokeFunction", "function other"),
        may_not(
            "changes no function",
            "lambda:UpdateFunctionCode lambda:UpdateFunctionConfiguration lambda:AddPermission lambda:GetFunction",
            "function predict",
            "function verify",
        ),
        may_not(
            "starts no other machine and changes none",
            "states:StartExecution states:UpdateStateMachine",
            "machine other",
        ),
        may_not("changes no machine", "states:UpdateStateMachine states:DeleteStateMachine", "machine batch"),
        may_not(
            "stops none of the API's own jobs",
            "states:StopExecution",
            "execution batch:api-7c9e6679",
        ),
        may_not(
            "has no say over the key",
            "kms:PutKeyPolicy kms:ScheduleKeyDeletion kms:DisableKey kms:CreateGrant",
            "key",
        ),
        may_not(
            "manages no people: it signs them in as anybody would",
            "cognito-idp:AdminCreateUser cognito-idp:AdminAddUserToGroup cognito-idp:AdminSetUserPassword"
            " cognito-idp:AdminDisableUser cognito-idp:AdminInitiateAuth cognito-idp:AdminDeleteUser"
            " cognito-idp:ListUsers cognito-idp:DescribeUserPoolClient",
            "people",
        ),
        may_not("asks no other pool", "cognito-idp:AdminGetUser", "people of staging"),
        may_not("takes and hands on no role", "sts:AssumeRole", "role PredictRole", "role CiRole"),
        may_not("takes and hands on no role", "iam:PassRole", "role PredictRole", "role PortalRole"),
        may_not("makes no role", "iam:CreateRole iam:PutRolePolicy iam:UpdateAssumeRolePolicy", "role PortalRole"),
        may_not(
            "changes no stack and pushes no image", "cloudformation:UpdateStack cloudformation:DeleteStack", "stack"
        ),
        may_not("changes no stack and pushes no image", "ecr:PutImage", "repository"),
        may_not("reads no log", "logs:FilterLogEvents", "group lambda predict"),
        may_not("reads no log", "logs:GetLogEvents", "log predict"),
    ],
)

ADA, BOB = "3f0c1d5e-ada", "9b1e2c3d-bob"
_ADA = {"aws:PrincipalTag/sub": ADA}
_FILES = [f"17_x.{suffix}" for suffix in ("csv", "csv.gz", "csv.zip", "csv.zst", "tsv", "jsonl", "parquet", "xlsx")]
_COGNITO = "federated cognito-identity.amazonaws.com"
_AUD, _AMR = "cognito-identity.amazonaws.com:aud", "cognito-identity.amazonaws.com:amr"
_TAKING = "sts:AssumeRoleWithWebIdentity"

BROWSER = Part(
    "BrowserRole",
    "The browser of somebody who has signed in",
    "Has keys of the identity pool for an hour. The folder is named after the `sub` of the person's token.",
    [
        may(
            "is given by the pool to whoever has signed in",
            f"{_TAKING} sts:TagSession",
            "role BrowserRole",
            given={_AUD: "identities", _AMR: ("authenticated", "cognito-idp.eu-west-1.amazonaws.com/eu-west-1_x")},
            by=_COGNITO,
        ),
        may_not(
            "is not given to guests",
            _TAKING,
            "role BrowserRole",
            given={_AUD: "identities", _AMR: ("unauthenticated",)},
            by=_COGNITO,
        ),
        may_not(
            "is not given by another pool",
            _TAKING,
            "role BrowserRole",
            given={_AUD: "identities of staging", _AMR: ("authenticated",)},
            by=_COGNITO,
        ),
        may_not(
            "is not given by GitHub", _TAKING, "role BrowserRole", given={_AUD: "identities"}, by="federated provider"
        ),
        may_not("is not taken by a role", "sts:AssumeRole", "role BrowserRole", by="PortalRole"),
        may(
            "puts files into its own folder and reads them back",
            "s3:PutObject s3:GetObject",
            *(f"object {ADA}/{name}" for name in _FILES),
            given=_ADA,
        ),
        may(
            "reads what the published page makes its forms of",
            "s3:GetObject",
            "object pages/index.json",
            "object pages/penguins/page.json",
            given=_ADA,
        ),
        may_not(
            "changes none of it",
            "s3:PutObject s3:DeleteObject",
            "object pages/index.json",
            "object pages/penguins/page.json",
            given=_ADA,
        ),
        may_not(
            "sees nothing of what was captured, not even of its own",
            "s3:GetObject s3:PutObject",
            f"object {CAPTURE}",
            given=_ADA,
        ),
        may_not(
            "leaves other people's folders alone", "s3:PutObject s3:GetObject", f"object {BOB}/17_x.csv", given=_ADA
        ),
        may_not(
            "has no folder without a name", "s3:PutObject s3:GetObject", f"object {ADA}/17_x.csv", "object /17_x.csv"
        ),
        may_not(
            "puts nothing there that is no table",
            "s3:PutObject",
            f"object {ADA}/x.html",
            f"object {ADA}/x.pkl",
            given=_ADA,
        ),
        may_not("deletes nothing", "s3:DeleteObject", f"object {ADA}/17_x.csv", given=_ADA),
        may_not("reads no older versions", "s3:GetObjectVersion", f"object {ADA}/17_x.csv", given=_ADA),
        may_not(
            "sees no model, no upload, no batch",
            "s3:GetObject s3:PutObject",
            "object models/penguins/3/model.skops",
            "object models/penguins/live.json",
            "object model/binary_sklearn_model.pkl",
            f"object {UPLOAD}",
            f"object {BATCH}/input.csv",
            f"object {JOB}/output.csv",
            given=_ADA,
        ),
        may_not("lists nothing", "s3:ListBucket", "bucket", given={**_ADA, "s3:prefix": f"{ADA}/"}),
        may_not("lists nothing", "s3:ListBucket", "bucket", given=_ADA),
        may_not(
            "asks the functions by the API alone",
            "lambda:InvokeFunction",
            "function predict",
            "function predict-small",
            given=_ADA,
        ),
        may_not("starts and stops no batch", "states:StartExecution", "machine batch", given=_ADA),
        may_not("checks and makes no signatures", "kms:VerifyMac kms:GenerateMac", "key", given=_ADA),
    ],
)
