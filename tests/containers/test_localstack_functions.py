"""Container-image functions on LocalStack: docker/localstack/image-lambda, against a real Docker."""

import base64
import json
import re
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.containers.localstack import (
    IMAGE,
    ROLE,
    ROOT,
    LocalStack,
    build_probe,
    docker,
    running_localstack,
    wait_until,
)

pytestmark = pytest.mark.containers

TMP = "/tmp"  # noqa: S108  the container's


@pytest.fixture(scope="module")
def localstack_image() -> str:
    docker("build", "-q", "-t", IMAGE, str(ROOT / "docker" / "localstack"))
    return IMAGE


@pytest.fixture(scope="module")
def probe(lambda_image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    tag = build_probe("portico-test-probe:first", base=lambda_image, folder=tmp_path_factory.mktemp("probe"))
    yield tag
    docker("rmi", "-f", tag)


@pytest.fixture(scope="module")
def localstack(localstack_image: str) -> Iterator[LocalStack]:
    with running_localstack() as localstack:
        yield localstack


@pytest.fixture
def name(localstack: LocalStack) -> Iterator[str]:
    """A name for a function, which is deleted after the test."""
    name = f"probe-{secrets.token_hex(3)}"
    yield name
    functions = localstack.client("lambda")
    if any(function["FunctionName"] == name for function in functions.list_functions()["Functions"]):
        functions.delete_function(FunctionName=name)


# ---------------------------------------------------------------- containers


def test_eight_at_once_run_in_eight_containers(localstack: LocalStack, probe: str, name: str) -> None:
    localstack.create_function(name, image=probe)

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: localstack.invoke(name, do="sleep", seconds=6), range(8)))

    assert [outcome.error for outcome in outcomes] == [None] * 8
    assert len({outcome.container for outcome in outcomes}) == 8
    assert {outcome.container for outcome in outcomes} == set(localstack.containers(name))


def test_second_invocation_is_warm(localstack: LocalStack, probe: str, name: str) -> None:
    localstack.create_function(name, image=probe)

    first, second = localstack.invoke(name), localstack.invoke(name)

    assert first.container == second.container
    assert localstack.containers(name) == [first.container]


def test_killed_while_idle_next_invocation_gets_a_fresh_container(
    localstack: LocalStack, probe: str, name: str
) -> None:
    localstack.create_function(name, image=probe)
    first = localstack.invoke(name)

    docker("kill", first.container)
    second = localstack.invoke(name)

    assert second.error is None
    assert localstack.containers(name) == [second.container]
    assert second.container != first.container


def test_container_has_the_limits_of_its_function(localstack: LocalStack, probe: str, name: str) -> None:
    localstack.create_function(name, image=probe, MemorySize=300, EphemeralStorage={"Size": 600})
    container = localstack.invoke(name).container

    [facts] = json.loads(docker("inspect", container))
    host = facts["HostConfig"]

    assert host["Memory"] == host["MemorySwap"] == 300 << 20
    assert "size=600m" in host["Tmpfs"][TMP]
    assert host["ReadonlyRootfs"] is True
    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert re.fullmatch(rf"/{localstack.name}-{name}-[0-9a-f]{{8}}", facts["Name"])


@pytest.mark.parametrize(("path", "outcome"), [(f"{TMP}/x", "written"), ("/var/task/x", "Read-only file system")])
def test_only_tmp_can_be_written(localstack: LocalStack, probe: str, name: str, path: str, outcome: str) -> None:
    localstack.create_function(name, image=probe)

    assert localstack.invoke(name, do="write", path=path).answer == outcome


def test_environment_is_the_functions_and_lambdas(localstack: LocalStack, probe: str, name: str) -> None:
    localstack.create_function(name, image=probe, Environment={"Variables": {"COLOUR": "teal"}}, Timeout=17)

    environment = localstack.invoke(name, do="environment").answer

    expected = {
        "COLOUR": "teal",
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": "17",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
        "AWS_REGION": "eu-west-1",
        "_HANDLER": "probe.handle",
    }
    assert expected.items() <= environment.items()
    assert re.fullmatch(r"http://[\d.]+:4566", environment["AWS_ENDPOINT_URL"])
    assert {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} <= environment.keys()


def test_image_config_replaces_command_and_directory(localstack: LocalStack, probe: str, name: str) -> None:
    config = {"Command": ["probe.handle"], "EntryPoint": ["/opt/entry.sh"], "WorkingDirectory": "/var/task"}
    localstack.create_function(name, image=probe, ImageConfig=config)

    container = localstack.invoke(name).container

    [facts] = json.loads(docker("inspect", container))
    assert facts["Config"]["Cmd"] == config["Command"]
    assert facts["Config"]["Entrypoint"] == config["EntryPoint"]
    assert facts["Config"]["WorkingDir"] == config["WorkingDirectory"]


