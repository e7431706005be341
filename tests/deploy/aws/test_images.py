"""What the image is built from, and what is said where it cannot be built or pushed. The engine is not asked here."""

from unittest.mock import create_autospec

import pytest
from docker.errors import APIError

import docker
from deploy.aws.content import Source
from deploy.aws.images import build_image, connect, send_image
from deploy.aws.registry import Registry
from deploy.errors import DeployError
from tests.deploy.aws.conftest import sign_in
from tests.deploy.aws.stubs import WHEN, answering, stubbed

URI = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/portico-production"
DIGEST, OLDER = (f"sha256:{letter * 64}" for letter in "ab")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    (tmp_path / ".dockerignore").write_text("# only what is named\n*\n!kept\n**/__pycache__\n")
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "a.py").write_text("1\n")
    return tmp_path


def test_tag_changes_with_a_file_that_the_build_reads_or_its_right_to_run(folder):
    before = Source(folder).tag
    (folder / "kept" / "a.py").chmod(0o755)
    may_run = Source(folder).tag
    (folder / "kept" / "b.py").write_text("")

    assert len({before, may_run, Source(folder).tag}) == 3


def test_tag_stays_with_files_that_the_build_never_sees(folder):
    before = Source(folder).tag
    (folder / "notes.txt").write_text("x")
    (folder / "kept" / "__pycache__").mkdir()
    (folder / "kept" / "__pycache__" / "a.pyc").write_text("x")

    assert Source(folder).tag == before


def test_tag_changes_with_what_the_build_is_told(folder, monkeypatch):
    monkeypatch.delenv("PORTICO_BASE", raising=False)
    monkeypatch.setenv("PORTICO_EXTRAS", "lightgbm")
    told = Source.from_environment()

    assert told.arguments == {"EXTRAS": "lightgbm"}
    assert Source(folder).tag != Source(folder, told.arguments).tag


def test_image_s_own_folder_has_a_tag_that_registries_take():
    assert len(Source().tag) <= 128
    assert Source().tag == Source().tag


def test_folder_without_a_dockerfile_is_refused(tmp_path):
    with pytest.raises(DeployError, match="There is no Dockerfile"):
        _ = Source(tmp_path).tag


def test_engine_that_does_not_answer_is_told_with_how_to_start_it(monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")

    with pytest.raises(DeployError, match="No Docker engine answers here"):
        connect()


def engine_saying(*, build=(), push=()):
    engine = create_autospec(docker.APIClient, instance=True)
    engine.build.return_value = iter(build)
    engine.push.return_value = iter(push)
    return engine


def ignore(done, total, what):
    pass


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("pull access denied for python, repository does not exist", r"base image cannot be fetched .*PORTICO_BASE="),
        ("exec /bin/sh: exec format error", "does not run programs of linux/amd64"),
        ("write /x: no space left on device", "the disk is full"),
        ("The command '/bin/sh -c pip install' returned a non-zero code: 1", r"(?s)non-zero code: 1.*Step 3/9 : RUN"),
    ],
)
def test_build_that_fails_is_told_by_its_cause(folder, error, told):
    engine = engine_saying(build=[{"stream": "Step 3/9 : RUN pip install\n"}, {"error": error}])

    with pytest.raises(DeployError, match=told):
        build_image(engine, Source(folder), "x:y", ignore)


def test_build_that_the_engine_refuses_is_told(folder):
    engine = engine_saying()
    engine.build.return_value = refusing(APIError("400", explanation="dockerfile parse error line 2"))

    with pytest.raises(DeployError, match="dockerfile parse error line 2"):
        build_image(engine, Source(folder), "x:y", ignore)


def refusing(error):
    """An answer that is only read when it is asked for, as docker's are."""
    yield {"stream": ""}
    raise error


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("denied: User is not authorized to perform: ecr:InitiateLayerUpload", "This identity needs ecr:Initiate"),
        ("name unknown: The repository with name 'x' does not exist", "There is no repository"),
        ("net/http: TLS handshake timeout", "Run the same command again: it goes on."),
    ],
)
def test_push_that_fails_is_told_by_its_cause(error, told):
    engine = engine_saying(push=[{"status": "Preparing", "id": "a"}, {"error": error}])

    with pytest.raises(DeployError, match=told):
        send_image(engine, URI, "t", {}, ignore)


def test_push_of_a_tag_that_somebody_else_has_just_pushed_is_no_failure():
    engine = engine_saying(push=[{"error": "tag invalid: The image tag 't' already exists and is immutable."}])

    send_image(engine, URI, "t", {}, ignore)


def test_push_says_how_far_all_layers_together_are():
    seen = []
    layer = {"status": "Pushing", "progressDetail": {"current": 5, "total": 10}}
    engine = engine_saying(push=[layer | {"id": "a"}, layer | {"id": "b"}, {"status": "Layer exists", "id": "c"}])

    send_image(engine, URI, "t", {}, lambda done, total, what: seen.append((done, total)))

    assert seen == [(5, 10), (10, 20)]


@pytest.fixture
def registry(monkeypatch):
    sign_in(monkeypatch)
    return Registry(URI, stubbed().images)


def image(digest, day, *tags):
    return {"imageDigest": digest, "imageTags": list(tags), "imagePushedAt": WHEN.replace(day=day)}


def test_registry_finds_the_newest_image_of_a_content(registry):
    asked = {"repositoryName": "portico-production", "filter": {"tagStatus": "TAGGED"}}
    images = [image(OLDER, 1, "content-1"), image(DIGEST, 2, "content-1-20261102"), image(OLDER, 3, "content-10")]
    with answering(registry.client, ("describe_images", {"imageDetails": images}, asked)):
        assert registry.find("content-1") == DIGEST


def test_registry_that_has_not_seen_a_content_finds_nothing(registry):
    with answering(registry.client, ("describe_images", {"imageDetails": [image(OLDER, 1, "content-2")]})):
        assert registry.find("content-1") is None


def test_registry_s_login_is_read_from_its_token(registry):
    token = {"authorizationData": [{"authorizationToken": "QVdTOnNlY3JldA==", "proxyEndpoint": f"https://{URI}"}]}
    with answering(registry.client, ("get_authorization_token", token)):
        assert registry.login() == {"username": "AWS", "password": "secret"}
