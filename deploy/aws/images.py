"""Builds the functions' image and sends it to a registry, by the Docker engine of this machine."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from docker.errors import APIError, DockerException

import docker
from deploy.aws.content import Source
from deploy.errors import DeployError

Advance = Callable[[int, int, str], None]
"""Gets how much is done, of how much, and of what."""

_STEP = re.compile(r"Step (\d+)/(\d+) : (.+)")
_LAST_LINES = 15


def connect() -> docker.APIClient:
    """The engine's client. Raises: DeployError: none answers"""
    try:
        return docker.APIClient(**docker.utils.kwargs_from_env(), version="auto", timeout=600)
    except DockerException as error:
        raise DeployError(
            "No Docker engine answers here, and the functions' image is built by one. Start it (Docker Desktop, or "
            "sudo systemctl start docker) and run the same command again; or let GitHub's workflow do it."
        ) from error


def build_image(engine: docker.APIClient, source: Source, name: str, advance: Advance) -> None:
    """Raises: DeployError: it does not build, with what the build said last"""
    answers = engine.build(
        path=str(source.folder),
        tag=name,
        platform=source.platform,
        buildargs=dict(source.arguments),
        # The base image is looked up again: it gets security updates under the same tag. One made here has no other.
        pull=False,
        rm=True,
        forcerm=True,
        decode=True,
    )
    said: list[str] = []
    try:
        for answer in answers:
            text = answer.get("stream", "").rstrip()
            said = (said + [text])[-_LAST_LINES:] if text else said
            if step := _STEP.match(text):
                advance(int(step.group(1)), int(step.group(2)), step.group(3)[:60])
            if "error" in answer:
                raise DeployError(_explain_build(answer["error"], said))
    except APIError as error:
        raise DeployError(_explain_build(error.explanation or str(error), said)) from error


def send_image(engine: docker.APIClient, repository: str, tag: str, login: Mapping[str, str], advance: Advance) -> None:
    """Raises: DeployError: the registry or the way to it refuses"""
    layers: dict[str, tuple[int, int]] = {}
    try:
        answers: Iterable[Mapping[str, Any]] = engine.push(
            repository, tag=tag, auth_config=dict(login), stream=True, decode=True
        )
        for answer in answers:
            if "error" in answer:
                if "immutable" in answer["error"]:
                    return  # somebody sent the same content meanwhile
                raise DeployError(_explain_push(repository, answer["error"]))
            detail = answer.get("progressDetail") or {}
            if "id" in answer and detail.get("total"):
                layers[answer["id"]] = (min(detail.get("current", 0), detail["total"]), detail["total"])
                advance(sum(done for done, _ in layers.values()), sum(total for _, total in layers.values()), "bytes")
    except APIError as error:
        raise DeployError(_explain_push(repository, error.explanation or str(error))) from error


def _explain_build(error: str, said: list[str]) -> str:
    end = "\n".join(said)
    if re.search(r"toomanyrequests|pull access denied|manifest unknown|no such host|i/o timeout", error):
        return (
            f"The image could not be built: its base image cannot be fetched ({error.strip()}). Sign in to "
            "its registry (docker login), or name another base: PORTICO_BASE=…"
        )
    if "exec format error" in error + end:
        return (
            "The image could not be built: this engine does not run programs of linux/amd64, which the functions are. "
            "Install its emulation: docker run --privileged --rm tonistiigi/binfmt --install amd64"
        )
    if "no space left" in error + end:
        return "The image could not be built: the disk is full. Make about 4 GB of room: docker system prune"
    return f"The image could not be built: {error.strip()}\n{end}"


def _explain_push(repository: str, error: str) -> str:
    if re.search(r"no basic auth|denied|unauthorized|authorization token has expired", error, re.IGNORECASE):
        return (
            f"The registry does not let the image in ({error.strip()}). This identity needs ecr:InitiateLayerUpload, "
            f"ecr:UploadLayerPart, ecr:CompleteLayerUpload, ecr:BatchCheckLayerAvailability and ecr:PutImage on "
            f"{repository.partition('/')[2]}."
        )
    if re.search(r"does not exist|name unknown", error):
        return f"There is no repository {repository}. Make it: python -m deploy up --target aws"
    return f"The image could not be pushed to {repository}: {error.strip()}. Run the same command again: it goes on."