# -------------------------------------------------------------------- errors


def test_exception_keeps_its_type_message_and_trace(localstack: LocalStack, probe: str, name: str) -> None:
    localstack.create_function(name, image=probe)
    before = localstack.invoke(name)

    outcome = localstack.invoke(name, do="raise")

    assert outcome.error == "Unhandled"
    assert outcome.answer["errorType"] == "LookupError"
    assert outcome.answer["errorMessage"] == "nothing there"
    assert "probe.py" in outcome.answer["stackTrace"][0]
    assert localstack.invoke(name).container == before.container


def test_timeout_reads_as_lambdas_and_ends_the_container(localstack: LocalStack, probe: str, name: str) -> None:
    localstack.create_function(name, image=probe, Timeout=2)
    before = localstack.invoke(name)

    outcome = localstack.invoke(name, do="sleep", seconds=20)

    message = f"RequestId: {outcome.request_id} Error: Task timed out after 2.00 seconds"
    assert outcome.error == "Unhandled"
    assert outcome.answer == {"errorType": "Sandbox.Timedout", "errorMessage": message}
    assert localstack.invoke(name).container != before.container
    assert before.container not in localstack.containers(name)


CRASHES = [
    ({"do": "exit", "code": 1}, "Runtime exited with error: exit status 1"),
    ({"do": "exit", "code": 0}, "Runtime exited without providing a reason"),
    ({"do": "fill", "megabytes": 600}, "Runtime exited with error: signal: killed"),
]


@pytest.mark.parametrize(("event", "reason"), CRASHES)
def test_crash_reads_as_lambdas_and_next_container_is_fresh(
    localstack: LocalStack, probe: str, name: str, event: dict[str, object], reason: str
) -> None:
    localstack.create_function(name, image=probe)
    before = localstack.invoke(name)

    outcome = localstack.invoke(name, **event)

    message = f"RequestId: {outcome.request_id} Error: {reason}"
    assert outcome.error == "Unhandled"
    assert outcome.answer == {"errorType": "Runtime.ExitError", "errorMessage": message}
    assert localstack.invoke(name).container != before.container


def test_killed_while_running_reads_as_a_crash(localstack: LocalStack, probe: str, name: str) -> None:
    localstack.create_function(name, image=probe)
    before = localstack.invoke(name)

    with ThreadPoolExecutor() as pool:
        running = pool.submit(localstack.invoke, name, do="sleep", seconds=25)
        wait_until(lambda: "asked to sleep" in docker("logs", before.container))
        docker("kill", before.container)
        outcome = running.result()

    assert outcome.answer["errorType"] == "Runtime.ExitError"
    assert outcome.answer["errorMessage"].endswith("signal: killed")
    assert localstack.invoke(name).error is None


def test_image_that_does_not_start_says_why(localstack: LocalStack, probe: str, name: str) -> None:
    script = "echo out of coffee; exit 3"
    localstack.create_function(name, image=probe, ImageConfig={"EntryPoint": ["sh", "-c", script]})

    outcome = localstack.invoke(name)

    assert outcome.error == "Unhandled"
    assert outcome.answer["errorType"] == "Runtime.ExitError"
    assert "exit status 3" in outcome.answer["errorMessage"]
    assert "out of coffee" in outcome.answer["errorMessage"]
    assert localstack.containers(name) == []


def test_image_that_is_nowhere_is_refused_with_the_reason(localstack: LocalStack, name: str) -> None:
    with pytest.raises(ClientError) as refusal:
        localstack.create_function(name, image="localhost:1/no/such:image")

    error = refusal.value.response["Error"]
    assert error["Code"] == "InvalidParameterValueException"
    assert "localhost:1/no/such:image is not on this machine and could not be pulled" in error["Message"]


@pytest.mark.parametrize(
    ("event", "error"),
    [
        ({"do": "raise"}, "LookupError"),
        ({"do": "exit", "code": 1}, "Runtime.ExitError"),
        ({"do": "sleep", "seconds": 20}, "Sandbox.Timedout"),
    ],
)
def test_state_machine_sees_the_error_by_its_type(
    localstack: LocalStack, probe: str, name: str, event: dict[str, object], error: str
) -> None:
    localstack.create_function(name, image=probe, Timeout=2)
    states = localstack.client("stepfunctions")
    task = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True}
    task["Parameters"] = {"FunctionName": name, "Payload": event}
    machine = states.create_state_machine(
        name=name, definition=json.dumps({"StartAt": "Ask", "States": {"Ask": task}}), roleArn=ROLE
    )["stateMachineArn"]

    run = states.start_execution(stateMachineArn=machine)["executionArn"]
    wait_until(lambda: states.describe_execution(executionArn=run)["status"] != "RUNNING")

    assert states.describe_execution(executionArn=run)["error"] == error


# ---------------------------------------------------------------------- logs


