"""The image is built by the real engine and pushed to a registry that speaks the distribution API: MiniStack's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

import docker
from deploy.aws.content import Source
from deploy.aws.registry import Registry, push_image
from deploy.embedded.emulator import Emulator, start_emulator
from deploy.embedded.ports import find_free_port
from deploy.embedded.processes import Supervisor
from deploy.errors import DeployError
from deploy.state import StateFolder
from deploy.targets import Target, embedded_target

pytestmark = pytest.mark.containers

NAME = "portico-test-push"
# Nothing to fetch, hence built within a second.
DOCKERFILE = "FROM scratch\nARG WORD=none\nLABEL word=$WORD\nCOPY hello.txt /hello.txt\n"


@pytest.fixture(scope="module")
def registry_emulator(docker_engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    state = StateFolder(tmp_path_factory.mktemp("registry"))
    with Supervisor() as supervisor:
        yield start_emulator(supervisor, state, find_free_port(), extra={"SERVICES": "ecr,sts"})


@pytest.fixture
def registry(registry_emulator: Emulator) -> Iterator[Registry]:
    """A repository whose address is the emulator's own: engines take a registry on loopback without TLS."""
    target: Target = embedded_target(registry_emulator.endpoint)
    target.images.create_repository(repositoryName=NAME)
    yield Registry(f"127.0.0.1:{registry_emulator.port}/{NAME}", target.images)
    target.images.delete_repository(repositoryName=NAME, force=True)
    with closing(docker.from_env()) as engine:
        for image in engine.images.list():
            for tag in image.tags:
                if NAME in tag:
                    engine.images.remove(tag, force=True)


@pytest.fixture
def source(tmp_path: Path) -> Source:
    folder = tmp_path / "image"
    folder.mkdir()
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (folder / "hello.txt").write_text("hello\n")
    return Source(folder)


@pytest.fixture
def bars() -> dict[str, list[int]]:
    """How often each bar was moved on, by its title."""
    return {}


@pytest.fixture
def bar(bars: dict[str, list[int]]) -> Callable[[str], object]:
    @contextmanager
    def shown(title: str) -> Iterator[Callable[[int, int, str], None]]:
        seen = bars.setdefault(title, [])
        yield lambda done, total, what: seen.append(done)

    return shown


def test_pushed_image_is_in_the_registry_under_the_digest_that_it_names(registry, source, bar, bars):
    image = push_image(registry, source, bar)

    (found,) = registry.client.describe_images(repositoryName=NAME)["imageDetails"]
    assert image == f"{registry.uri}@{found['imageDigest']}"
    assert found["imageTags"] == [source.tag]
    assert bars["Building the functions' image"] == [1, 2, 3, 4]


def test_pushed_image_can_be_pulled_by_its_digest(registry, source, bar):
    image = push_image(registry, source, bar)
    with closing(docker.from_env()) as engine:
        engine.images.remove(f"{registry.uri}:{source.tag}", force=True)

        pulled = engine.images.pull(registry.uri, tag=image.partition("@")[2])

        assert pulled.labels["word"] == "none"
        assert pulled.attrs["Architecture"] == "amd64"
        engine.images.remove(pulled.id, force=True)


def test_content_that_is_there_is_neither_built_nor_pushed_again(registry, source, bar, bars):
    before = push_image(registry, source, bar)
    bars.clear()

    assert push_image(registry, source, bar) == before
    assert bars == {}


def test_other_content_or_another_argument_is_another_image(registry, source, bar):
    before = push_image(registry, source, bar)
    (source.folder / "hello.txt").write_text("good evening\n")
    other_content = push_image(registry, source, bar)

    other_argument = push_image(registry, replace(source, arguments={"WORD": "yes"}), bar)

    assert len({before, other_content, other_argument}) == 3


def test_image_that_is_rebuilt_is_taken_for_the_content_from_then_on(registry, source, bar):
    push_image(registry, source, bar)
    rebuilt = push_image(registry, source, bar, rebuild=True)

    assert push_image(registry, source, bar) == rebuilt


def test_image_that_does_not_build_is_told_with_the_build_s_last_words(registry, source, bar):
    (source.folder / "Dockerfile").write_text("FROM scratch\nCOPY missing.txt /\n")

    with pytest.raises(DeployError, match=r"(?s)could not be built: .*missing\.txt.*Step 2/2 : COPY missing\.txt"):
        push_image(registry, source, bar)


def test_registry_that_does_not_answer_is_told_with_what_to_do(registry, source, bar):
    nowhere = Registry(f"127.0.0.1:{find_free_port()}/{NAME}", registry.client)

    with pytest.raises(DeployError, match=r"could not be pushed to 127\.0\.0\.1:.*Run the same command again"):
        push_image(nowhere, source, bar)
