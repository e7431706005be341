"""What the matrix has to put up with: policies about everything, and the mistakes of an emulator that is asked it."""

from collections.abc import Callable

from tests.policies.matrix.rows import SUB, Case

# "*" for what an action is about, in a role's policy, and why nothing less will do.
EVERYTHING = {
    ("VerifyRole/network", "LambdaConnectsTheFunction"): (
        "Lambda makes the function's network interfaces with this role, and takes nothing less"
    ),
    ("VerifyRole/network", "TheFunctionItselfDoesNot"): "denies",
    ("CiRole/push", "LogIn"): "the registry's token is the account's",
    ("CiRole/through-cloudformation", "SeeNetworksAndLogs"): "these Describe calls are about all there is",
}
_ACCOUNT = "leaves it to the roles' own policies, and locks nobody out"
# All actions of a service, or all that begin alike, and why.
EVERY_ACTION = {
    ("CiRole/through-cloudformation", "ChangeTheService"): "CloudFormation reads all there is to see of a function",
    ("BucketPolicy", "TlsOnly"): "denies",
    ("PredictRole/predict", "NeverQuarantine"): "denies",
    ("VerifyRole/network", "TheFunctionItselfDoesNot"): "denies",
    ("ManifestKmsKey", "PoliciesOfThisAccountDecide"): _ACCOUNT,
}

# Where LocalEmu 1.3.2 decides otherwise than AWS, and on which calls. Each must be wrong still, so that an emulator
# that was mended is noticed.
MISTAKES: dict[str, Callable[[Case], bool]] = {
    "reading an older version is taken for plain reading": (
        lambda case: case.action == "s3:GetObjectVersion" and not case.on.startswith("object quarantine")
    ),
    "deleting a version is taken for plain deleting": (
        lambda case: case.action == "s3:DeleteObjectVersion" and case.on.startswith(f"object {SUB}/")
    ),
    "a listing has no s3:prefix: a condition that wants one fails": (
        lambda case: case.action == "s3:ListBucket" and case.who in ("PredictRole", "CiRole") and case.is_allowed
    ),
    "a listing has no s3:prefix: a condition IfExists holds": (
        lambda case: case.action == "s3:ListBucket" and case.who == "PortalRole" and not case.is_allowed
    ),
    "a variable without a value is empty, rather than fitting nothing": lambda case: case.on == "object /17_x.csv",
    "Step Functions' actions are called stepfunctions:…, which no policy can name": (
        lambda case: case.action.startswith("states:") and case.is_allowed
    ),
    "streams of a log are not told from their group": lambda case: case.action.startswith("logs:") and case.is_allowed,
    "repositories have no names": lambda case: (
        case.action.startswith("ecr:") and case.on == "repository" and case.is_allowed
    ),
}