def test_tail_of_the_log_comes_with_the_answer(localstack: LocalStack, probe: str, name: str) -> None:
    localstack.create_function(name, image=probe)

    first, second = localstack.invoke(name, do="nothing"), localstack.invoke(name, do="nothing")

    log = base64.b64decode(second.log_result).decode().splitlines()
    assert "loaded" in base64.b64decode(first.log_result).decode().splitlines()
    assert log[:3] == [f"START RequestId: {second.request_id} Version: $LATEST", "asked to nothing",
                       f"END RequestId: {second.request_id}"]  # fmt: skip
    assert log[3].startswith(f"REPORT RequestId: {second.request_id}\tDuration: ")
    assert second.answer["request_id"] == second.request_id


def test_last_words_of_a_crash_are_in_cloudwatch_and_on_the_screen(
    localstack: LocalStack, probe: str, name: str
) -> None:
    localstack.create_function(name, image=probe)
    logs = localstack.client("logs")
    logs.create_log_group(logGroupName=f"/aws/lambda/{name}")

    outcome = localstack.invoke(name, do="exit", code=4)

    def messages() -> list[str]:
        events = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
        return [event["message"].strip() for event in events]

    wait_until(lambda: any(message.startswith("REPORT") for message in messages()))
    assert messages()[:4] == [
        f"START RequestId: {outcome.request_id} Version: $LATEST",
        "loaded",
        "asked to exit",
        "last words",
    ]
    assert re.search(rf"{name}-[0-9a-f]+ \| last words", localstack.output())


def test_output_is_on_the_screen_while_the_function_runs(localstack: LocalStack, probe: str, name: str) -> None:
    localstack.create_function(name, image=probe)

    with ThreadPoolExecutor() as pool:
        running = pool.submit(localstack.invoke, name, do="sleep", seconds=5)
        wait_until(lambda: re.search(rf"{name}-[0-9a-f]+ \| asked to sleep", localstack.output()), seconds=15)
        was_running = not running.done()

    assert was_running


# ------------------------------------------------------------- the way it ends


def test_new_code_under_the_same_tag_answers_after_an_update(
    localstack: LocalStack, lambda_image: str, name: str, tmp_path: Path
) -> None:
    tag = build_probe(f"portico-test-probe:{name}", base=lambda_image, folder=tmp_path, mark="old")
    localstack.create_function(name, image=tag)
    old = localstack.invoke(name)
    functions = localstack.client("lambda")
    try:
        with ThreadPoolExecutor() as pool:
            running = pool.submit(localstack.invoke, name, do="sleep", seconds=6)
            wait_until(lambda: "asked to sleep" in docker("logs", old.container))
            build_probe(tag, base=lambda_image, folder=tmp_path, mark="new")
            functions.update_function_code(FunctionName=name, ImageUri=tag)
            functions.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
            new = localstack.invoke(name)
            drained = running.result()

        assert new.answer["mark"] == "new"
        assert (drained.error, drained.answer["mark"], drained.container) == (None, "old", old.container)
        wait_until(lambda: localstack.containers(name) == [new.container])
        events = localstack.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
        assert any(event["message"].startswith(f"END RequestId: {drained.request_id}") for event in events)
    finally:
        docker("rmi", "-f", tag)


def test_deleted_function_leaves_no_container(localstack: LocalStack, probe: str, name: str) -> None:
    localstack.create_function(name, image=probe)
    localstack.invoke(name)

    localstack.client("lambda").delete_function(FunctionName=name)

    wait_until(lambda: localstack.containers(name) == [])


def test_idle_containers_go_and_so_do_those_of_a_stopped_or_killed_localstack(
    localstack: LocalStack, localstack_image: str, probe: str, name: str
) -> None:
    localstack.create_function(name, image=probe)
    neighbour = localstack.invoke(name)

    with running_localstack(LAMBDA_KEEPALIVE_MS="1500") as other:
        other.create_function("idle", image=probe)
        other.invoke("idle")
        wait_until(lambda: other.containers("idle") == [])

        other.create_function("killed", image=probe)
        with ThreadPoolExecutor() as pool:
            running = pool.submit(other.invoke, "killed", do="sleep", seconds=20)
            wait_until(lambda: other.containers("killed"))
            docker("kill", other.name)
            with pytest.raises(Exception):  # noqa: B017  whatever the client makes of a lost connection
                running.result()
        assert other.containers("killed")
        other.start()
        assert other.containers("killed") == []

        other.create_function("stopped", image=probe)
        with ThreadPoolExecutor() as pool:
            running = pool.submit(other.invoke, "stopped", do="sleep", seconds=20)
            wait_until(lambda: other.containers("stopped"))
            docker("stop", other.name)
            running.exception()
        assert other.containers("stopped") == []

    assert localstack.invoke(name).container == neighbour.container
