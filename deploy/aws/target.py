"""A real account: the person's own profile, no endpoint, no keys kept anywhere."""

from __future__ import annotations

from collections.abc import Mapping

from deploy.targets import Target

# CloudFormation answers a few questions a second, of everybody in the account together.
POLL_S = 3.0
_FIRST = {"ProtectUsers": "true", "WithBudget": "true", "WithAccessLogs": "true"}


def aws_target(
    *,
    environment: str,
    profile: str | None = None,
    region: str | None = None,
    chosen: Mapping[str, str] | None = None,
) -> Target:
    """The account that the profile signs in to. Functions are the container image, from the stack's own registry.

    Args:   chosen: template parameters that the person names
    """
    return Target(
        name="aws",
        environment=environment,
        endpoint_url="",
        start_command="",
        parameters={
            "PackageType": "Image",
            # The image is named for arm64 too, but has never been run on it.
            "Architecture": "x86_64",
            "IsolateVerify": "true",
            "WithRegistry": "true",
            "WithCognito": "true",
            "WithWatch": "true",
        },
        first_parameters=_FIRST,
        chosen_parameters=chosen or {},
        # KMS keeps the key that manifests are signed with: nobody can read it.
        manifest_key="",
        poll_s=POLL_S,
        profile=profile,
        region=region,
    )
