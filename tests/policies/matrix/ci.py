"""The workflow that deploys."""

from tests.policies.matrix.rows import BATCH, UPLOAD, Part, may, may_not

_TOKEN = "token.actions.githubusercontent.com"
_TAKING = "sts:AssumeRoleWithWebIdentity"
_MAIN, _DEPLOYMENT = "repo:example/portico:ref:refs/heads/main", "repo:example/portico:environment:production"
_CLOUDFORMATION = {"aws:CalledVia": ("cloudformation.amazonaws.com",)}
_TO_LAMBDA, _TO_STEP_FUNCTIONS = (
    {"iam:PassedToService": "lambda.amazonaws.com"},
    {"iam:PassedToService": "states.amazonaws.com"},
)

_FUNCTIONS = ("function predict", "function predict-small", "function verify")
_CODE = "lambda:UpdateFunctionCode lambda:UpdateFunctionConfiguration"
_NAMES = "lambda:AddPermission lambda:RemovePermission lambda:PutFunctionConcurrency lambda:DeleteFunctionConcurrency"
_ECR = (
    "ecr:BatchCheckLayerAvailability ecr:BatchGetImage ecr:CompleteLayerUpload ecr:DescribeImages"
    " ecr:GetDownloadUrlForLayer ecr:InitiateLayerUpload ecr:PutImage ecr:UploadLayerPart"
)
_STACK = (
    "cloudformation:CreateChangeSet cloudformation:DeleteChangeSet cloudformation:DescribeChangeSet"
    " cloudformation:DescribeStackEvents cloudformation:DescribeStackResource cloudformation:DescribeStacks"
    " cloudformation:ExecuteChangeSet cloudformation:GetTemplate cloudformation:ListStackResources"
)
_API = "apigateway:DELETE apigateway:GET apigateway:PATCH apigateway:POST apigateway:PUT"


def _by_token(sub: str, *, aud: str = "sts.amazonaws.com") -> dict[str, str]:
    return {f"{_TOKEN}:sub": sub, f"{_TOKEN}:aud": aud}


