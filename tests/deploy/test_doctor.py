"""`python -m deploy doctor`: the checks of the embedded target against the session's stack, with real small faults."""

import os
import re
import subprocess
import sys
import threading
import uuid
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from deploy.cli import main
from deploy.compose import Compose
from deploy.doctor import answers, bucket, cloud, engine, images, laptop, ports
from deploy.doctor.finding import Check, Fault, examine
from deploy.doctor.reports import embedded_checks, localstack_checks
from deploy.embedded.ports import find_free_port
from deploy.state import StateFolder
from deploy.targets import localstack_target

ROOT = Path(__file__).parents[2]
COMMANDS = {"deploy": "make up", "restart": "make up again"}


@pytest.fixture
def well(stack):
    """The session's stack, as doctor sees it."""
    return cloud.Cloud(stack.target, **COMMANDS)


@pytest.fixture
def with_variables(well):
    """The same, told that one of its outputs is another."""

    def replaced(**variables):
        well.variables.update(variables)
        return well

    return replaced


@pytest.fixture
def other_program():
    """Answers on a port, though not as Portico would."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'"hello"')

        def log_message(self, *arguments):
            """Says nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def fails(what, mend=""):
    raise Fault(what, mend)


# ---------------------------------------------------------------- the order of checks


def test_check_whose_need_is_not_well_is_skipped_and_names_the_first_fault():
    checks = [
        Check("engine", lambda: fails("away", "start it")),
        Check("images", lambda: "never asked", needs=("engine",)),
        Check("sources", lambda: "never asked", needs=("images",)),
        Check("disk", lambda: "fine"),
    ]

    found = list(examine(checks))

    assert [finding.outcome for finding in found] == ["failed", "skipped", "skipped", "ok"]
    assert found[2].what == "first mend: engine"
    assert (found[0].what, found[0].mend) == ("away", "start it")


def test_check_that_breaks_down_is_a_failed_line_and_the_others_go_on():
    found = list(examine([Check("odd", lambda: {}["missing"]), Check("disk", lambda: "fine")]))

    assert [finding.outcome for finding in found] == ["failed", "ok"]
    assert "KeyError: 'missing'" in found[0].what


@pytest.mark.parametrize("target", ["embedded", "localstack"])
def test_needs_name_checks_that_come_before(target, tmp_path):
    checks = embedded_checks(StateFolder(tmp_path)) if target == "embedded" else localstack_checks(Compose("x", 1, 2))

    names = [check.name for check in checks]

    assert all(names.index(need) < names.index(check.name) for check in checks for need in check.needs)
    assert len(set(names)) == len(names)


# ---------------------------------------------------------------- a stack that is well


def test_stack_that_is_well_passes_every_check_of_it(well):
    assert "COMPLETE" in cloud.check_stack(well)
    assert well.variables["PORTICO_BUCKET"] in cloud.check_outputs(well)
    assert cloud.check_functions(well) == ", ".join(well.functions)


def test_round_trip_and_form_leave_no_version_behind(well, stack):
    before = list_versions(stack)

    bucket.check_round_trip(well)
    bucket.check_form(well)

    assert list_versions(stack) == before


def test_upload_rule_of_the_portal_s_address_is_well(well, stack):
    assert bucket.check_cors(well, stack.portal_origin) == stack.portal_origin


# ---------------------------------------------------------------- one fault each


def test_stack_that_is_not_there_is_named_with_the_command_that_makes_it(stack):
    other = type(stack.target)("embedded", "nobody", stack.target.endpoint_url, "make up")

    with pytest.raises(Fault, match="There is no stack portico-nobody") as fault:
        cloud.check_stack(cloud.Cloud(other, **COMMANDS))

    assert fault.value.mend == "Make it: make up"


def test_function_that_is_gone_is_named(with_variables):
    with pytest.raises(Fault, match="portico-gone does not answer"):
        cloud.check_functions(with_variables(PORTICO_PREDICT_FUNCTION="portico-gone"))


