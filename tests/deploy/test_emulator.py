"""What a laptop's Portico still has after the emulator was stopped, and after it died."""

import json
import os
import signal
import socket

import pytest

from deploy.buckets import has_bucket
from deploy.embedded.emulator import emulator_environment, is_answering, start_emulator, stop_emulator
from deploy.embedded.ports import find_free_port
from deploy.embedded.processes import Supervisor
from deploy.embedded.rescue import carry_over_objects
from deploy.errors import DeployError
from deploy.execute import execute_plan, read_outputs
from deploy.outputs import portal_environment
from deploy.package import build_package
from deploy.plan import describe_stack, make_plan
from deploy.state import StateFolder
from deploy.targets import embedded_target

pytestmark = pytest.mark.embedded


@pytest.fixture
def supervisor():
    with Supervisor() as supervisor:
        yield supervisor


@pytest.fixture
def state(tmp_path):
    return StateFolder(tmp_path / "state")


@pytest.fixture
def package(tmp_path):
    (tmp_path / "predictor").mkdir()
    (tmp_path / "predictor" / "handler.py").write_text(
        "import os\ndef handle(event, context): return dict(os.environ)\n"
    )
    return build_package(tmp_path / "predictor")


def deploy(emulator, package):
    target = embedded_target(emulator.endpoint)
    return target, execute_plan(target, make_plan(target, package), lambda *event: None)


def test_restarted_emulator_has_the_same_stack_objects_and_versions(supervisor, state, package):
    emulator = start_emulator(supervisor, state, find_free_port())
    target, outputs = deploy(emulator, package)
    for body in (b"one", b"two"):
        target.s3.put_object(Bucket=outputs["BucketName"], Key="models/a", Body=body, Metadata={"kept": "yes"})
    before = portal_environment(target, outputs)
    stop_emulator(supervisor, state, emulator)

    restarted = start_emulator(supervisor, state, emulator.port)

    assert portal_environment(target, read_outputs(target)) == before
    assert make_plan(target, package).is_empty
    versions = target.s3.list_object_versions(Bucket=outputs["BucketName"], Prefix="models/a")["Versions"]
    found = target.s3.get_object(Bucket=outputs["BucketName"], Key="models/a")
    assert (len(versions), found["Body"].read(), found["Metadata"]) == (2, b"two", {"kept": "yes"})
    assert target.functions.invoke(FunctionName=outputs["PredictFunctionName"])["StatusCode"] == 200
    assert restarted.child.exit_code is None


def test_emulator_killed_before_it_saved_gives_its_objects_to_the_next_stack(supervisor, state, package):
    emulator = start_emulator(supervisor, state, find_free_port())
    target, outputs = deploy(emulator, package)
    target.s3.put_object(Bucket=outputs["BucketName"], Key="models/a", Body=b"one", Metadata={"kept": "yes"})
    os.killpg(emulator.child.process.pid, signal.SIGKILL)
    supervisor.stop(emulator.child)
    start_emulator(supervisor, state, emulator.port)
    assert describe_stack(target) is None

    rebuilt = execute_plan(target, make_plan(target, package), lambda *event: None)
    rescued = carry_over_objects(target, rebuilt["BucketName"])

    found = target.s3.get_object(Bucket=rebuilt["BucketName"], Key="models/a")
    assert (rescued, found["Body"].read(), found["Metadata"]) == (1, b"one", {"kept": "yes"})
    assert not has_bucket(target.s3, outputs["BucketName"])


def test_function_process_sees_nothing_of_the_person_s_environment(supervisor, state, package, monkeypatch):
    monkeypatch.setenv("SOMEBODY_S_SECRET", "1")
    monkeypatch.setenv("AWS_PROFILE", "production")
    emulator = start_emulator(supervisor, state, find_free_port())
    target, outputs = deploy(emulator, package)

    seen = json.load(target.functions.invoke(FunctionName=outputs["PredictFunctionName"])["Payload"])

    assert seen["AWS_ENDPOINT_URL"] == emulator.endpoint
    assert seen["PORTICO_BUCKET"] == outputs["BucketName"]
    assert not {"SOMEBODY_S_SECRET", "AWS_PROFILE"} & set(seen)
    assert not seen["HOME"].startswith(os.path.expanduser("~"))


def test_emulator_listens_on_loopback_only(emulator):
    address = socket.gethostbyname(socket.gethostname())
    assert is_answering(emulator.endpoint)

    with socket.socket() as probe:
        probe.settimeout(2)
        answer = probe.connect_ex(("127.0.0.2" if address.startswith("127.") else address, emulator.port))

    assert answer != 0


def test_emulator_that_cannot_start_says_what_it_said(supervisor, state, capfd):
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(DeployError, match="(?s)while starting.*in use"),
    ):
        start_emulator(supervisor, state, taken.getsockname()[1])


def test_environment_keeps_everything_inside_the_state_folder(state):
    environment = emulator_environment(state, 4566)

    for name in ("STATE_DIR", "S3_DATA_DIR", "TMPDIR", "HOME"):
        assert environment[name].startswith(str(state.root))
