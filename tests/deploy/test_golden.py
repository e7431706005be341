"""Changed code is asked the golden rows of live models; on the emulator, by functions that answer as a test needs."""

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from deploy.cli import main
from deploy.commands import going_live, options
from deploy.execute import execute_plan
from deploy.golden import NOTED_AT, Moved, prove_code
from deploy.package import build_package
from deploy.plan import make_plan
from deploy.removal import delete_everything
from deploy.targets import embedded_target

pytestmark = pytest.mark.embedded

SAME = {"ok": True, "rows": 2, "moved": []}
BEFORE, NOW = {"label": "yes", "probabilities": [0.25, 0.75]}, {"label": "no", "probabilities": [0.75, 0.25]}
OTHER = {"ok": True, "rows": 2, "moved": [{"row": {"a": 1.5}, "before": BEFORE, "now": NOW, "error": None}]}
UNSIGNED = {"ok": False, "error": {"code": "signature_invalid", "message": "Nobody vouches for it."}}
BROKEN = {"ok": False, "error": {"code": "model_broken", "message": "It does not load."}}


@pytest.fixture
def target(emulator, request):
    target = replace(embedded_target(emulator.endpoint), environment=f"g{abs(hash(request.node.name)) % 10**8}")
    yield target
    delete_everything(target, no_report)


@pytest.fixture
def deploy_answering(target, tmp_path):
    """Deploy functions that give one answer to everything; one model is live. The stack's outputs."""

    def deploy(answer):
        folder = tmp_path / "predictor"
        folder.mkdir(exist_ok=True)
        (folder / "handler.py").write_text(f"def handle(event, context): return {answer!r}\nverify = handle\n")
        outputs = execute_plan(target, make_plan(target, build_package(folder)), no_report)
        for key in ("models/loans/live.json", "models/no-live-version/1/manifest.json"):
            target.s3.put_object(Bucket=outputs["BucketName"], Key=key, Body=b"{}")
        return outputs

    return deploy


def no_report(verb, resource, detail):
    pass


def read_note(target, outputs):
    listed = target.s3.list_objects_v2(Bucket=outputs["BucketName"], Prefix=NOTED_AT)
    if not listed.get("Contents"):
        return None
    return json.load(target.s3.get_object(Bucket=outputs["BucketName"], Key=NOTED_AT)["Body"])


def test_code_that_answers_as_before_is_noted_with_its_libraries(target, deploy_answering):
    outputs = deploy_answering(SAME)

    assert prove_code(target, outputs) == []

    assert {"code", "scikit-learn", "numpy"} <= set(read_note(target, outputs))


def test_code_that_answers_otherwise_is_told_row_by_row_and_not_noted(target, deploy_answering):
    outputs = deploy_answering(OTHER)

    moved = prove_code(target, outputs)

    assert moved == [Moved("loans", {"a": 1.5}, "yes (0.25, 0.75)", "no (0.75, 0.25)")]
    assert read_note(target, outputs) is None


def test_code_that_was_proved_is_not_asked_again_and_new_code_is(target, deploy_answering):
    prove_code(target, deploy_answering(SAME))
    asked_again = prove_code(target, deploy_answering(SAME))
    new = prove_code(target, deploy_answering(BROKEN))

    assert asked_again == []
    assert new == [Moved("loans", {}, "answered", "It does not load.")]


def test_model_that_nobody_vouches_for_yet_proves_nothing(target, deploy_answering):
    outputs = deploy_answering(UNSIGNED)

    assert prove_code(target, outputs) == []

    assert read_note(target, outputs) is None


def test_up_with_code_whose_answers_moved_shows_the_rows_and_ends_with_3(target, deploy_answering, monkeypatch):
    outputs = deploy_answering(OTHER)
    monkeypatch.setattr(options, "find_target", lambda name, env, **named: target)
    monkeypatch.setattr(going_live, "make_plan", lambda target: make_plan_of_what_is_there(target, outputs))

    said = CliRunner().invoke(main, ["up", "--target", "embedded"])

    assert said.exit_code == 3
    assert "loans" in said.output and "a=1.5" in said.output


def make_plan_of_what_is_there(target, outputs):
    """A plan that changes nothing: the functions stay as the test has made them."""
    return replace(make_plan(target), change_set=None, changes=(), package=None)