def test_bucket_that_is_gone_is_named_in_round_trip_and_form(with_variables):
    broken = with_variables(PORTICO_BUCKET="portico-gone")

    with pytest.raises(Fault, match="portico-gone: .*bucket does not exist"):
        bucket.check_round_trip(broken)
    with pytest.raises(Fault, match="refused the form with 404"):
        bucket.check_form(broken)


def test_stack_made_for_another_portal_is_told_the_address_by_a_new_deployment(well):
    with pytest.raises(Fault, match="not at http://elsewhere") as fault:
        bucket.check_cors(well, "http://elsewhere")

    assert fault.value.mend.endswith("make up")


def test_bucket_without_the_template_s_rule_is_not_mended_by_deploying_again(with_variables, stack):
    name = f"doctor-{uuid.uuid4()}"
    stack.target.s3.create_bucket(Bucket=name)

    with pytest.raises(Fault, match="lets browsers at no address upload") as fault:
        bucket.check_cors(with_variables(PORTICO_BUCKET=name), stack.portal_origin)

    stack.target.s3.delete_bucket(Bucket=name)
    assert fault.value.mend.endswith("make up again")


def test_public_address_where_nothing_answers_is_named(stack):
    target = localstack_target(stack.target.endpoint_url, public_url=f"http://127.0.0.1:{find_free_port()}")
    unreachable = cloud.Cloud(target, **COMMANDS)
    unreachable.variables = {"PORTICO_BUCKET": stack.bucket}

    with pytest.raises(Fault, match="Browsers are sent to .*, where nothing answers"):
        bucket.check_form(unreachable)


def test_api_that_is_gone_is_a_fault_of_the_api(with_variables, stack):
    gone = with_variables(PORTICO_API_URL=f"{stack.target.endpoint_url}/_aws/execute-api/gone/prod")

    with pytest.raises(Fault, match="gone/prod/singlePrediction answered"):
        check_prediction(gone)


def test_api_where_nothing_listens_is_named(with_variables):
    with pytest.raises(Fault, match="does not answer"):
        check_prediction(with_variables(PORTICO_API_URL=f"http://127.0.0.1:{find_free_port()}/prod"))


def test_stack_without_a_live_model_is_no_fault_of_the_gateway(well, monkeypatch):
    monkeypatch.setattr(answers, "_ask", lambda cloud, url: (404, "There is no model 'four-variables'."))
    monkeypatch.setattr(answers, "find_live_model", lambda cloud: None)

    with pytest.raises(Fault, match="API Gateway and the function are well, but no model is live"):
        check_prediction(well)


def test_portal_that_is_not_there_is_named(well):
    with pytest.raises(Fault, match="No portal answers"):
        answers.check_portal(f"http://127.0.0.1:{find_free_port()}", start="make up")


def test_other_program_in_the_portal_s_place_is_not_taken_for_it(other_program):
    with pytest.raises(Fault, match="is not the portal"):
        answers.check_portal(f"http://127.0.0.1:{other_program}", start="make up")


def test_emulator_that_was_killed_is_named(tmp_path):
    state = StateFolder(tmp_path)
    endpoint = f"http://127.0.0.1:{find_free_port()}"
    state.write_endpoint(4242, endpoint)

    with pytest.raises(Fault, match="No emulator answers at .* Its process was 4242"):
        cloud.check_emulator(state, endpoint)


def check_prediction(given):
    return answers.check_prediction(given, begin_anew="make up", logs="make up")


def list_versions(stack):
    answer = stack.target.s3.list_object_versions(Bucket=stack.bucket, Prefix="quarantine/")
    return [item["VersionId"] for item in [*answer.get("Versions", []), *answer.get("DeleteMarkers", [])]]


# ---------------------------------------------------------------- this machine


