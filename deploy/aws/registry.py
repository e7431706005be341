"""The stack's own image registry (ECR): what lies there, and how an image gets there, by digest."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deploy.aws.content import Source
from deploy.aws.images import Advance, build_image, connect, send_image
from deploy.errors import DeployError

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

Bar = Callable[[str], AbstractContextManager[Advance]]
"""Shows how far something is, under a title."""


@dataclass(frozen=True)
class Registry:
    """One repository.

    Attributes:
        uri: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/portico-production
    """

    uri: str
    client: ECRClient

    @property
    def repository(self) -> str:
        return self.uri.partition("/")[2]

    def find(self, tag: str) -> str | None:
        """The digest of the newest image that was built of this content, whenever it was."""
        pages = self.client.get_paginator("describe_images").paginate(
            repositoryName=self.repository, filter={"tagStatus": "TAGGED"}
        )
        found = [
            (image["imagePushedAt"], image["imageDigest"])
            for page in pages
            for image in page["imageDetails"]
            if any(name == tag or name.startswith(f"{tag}-") for name in image.get("imageTags", []))
        ]
        return max(found)[1] if found else None

    def login(self) -> dict[str, str]:
        """Good for twelve hours, and kept nowhere."""
        token = self.client.get_authorization_token()["authorizationData"][0]["authorizationToken"]
        name, _, password = base64.b64decode(token).decode().partition(":")
        return {"username": name, "password": password}

    def by_digest(self, digest: str) -> str:
        return f"{self.uri}@{digest}"


def push_image(registry: Registry, source: Source, bar: Bar, *, rebuild: bool = False) -> str:
    """Build what is not there yet, and send it.

    Args:    rebuild: build though the content has not changed: the base image may have
    Returns: the image by digest, as the registry names it
    Raises:  DeployError: no engine, no build, no push
    """
    if not rebuild and (digest := registry.find(source.tag)):
        return registry.by_digest(digest)
    # A tag cannot be moved in a repository whose tags are immutable: built again, it has one of its own.
    tag = f"{source.tag}-{time.strftime('%Y%m%d%H%M%S', time.gmtime())}" if rebuild else source.tag
    with closing(connect()) as engine:
        with bar("Building the functions' image") as advance:
            build_image(engine, source, f"{registry.uri}:{tag}", advance)
        with bar("Pushing it") as advance:
            send_image(engine, registry.uri, tag, registry.login(), advance)
    digest = registry.find(tag)
    if digest is None:
        raise DeployError(
            f"The image was pushed to {registry.uri}:{tag}, and the registry does not know it. Try again."
        )
    return registry.by_digest(digest)