CI = Part(
    "CiRole",
    "The workflow that deploys",
    "Pushes the image itself; whatever else it changes, it changes through CloudFormation.",
    [
        *(
            may(
                "works on the main branch and in the stack's environment",
                _TAKING,
                "role CiRole",
                given=_by_token(sub),
                by="federated provider",
            )
            for sub in (_MAIN, _DEPLOYMENT)
        ),
        *(
            may_not(
                "works nowhere else: no other repository, branch, tag, pull request or environment",
                _TAKING,
                "role CiRole",
                given=_by_token(sub),
                by="federated provider",
            )
            for sub in (
                "repo:mallory/portico:ref:refs/heads/main",
                "repo:example/portico-fork:ref:refs/heads/main",
                "repo:example/portico:ref:refs/heads/main2",
                "repo:example/portico:ref:refs/heads/feature",
                "repo:example/portico:ref:refs/tags/main",
                "repo:example/portico:pull_request",
                "repo:example/portico:environment:staging",
            )
        ),
        may_not(
            "takes no token that was made for others",
            _TAKING,
            "role CiRole",
            given=_by_token(_MAIN, aud="https://github.com/example"),
            by="federated provider",
        ),
        may_not(
            "is not given by Cognito",
            _TAKING,
            "role CiRole",
            given=_by_token(_MAIN),
            by="federated cognito-identity.amazonaws.com",
        ),
        may_not("is not taken by a role", "sts:AssumeRole", "role CiRole", by="PredictRole"),
        may("logs in to the registry", "ecr:GetAuthorizationToken", "*"),
        may("pushes the image", _ECR, "repository"),
        may("changes its own stack", _STACK, "stack"),
        may("has the live models answer their golden rows", "lambda:InvokeFunction", "function predict"),
        may("sees which code does", "lambda:GetFunctionConfiguration", "function predict"),
        may("notes which code did", "s3:GetObject s3:PutObject", "object deploy/proved.json"),
        may("sees which models are live", "s3:ListBucket", "bucket", given={"s3:prefix": "models/"}),
        may("sees which models are live", "s3:ListBucket", "bucket", given={"s3:prefix": "models/penguins/live.json"}),
        may_not("sees nothing else in the bucket", "s3:ListBucket", "bucket"),
        may_not("sees nothing else in the bucket", "s3:ListBucket", "bucket", given={"s3:prefix": "batches/"}),
        may(
            "has CloudFormation change the functions",
            f"{_CODE} {_NAMES} lambda:GetFunction",
            *_FUNCTIONS,
            given=_CLOUDFORMATION,
        ),
        may(
            "has it read what it wants to know of them",
            "lambda:GetFunctionCodeSigningConfig lambda:GetRuntimeManagementConfig lambda:GetPolicy lambda:ListTags",
            *_FUNCTIONS,
            given=_CLOUDFORMATION,
        ),
        may(
            "has it read tags", "cloudwatch:ListTagsForResource", "alarm ApiFaults", "dashboard", given=_CLOUDFORMATION
        ),
        may("has it read tags", "states:ListTagsForResource", "machine batch", given=_CLOUDFORMATION),
        may(
            "lets Lambda see the network",
            "ec2:DescribeSecurityGroups ec2:DescribeSubnets ec2:DescribeVpcs",
            "*",
            given=_CLOUDFORMATION,
        ),
        may("has it change the API", _API, "api methods", given=_CLOUDFORMATION),
        may(
            "has it change the state machine",
            "states:DescribeStateMachine states:UpdateStateMachine",
            "machine batch",
            given=_CLOUDFORMATION,
        ),
        may(
            "has it keep logs for as long as it is told",
            "logs:PutRetentionPolicy",
            "group lambda predict",
            "group lambda predict-small",
            "group lambda verify",
            "group apigateway",
            given=_CLOUDFORMATION,
        ),
        may("has it look for them", "logs:DescribeLogGroups", "*", given=_CLOUDFORMATION),
        may(
            "has it change the alarms",
            "cloudwatch:DeleteAlarms cloudwatch:DescribeAlarms cloudwatch:PutMetricAlarm",
            "alarm PredictErrors",
            "alarm VerifyErrors",
            "alarm BatchesFailed",
            "alarm ApiFaults",
            given=_CLOUDFORMATION,
        ),
        may(
            "has it change the dashboard",
            "cloudwatch:GetDashboard cloudwatch:PutDashboard",
            "dashboard",
            given=_CLOUDFORMATION,
        ),
        may_not(
            "changes no logs and no alarms past it",
            "logs:PutRetentionPolicy logs:DeleteLogGroup",
            "group lambda predict",
        ),
        may_not("changes no logs and no alarms past it", "cloudwatch:PutMetricAlarm", "alarm PredictErrors"),
        may_not("deletes no logs", "logs:DeleteLogGroup", "group lambda verify", given=_CLOUDFORMATION),
        may(
            "hands the functions' roles on to Lambda",
            "iam:PassRole",
            "role PredictRole",
            "role PredictSmallRole",
            "role VerifyRole",
            given=_TO_LAMBDA,
        ),
        may("hands the state machine's role on", "iam:PassRole", "role BatchRole", given=_TO_STEP_FUNCTIONS),
        may_not("changes no function past CloudFormation", f"{_CODE} {_NAMES} lambda:GetFunction", *_FUNCTIONS),
        may_not("sees no network past it", "ec2:DescribeSecurityGroups ec2:DescribeSubnets ec2:DescribeVpcs", "*"),
        may_not("changes no API and no machine past it", _API, "api methods"),
        may_not(
            "changes no API and no machine past it",
            "states:UpdateStateMachine states:DescribeStateMachine",
            "machine batch",
        ),
        may_not("asks no other function", "lambda:InvokeFunction", "function predict-small", "function verify"),
        may_not(
            "makes and deletes no function",
            "lambda:CreateFunction lambda:DeleteFunction",
            *_FUNCTIONS,
            "function other",
            given=_CLOUDFORMATION,
        ),
        may_not(
            "deletes no stack, and makes none",
            "cloudformation:DeleteStack cloudformation:CreateStack cloudformation:SetStackPolicy",
            "stack",
        ),
        may_not("sees and changes no other stack", _STACK, "stack of staging"),
        may_not(
            "deletes no image and no repository",
            "ecr:BatchDeleteImage ecr:DeleteRepository ecr:SetRepositoryPolicy",
            "repository",
        ),
        may_not(
            "hands no other role on",
            "iam:PassRole",
            "role PortalRole",
            "role CiRole",
            "role BrowserRole",
            given=_TO_LAMBDA,
        ),
        may_not(
            "hands no role on to other services",
            "iam:PassRole",
            "role PredictRole",
            given={"iam:PassedToService": "ec2.amazonaws.com"},
        ),
        may_not(
            "makes and changes no role, not through CloudFormation either",
            "iam:CreateRole iam:PutRolePolicy iam:AttachRolePolicy iam:UpdateAssumeRolePolicy iam:DeleteRole"
            " iam:PutRolePermissionsBoundary iam:CreatePolicyVersion iam:CreateUser iam:CreateAccessKey",
            "role CiRole",
            "role PortalRole",
            given=_CLOUDFORMATION,
        ),
        may_not("takes no role", "sts:AssumeRole", "role PredictRole", "role BrowserRole"),
        may_not(
            "sees no data",
            "s3:GetObject s3:PutObject s3:DeleteObject",
            "object models/penguins/live.json",
            f"object {UPLOAD}",
            f"object {BATCH}/input.csv",
            given=_CLOUDFORMATION,
        ),
        may_not(
            "has no say over the bucket",
            "s3:ListBucket s3:DeleteBucket s3:PutBucketPolicy",
            "bucket",
            given=_CLOUDFORMATION,
        ),
        may_not(
            "has no say over the key",
            "kms:GenerateMac kms:PutKeyPolicy kms:ScheduleKeyDeletion",
            "key",
            given=_CLOUDFORMATION,
        ),
        may_not(
            "has no say over people",
            "cognito-idp:AdminCreateUser cognito-idp:DeleteUserPool cognito-idp:UpdateUserPool",
            "people",
            given=_CLOUDFORMATION,
        ),
        may_not(
            "changes no network",
            "ec2:CreateRoute ec2:AttachInternetGateway ec2:ModifyVpcEndpoint",
            "*",
            given=_CLOUDFORMATION,
        ),
    ],
)
