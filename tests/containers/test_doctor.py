"""`python -m deploy doctor --target localstack` on a compose project that is well, and with one real fault each."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

import docker
from deploy.buckets import empty_bucket
from deploy.compose import Compose
from deploy.doctor.engine import OWNER, Engine
from deploy.doctor.finding import Check, examine
from deploy.doctor.images import IMAGES, Image, check_built, check_sources
from deploy.doctor.reports import localstack_checks
from deploy.embedded.ports import find_free_port
from deploy.targets import localstack_target
from tests.deploy.waiting import wait_until

pytestmark = pytest.mark.containers

ROOT = Path(__file__).parents[2]
BUCKET = "portico-local"


@pytest.fixture(scope="module")
def project(docker_engine):
    """Up and healthy, with the sample models; gone afterwards."""
    project = Compose("portico-doctor", portal_port=find_free_port(), aws_port=find_free_port())
    project.down(with_volumes=True)  # what an interrupted run has left
    try:
        project.build()
        project.up()
        yield project
    finally:
        project.down(with_volumes=True)


@pytest.fixture
def look(project):
    """Runs all checks; gives what each one found, by its name."""
    return lambda: {finding.name: finding for finding in examine(localstack_checks(project))}


@pytest.fixture
def target(project):
    return localstack_target(project.aws_url)


@pytest.fixture
def restarted(project):
    """Afterwards LocalStack is started anew, which is what doctor says mends it."""
    yield
    project.run("restart", "localstack")
    wait_until(lambda: is_ready(project), within_s=90)


def is_ready(project):
    try:
        with urllib.request.urlopen(f"{project.aws_url}/_localstack/init/ready", timeout=2) as answer:  # noqa: S310
            return json.load(answer)["completed"]
    except OSError:
        return False


def faults(report):
    return [name for name, finding in report.items() if finding.outcome == "failed"]


def test_project_that_is_well_passes_every_check_with_0(project):
    done = subprocess.run(
        [sys.executable, "-m", "deploy", "doctor", "--target", "localstack"],
        env={**os.environ, "PORTICO_PORT": str(project.portal_port), "PORTICO_AWS_PORT": str(project.aws_port)},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "✗" not in done.stdout


def test_rule_that_was_changed_by_hand_is_named_and_mended_by_a_restart(look, target, project, restarted):
    rule = {"AllowedOrigins": ["http://elsewhere"], "AllowedMethods": ["POST"]}
    target.s3.put_bucket_cors(Bucket=BUCKET, CORSConfiguration={"CORSRules": [rule]})

    report = look()

    assert faults(report) == ["upload rule"]
    assert report["upload rule"].mend.endswith("-p portico-doctor restart localstack")


def test_function_that_was_deleted_is_named_and_what_needs_it_is_not_blamed(look, target, restarted):
    target.functions.delete_function(FunctionName="portico-local-predict")

    report = look()

    assert faults(report) == ["functions"]
    assert report["prediction"].outcome == "skipped"


def test_localstack_that_was_stopped_is_named_and_started_as_doctor_says(look, project):
    project.run("stop", "localstack")

    report = look()

    project.run("start", "localstack")
    wait_until(lambda: is_ready(project), within_s=90)
    assert faults(report) == ["LocalStack"]
    assert "is exited" in report["LocalStack"].what
    assert faults(look()) == []


def test_portal_that_was_stopped_is_named_with_its_container(look, project):
    project.run("stop", "portal")

    report = look()

    project.up()
    assert faults(report) == ["portal"]
    assert "Its container is exited" in report["portal"].what


def test_container_of_a_localstack_that_is_gone_is_named(look):
    client = docker.DockerClient.from_env()
    left = client.containers.create("portico-localstack", labels={OWNER: "gone/localstack/1"})

    report = look()

    left.remove()
    client.close()
    assert left.name in report["leftovers"].what
    assert report["leftovers"].mend.endswith(f"label={OWNER}=gone/localstack/1)")


def test_image_that_is_not_built_and_one_that_is_older_than_its_sources_are_named(project):
    engine = Engine(project)
    older = Image("function", "portico-lambda", {"/var/task/predictor": "deploy/embedded"}, "make redeploy")

    built, sources = examine_images(engine, Image("function", "portico-nowhere", {}, "make redeploy"), older)

    assert built.what == "Not built yet: portico-nowhere."
    assert sources.what == "Older than the sources: portico-lambda (deploy/embedded/__init__.py)."
    assert sources.mend.endswith("make redeploy")


def examine_images(engine, missing, older):
    checks = [
        Check("built", lambda: check_built(engine, [missing])),
        Check("old", lambda: check_sources(engine, [older])),
    ]
    return list(examine(checks))


def test_images_are_read_without_leaving_a_container(project):
    engine = Engine(project)
    before = {container.id for container in engine.client.containers.list(all=True, filters={"status": "created"})}

    check_sources(engine, IMAGES)

    after = {container.id for container in engine.client.containers.list(all=True, filters={"status": "created"})}
    assert after - before == set()


def test_redeploy_puts_the_image_live_that_is_tagged_now(project, target):
    started = target.functions.get_function(FunctionName="portico-local-predict")["Configuration"]["LastModified"]
    time.sleep(1)  # its time has seconds

    done = subprocess.run(
        [sys.executable, "-m", "deploy", "redeploy"],
        env={
            **os.environ,
            "COMPOSE_PROJECT_NAME": project.project,
            "PORTICO_PORT": str(project.portal_port),
            "PORTICO_AWS_PORT": str(project.aws_port),
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "✓ Asking the new function" in done.stdout
    changed = target.functions.get_function(FunctionName="portico-local-predict")["Configuration"]["LastModified"]
    assert changed > started


def test_bucket_that_was_emptied_has_no_live_model_and_the_gateway_is_well(look, target):
    empty_bucket(target.s3, BUCKET)

    report = look()

    assert faults(report) == ["prediction"]
    assert "API Gateway and the function are well, but no model is live" in report["prediction"].what
