"""Which image a version of a function runs. As in Lambda a tag counts when the code is set, not at each start."""

import threading
from typing import Any

from docker.errors import APIError, DockerException, ImageNotFound
from localstack.aws.api.lambda_ import InvalidParameterValueException
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, ImageCode
from localstack.utils.docker_utils import DOCKER_CLIENT

_ids: dict[str, str] = {}
_pulling = threading.Lock()


class ImageAway(Exception):
    """The image is not on this machine and cannot be brought."""


def pin(function_version: FunctionVersion) -> str:
    """Resolves the version's tag to an image id, which it keeps whatever is tagged later."""
    image_id = find(function_version.config.image.image_uri)
    _ids[function_version.config.internal_revision] = image_id
    return image_id


def pinned(function_version: FunctionVersion) -> str:
    image_id = _ids.get(function_version.config.internal_revision)
    if image_id and _is_here(image_id):
        return image_id
    return pin(function_version)


def forget(function_version: FunctionVersion) -> None:
    _ids.pop(function_version.config.internal_revision, None)


def find(image_uri: str) -> str:
    """
    Returns: the id of the image, pulled only if it is not on this machine
    Raises:  ImageAway
    """
    images = DOCKER_CLIENT.client().images
    try:
        return str(images.get(image_uri).id)
    except ImageNotFound:
        pass
    # One at a time: versions of several functions ask for the same image at once.
    with _pulling:
        try:
            return str(images.get(image_uri).id)
        except ImageNotFound:
            pass
        try:
            return str(images.pull(image_uri).id)
        except (APIError, DockerException) as error:
            raise ImageAway(f"The image {image_uri} is not on this machine and could not be pulled: {error}") from error


def describe_code(image_uri: str) -> ImageCode:
    """In place of LocalStack's own, which pulls first even when the image is here, and goes on without any.

    Raises:  Lambda's own refusal. A function that LocalStack makes without its image could not even be deleted.
    """
    try:
        sha256 = find(image_uri).removeprefix("sha256:")
    except ImageAway as error:
        message = f"Source image {image_uri} does not exist. Provide a valid source image. {error}"
        raise InvalidParameterValueException(message, Type="User") from error
    return ImageCode(image_uri=image_uri, repository_type="ECR", code_sha256=sha256)


def _is_here(image_id: str) -> bool:
    try:
        DOCKER_CLIENT.client().images.get(image_id)
    except ImageNotFound:
        return False
    return True


def install(provider: Any) -> None:
    provider.create_image_code = describe_code