def test_state_folder_that_is_a_file_or_missing_is_named(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(Fault, match="is not a folder"):
        laptop.check_state_folder(StateFolder(tmp_path / "file"))
    with pytest.raises(Fault, match="There is no Portico in"):
        laptop.check_state_folder(StateFolder(tmp_path / "missing"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_state_folder_of_somebody_else_is_named(tmp_path):
    tmp_path.chmod(0o500)

    with pytest.raises(Fault, match="cannot be written to") as fault:
        laptop.check_state_folder(StateFolder(tmp_path))

    assert "sudo chown" in fault.value.mend


def test_state_folder_of_one_s_own_is_left_as_it_was(tmp_path):
    laptop.check_state_folder(StateFolder(tmp_path))

    assert list(tmp_path.iterdir()) == []


def test_disk_that_is_nearly_full_is_named_with_what_is_left():
    with pytest.raises(Fault, match="0.5 GB free"):
        laptop.enough_room(500_000_000, "make room")


def test_venv_without_a_python_is_named(tmp_path):
    with pytest.raises(Fault, match="no Python that starts"):
        laptop.check_python(str(tmp_path))


# ---------------------------------------------------------------- Docker, without an engine


def test_engine_that_is_nowhere_is_named_with_what_named_it(monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")

    with pytest.raises(Fault, match="Nothing answers at unix:///nowhere.sock, which DOCKER_HOST names"):
        engine.check_engine(engine.Engine(Compose("x", 1, 2)))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who is not let in")
def test_engine_that_does_not_let_one_in_names_the_group(tmp_path):
    # In a process of its own, which becomes "nobody" once everything is imported.
    code = """
import os, socket, sys
import docker
from docker.transport import unixconn
from deploy.compose import Compose
from deploy.doctor import engine
os.environ.pop("DOCKER_HOST", None)
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
os.chmod(sys.argv[1], 0o600)
os.environ["DOCKER_HOST"] = f"unix://{sys.argv[1]}"
os.setuid(65534)
try:
    engine.check_engine(engine.Engine(Compose("x", 1, 2)))
except engine.Fault as fault:
    print(fault.what, fault.mend)
"""
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(0o711)

    said = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "docker.sock")], cwd=ROOT, capture_output=True, text=True
    )

    assert "does not let you in" in said.stdout, said.stderr
    assert "sudo usermod -aG docker $USER" in said.stdout


def test_port_that_another_program_has_is_named(other_program, monkeypatch):
    monkeypatch.setattr(engine.Engine, "container", lambda self, service: None)
    monkeypatch.setattr(ports, "_name_taker", lambda engine, port: "Another program")

    with pytest.raises(Fault, match=f"Another program has port {other_program}") as fault:
        ports.check_port(engine.Engine(Compose("x", 1, 2)), "portal", port=other_program, variable="PORTICO_PORT")

    assert f"PORTICO_PORT={other_program + 1}" in fault.value.mend


def test_images_are_those_of_docker_compose():
    named = re.findall(r"^    image: (\S+)$", (ROOT / "docker-compose.yml").read_text("utf-8"), re.MULTILINE)

    assert sorted(image.tag for image in images.IMAGES) == sorted(named)


def test_sources_that_images_are_compared_with_are_there():
    folders = [folder for image in images.IMAGES for folder in image.copies.values()]

    assert [folder for folder in folders if not list((ROOT / folder).glob("*.py"))] == []


# ---------------------------------------------------------------- the command


def test_doctor_with_nothing_running_says_so_and_ends_with_1(monkeypatch, tmp_path):
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("PORTICO_STATE_DIR", str(tmp_path))

    result = CliRunner().invoke(main, ["doctor", "--target", "embedded"])

    assert result.exit_code == 1
    assert "✗ emulator            The emulator is not running." in result.output
    assert "→ Start it: make up" in result.output
    assert "– prediction          first mend: emulator" in result.output


def test_doctor_with_no_docker_at_all_says_what_it_can_without_a_traceback(monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    monkeypatch.setenv("PATH", "/nowhere")
    for variable in ("PORTICO_PORT", "PORTICO_AWS_PORT"):
        monkeypatch.setenv(variable, str(find_free_port()))
    engine.find_compose.cache_clear()

    result = CliRunner().invoke(main, ["doctor", "--target", "localstack"])

    engine.find_compose.cache_clear()
    assert (result.exit_code, type(result.exception)) == (1, SystemExit)
    assert "✗ docker-compose" in result.output
    assert "✗ engine" in result.output
    assert "✗ LocalStack" in result.output
    assert "could not be looked at" not in result.output
