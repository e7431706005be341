"""What docker-compose.yml promises: what outlives restarts and deaths, who may do what, and that nothing is left."""

import json
import subprocess
import time
import urllib.request

import pytest

from deploy.compose import Compose
from deploy.embedded.ports import find_free_port
from deploy.targets import localstack_target
from tests.conftest import TARGET

pytestmark = [
    pytest.mark.containers,
    pytest.mark.skipif(TARGET != "localstack", reason="asks docker-compose's stack: make test-compose"),
]

ROW = {"var_1": 1.2, "var_2": -0.3, "var_3": 0.5, "var_4": 0.1}


@pytest.fixture(scope="module")
def portico():
    """A project that these tests may kill and restart; gone afterwards."""
    project = Compose("portico-restarts", portal_port=find_free_port(), aws_port=find_free_port())
    project.down(with_volumes=True)
    project.build()
    project.up()
    yield project
    project.down(with_volumes=True)


@pytest.fixture
def place(portico):
    return localstack_target(portico.aws_url)


def ask(portico):
    """The sample's answer through API Gateway, at the address that never changes."""
    url = f"{portico.aws_url}/_aws/execute-api/porticolocal/prod/singlePrediction"
    request = urllib.request.Request(url, json.dumps(ROW).encode(), {"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return json.load(answer)["pred_proba"]


def containers_of(portico):
    return docker("ps", "--all", "--quiet", "--filter", f"label=com.docker.compose.project={portico.project}")


@pytest.mark.parametrize(
    "interrupt",
    [
        pytest.param(lambda portico: portico.run("restart"), id="restart"),
        pytest.param(lambda portico: portico.run("down"), id="down"),
        pytest.param(lambda portico: portico.run("kill", "-s", "SIGKILL", "localstack"), id="kill"),
    ],
)
def test_everything_is_there_again_after(portico, place, interrupt):
    before = ask(portico)
    key = f"models/kept/{time.time()}"
    place.s3.put_object(Bucket="portico-local", Key=key, Body=b"stored in the last moment")

    interrupt(portico)
    portico.up()
    wait_until(lambda: ask(portico) == before)

    assert place.s3.get_object(Bucket="portico-local", Key=key)["Body"].read() == b"stored in the last moment"


def test_nothing_runs_after_down_even_if_localstack_was_killed_before(portico):
    ask(portico)
    portico.run("kill", "-s", "SIGKILL", "localstack")

    portico.down()

    assert containers_of(portico) == []
    portico.up()


def test_ports_are_published_on_the_loopback_interface_only(portico):
    ports = [inspect(name)["HostConfig"]["PortBindings"] for name in containers_of(portico)]

    addresses = {binding["HostIp"] for published in ports for bound in (published or {}).values() for binding in bound}

    assert addresses == {"127.0.0.1"}


@pytest.mark.parametrize("service", ["portal", "deploy"])
def test_service_runs_without_privileges_on_a_file_system_that_it_cannot_write(portico, service):
    [name] = docker(
        "ps", "--all", "--quiet",
        "--filter", f"label=com.docker.compose.project={portico.project}",
        "--filter", f"label=com.docker.compose.service={service}",
    )  # fmt: skip

    container = inspect(name)

    assert container["Config"]["User"] not in {"", "0", "root"}
    assert container["HostConfig"]["ReadonlyRootfs"]
    assert container["HostConfig"]["CapDrop"] == ["ALL"]
    assert not [mount for mount in container["Mounts"] if "docker.sock" in mount["Source"]]


def test_functions_live_in_a_network_that_leads_to_the_emulator_only(portico):
    ask(portico)
    names = docker("ps", "--quiet", "--filter", f"label=com.docker.compose.project={portico.project}",
                   "--filter", "label=image-lambda.function")  # fmt: skip

    networks = {network for name in names for network in inspect(name)["NetworkSettings"]["Networks"]}

    assert networks == {f"{portico.project}_functions"}
    assert json.loads("\n".join(docker("network", "inspect", *networks)))[0]["Internal"]


def wait_until(holds, seconds=90):
    deadline = time.monotonic() + seconds
    while True:
        try:
            if holds():
                return
        except OSError:
            pass
        assert time.monotonic() < deadline
        time.sleep(0.5)


def inspect(name):
    return json.loads("\n".join(docker("inspect", name)))[0]


def docker(*arguments):
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True)  # noqa: S607
    return done.stdout.splitlines()
