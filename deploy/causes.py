"""Why a stack failed, in plain words: CloudFormation's reasons that people meet, and what to do about each."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Cause:
    """A reason as CloudFormation words it, what it means, and what to do next; `{0}` is the pattern's first group."""

    pattern: re.Pattern[str]
    means: str
    mend: str


def _cause(pattern: str, means: str, mend: str) -> Cause:
    return Cause(re.compile(pattern, re.IGNORECASE | re.DOTALL), means, mend)


# In this order: a reason may match several, and the first says most.
CAUSES = (
    _cause(
        r"with an explicit deny in a service control policy",
        "the organisation forbids it for every identity of this account",
        "Ask who runs the organisation, or take another account or region.",
    ),
    _cause(
        r"not authorized to perform:? ([a-z0-9-]+:\w+)",
        "this identity may not {0}",
        "Have whoever runs the account allow it, or take another profile: --profile NAME.",
    ),
    _cause(
        r"access ?denied|is not authorized",
        "this identity lacks a permission for it",
        "Have whoever runs the account allow it, or take another profile: --profile NAME.",
    ),
    _cause(
        r"image manifest.*not supported|media type.*not supported",
        "Lambda does not take the image's format: it is an index of several images, or OCI's with attestations",
        "Build it here, by Portico itself: python -m deploy push",
    ),
    _cause(
        r"(exec format error|InvalidEntrypoint|architecture .*(does not match|not supported))",
        "the image was built for another processor than the functions have",
        "Build it for x86_64; other machines do that by emulation: python -m deploy push --rebuild",
    ),
    _cause(
        r"Source image .* does not exist|image.* does not exist|ImageNotFound",
        "the image is not in the registry: it was deleted there, perhaps by the repository's lifecycle rule",
        "Push it again: python -m deploy push",
    ),
    _cause(
        r"Lambda does not have permission to access the ECR image",
        "the repository's policy does not let Lambda read the image",
        "Bring the repository up to date: python -m deploy up",
    ),
    _cause(
        r"(domain.*(already|associated|taken|exists)|already associated with another user pool)",
        "another user pool, perhaps in another account, has this sign-in domain: its name is the whole region's",
        "Choose another: python -m deploy up --set DomainPrefix=NAME",
    ),
    _cause(
        r"provider with url .*already exists|EntityAlreadyExists.*oidc-provider",
        "the account has GitHub's identity provider already, and there can be one only",
        "Name it: --set GitHubOidcProviderArn=arn:aws:iam::ACCOUNT:oidc-provider/token.actions.githubusercontent.com",
    ),
    _cause(
        r"UnreservedConcurrentExecution|ReservedConcurrentExecutions",
        "the account has too little concurrency left to reserve: Lambda keeps 100 unreserved, or 10 in a new account",
        "Reserve none: --set PredictConcurrency=0; or ask for more at Service Quotas, Lambda, Concurrent executions.",
    ),
    _cause(
        r"MemorySize.*less than or equal to (\d+)",
        "this account's functions may have {0} MB at most, as new accounts' do",
        "Stay below: --set PredictMemory=MB; or ask AWS support to raise the limit.",
    ),
    _cause(
        r"VpcLimitExceeded|maximum number of VPCs",
        "the region has as many networks (VPCs) as the account may have",
        "Delete one that is not used, or ask for more at Service Quotas, Amazon VPC.",
    ),
    _cause(
        r"LimitExceeded|limit (was |has been )?exceeded|quota|maximum number of|too many",
        "a limit of the account is reached",
        "Delete what is not used, or ask for more at Service Quotas.",
    ),
    _cause(
        r"BucketNotEmpty|bucket you tried to delete is not empty",
        "something was put into the bucket while it was being deleted",
        "Run the same command again: it empties the bucket first.",
    ),
    _cause(
        r"RepositoryNotEmpty|repository.*(still )?contains images",
        "images were pushed while the repository was being deleted",
        "Run the same command again: it deletes the images first.",
    ),
    _cause(
        r"deletion protection|cannot be deleted.*protect",
        "the user pool is protected against deletion",
        "Take it away with: python -m deploy down, which turns the protection off.",
    ),
    _cause(
        r"already exists|AlreadyOwnedByYou|BucketAlreadyExists|EntityAlreadyExists|name.*(taken|in use)",
        "something of this name is there already, and was not made by this stack",
        "Delete or rename that one, or give this stack another name: --env NAME.",
    ),
    _cause(
        r"Template (validation )?error|Encountered unsupported property|extraneous key|required key",
        "the template has a mistake",
        "This is a fault of Portico's: report it with this line.",
    ),
    _cause(
        r"ServiceUnavailable|Internal ?(Failure|Error)|Service Exception|timed out|Rate exceeded|Throttl",
        "AWS itself had a difficulty",
        "Run the same command again in a minute.",
    ),
)


def explain_cause(reason: str) -> tuple[str, str] | None:
    """(what it means, what to do), or None where CloudFormation's own words must do."""
    for cause in CAUSES:
        found = cause.pattern.search(reason)
        if found:
            return cause.means.format(*found.groups()), cause.mend
    return None


def is_consequence(reason: str) -> bool:
    """Whether a resource failed only because another one did."""
    return "cancelled" in reason or "The following resource(s) failed" in reason


def tell_failure(resource: str, kind: str, reason: str) -> str:
    """One failed resource: what CloudFormation says, what that means, and what to do next."""
    said = f"{resource} ({kind}) failed: {reason.strip().rstrip('.')}."
    explained = explain_cause(reason)
    return f"{said} That is: {explained[0]}. {explained[1]}" if explained else said
