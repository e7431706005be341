"""Whether the images are there, and made of today's sources."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from deploy.doctor.engine import Engine
from deploy.doctor.finding import Fault
from deploy.state import REPOSITORY
from deploy.targets import LAMBDA_IMAGE, Target

_PLUGINS = "/opt/localstack/lib/python3.13/site-packages"
NOT_SOURCES = {"__pycache__"}


@dataclass(frozen=True)
class Image:
    """An image of docker-compose.yml.

    Attributes:
        copies: folder in the image → folder in the repository that it is a copy of
        mend: the command that brings a changed one to life
    """

    service: str
    tag: str
    copies: Mapping[str, str]
    mend: str

    @property
    def is_redeployed(self) -> bool:
        return self.mend == "make redeploy"


IMAGES = (
    Image("function", "portico-lambda", {"/var/task/predictor": "lambda_docker/predictor"}, "make redeploy"),
    Image(
        "localstack",
        "portico-localstack",
        {
            f"{_PLUGINS}/image_lambda": "docker/localstack/image-lambda/image_lambda",
            f"{_PLUGINS}/keeper": "docker/localstack/keeper/keeper",
        },
        "up -d --build localstack",
    ),
    Image("deploy", "portico-deploy", {"/app/deploy": "deploy"}, "make redeploy"),
    Image("portal", "portico-portal", {"/app/portal": "portal"}, "up -d --build portal"),
)


def check_built(engine: Engine, images: Iterable[Image] = IMAGES) -> str:
    """All of them are there."""
    there = {tag for image in engine.client.images.list() for tag in image.tags}
    missing = [image.tag for image in images if f"{image.tag}:latest" not in there]
    if missing:
        raise Fault(f"Not built yet: {', '.join(missing)}.", f"Build them: {engine.command('build')}")
    return ", ".join(image.tag for image in images)


def check_sources(engine: Engine, images: Iterable[Image] = IMAGES) -> str:
    """Each holds the sources as they are in this folder now."""
    differing = [(image, path) for image in images if (path := find_difference(engine.client, image))]
    if differing:
        mends = dict.fromkeys(
            image.mend if image.is_redeployed else engine.command(image.mend) for image, _ in differing
        )
        raise Fault(
            "Older than the sources: " + ", ".join(f"{image.tag} ({path})" for image, path in differing) + ".",
            f"Build anew and put live: {' && '.join(mends)}",
        )
    return "as the sources are now"


def check_running(
    engine: Engine, target: Target, function_names: Iterable[str], images: Iterable[Image] = IMAGES
) -> str:
    """What runs is what was built last: containers, and the image that the functions were given."""
    for service, tag in ((image.service, image.tag) for image in images if not image.is_redeployed):
        container = engine.container(service)
        if container is not None and container.attrs["Image"] != engine.client.images.get(tag).id:
            raise Fault(
                f"{service} runs an older {tag} than was built.", f"Start it anew: {engine.command('up', '-d')}"
            )
    built = str(engine.client.images.get(LAMBDA_IMAGE).id).removeprefix("sha256:")
    for name in function_names:
        if target.functions.get_function(FunctionName=name)["Configuration"]["CodeSha256"] != built:
            raise Fault(f"{name} runs an older {LAMBDA_IMAGE} than was built.", "Put it live: make redeploy")
    return f"functions run {LAMBDA_IMAGE} {built[:12]}"


def find_difference(client: Any, image: Image) -> str | None:
    """The first source file that is not the same in the image; None where there is none."""
    container = client.containers.create(image.tag, command=["none"])  # never started: its files are read
    try:
        for inside, folder in image.copies.items():
            built, now = _read_archive(container, inside), _read_folder(REPOSITORY / folder)
            differing = sorted(path for path in built.keys() | now.keys() if built.get(path) != now.get(path))
            if differing:
                return f"{folder}/{differing[0]}"
    finally:
        container.remove(force=True)
    return None


def _read_archive(container: Any, folder: str) -> dict[str, str]:
    from docker.errors import NotFound

    try:
        chunks, _ = container.get_archive(folder)
    except NotFound:
        return {}
    found = {}
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
        for member in archive:
            path = PurePosixPath(*PurePosixPath(member.name).parts[1:])
            content = archive.extractfile(member) if member.isfile() and _is_source(path) else None
            if content:
                found[str(path)] = hashlib.sha256(content.read()).hexdigest()
    return found


def _read_folder(folder: Path) -> dict[str, str]:
    files = ((path, path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    return {
        inside.as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path, inside in files
        if _is_source(PurePosixPath(inside))
    }


def _is_source(path: PurePosixPath) -> bool:
    # Each machine compiles its own.
    return not NOT_SOURCES & set(path.parts) and path.suffix != ".so"
