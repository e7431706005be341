"""plan, execute, status and down against the emulator, on stacks of their own with a small package."""

import json
from dataclasses import replace

import pytest

from deploy.errors import DeployError, EmulatorAway
from deploy.execute import execute_plan, read_outputs
from deploy.outputs import portal_environment
from deploy.package import build_package
from deploy.plan import describe_stack, drop_plan, make_plan
from deploy.removal import delete_everything, list_what_goes
from deploy.status import read_status
from deploy.targets import embedded_target
from deploy.template import render_template

pytestmark = pytest.mark.embedded


@pytest.fixture
def target(emulator, request):
    """A place for one test's stack, empty before and after."""
    target = replace(embedded_target(emulator.endpoint), environment=f"t{abs(hash(request.node.name)) % 10**8}")
    yield target
    delete_everything(target, no_report)


@pytest.fixture
def package_saying(tmp_path):
    """A package whose predict function answers with the given word."""

    def build(word):
        folder = tmp_path / "predictor"
        folder.mkdir(exist_ok=True)
        (folder / "handler.py").write_text(
            f"def handle(event, context): return {word!r}\ndef verify(event, context): return 'verified'\n"
        )
        return build_package(folder)

    return build


def no_report(verb, resource, detail):
    pass


def invoke(target, outputs):
    answer = target.functions.invoke(FunctionName=outputs["PredictFunctionName"], Payload=b"{}")
    return json.load(answer["Payload"])


def test_up_on_nothing_adds_what_the_plan_announced(target, package_saying):
    plan = make_plan(target, package_saying("one"))
    events = []

    outputs = execute_plan(target, plan, lambda *event: events.append(event))

    assert plan.is_new
    assert {(verb, resource) for verb, resource, _ in events} == {("added", change.resource) for change in plan.changes}
    assert invoke(target, outputs) == "one"


def test_up_again_without_a_change_plans_nothing_and_keeps_the_outputs(target, package_saying):
    before = execute_plan(target, make_plan(target, package_saying("one")), no_report)

    plan = make_plan(target, package_saying("one"))

    assert plan.is_empty
    assert execute_plan(target, plan, no_report) == before


def test_up_with_new_code_serves_it_and_keeps_bucket_and_api(target, package_saying):
    before = execute_plan(target, make_plan(target, package_saying("one")), no_report)
    assert invoke(target, before) == "one"
    target.s3.put_object(Bucket=before["BucketName"], Key="models/kept", Body=b"x")

    after = execute_plan(target, make_plan(target, package_saying("two")), no_report)

    assert invoke(target, after) == "two"
    assert after == before
    assert target.s3.get_object(Bucket=after["BucketName"], Key="models/kept")["Body"].read() == b"x"


def test_up_with_another_portal_origin_changes_the_bucket_s_cors(target, package_saying):
    execute_plan(target, make_plan(target, package_saying("one")), no_report)
    moved = replace(target, parameters={**target.parameters, "PortalOrigin": "http://127.0.0.1:8111"})

    plan = make_plan(moved, package_saying("one"))
    outputs = execute_plan(moved, plan, no_report)

    assert "Bucket" in {change.resource for change in plan.changes if change.verb == "change"}
    rules = target.s3.get_bucket_cors(Bucket=outputs["BucketName"])["CORSRules"]
    assert rules[0]["AllowedOrigins"] == ["http://127.0.0.1:8111"]


def test_up_keeps_a_portal_origin_that_it_was_not_told_to_change(target, package_saying):
    moved = replace(target, parameters={**target.parameters, "PortalOrigin": "http://127.0.0.1:8111"})
    execute_plan(moved, make_plan(moved, package_saying("one")), no_report)

    assert make_plan(target, package_saying("one")).is_empty


def test_dropped_plan_leaves_nothing(target, package_saying):
    drop_plan(target, make_plan(target, package_saying("one")))

    assert describe_stack(target) is None


def test_up_after_an_interrupted_plan_starts_over(target, package_saying):
    make_plan(target, package_saying("one"))  # and never executed: CloudFormation is left in REVIEW_IN_PROGRESS

    outputs = execute_plan(target, make_plan(target, package_saying("one")), no_report)

    assert invoke(target, outputs) == "one"


@pytest.fixture
def broken_template(monkeypatch):
    """With two buckets of one name. MiniStack forgives most other mistakes."""
    twice = "    Type: AWS::S3::Bucket\n    Properties: { BucketName: one-name-for-two }\n"
    buckets = f" First:\n{twice} Second:\n    DependsOn: First\n{twice}"

    def render(parameters):
        return render_template(parameters).replace("\nResources:\n", f"\nResources:\n{buckets}", 1)

    monkeypatch.setattr("deploy.plan.render_template", render)


def test_failed_up_names_the_first_real_cause(target, package_saying, broken_template):
    plan = make_plan(target, package_saying("one"))

    with pytest.raises(DeployError, match=r"^Second \(AWS::S3::Bucket\) failed: .*already exists\."):
        execute_plan(target, plan, no_report)


def test_up_after_a_failed_first_one_clears_its_remains_and_succeeds(
    target, package_saying, broken_template, monkeypatch
):
    with pytest.raises(DeployError):
        execute_plan(target, make_plan(target, package_saying("one")), no_report)
    monkeypatch.undo()

    outputs = execute_plan(target, make_plan(target, package_saying("one")), no_report)

    assert invoke(target, outputs) == "one"


def test_down_leaves_neither_stack_nor_buckets(target, package_saying):
    outputs = execute_plan(target, make_plan(target, package_saying("one")), no_report)
    for body in (b"first", b"second"):
        target.s3.put_object(Bucket=outputs["BucketName"], Key="models/a", Body=body)
    target.s3.delete_object(Bucket=outputs["BucketName"], Key="models/a")
    target.s3.create_multipart_upload(Bucket=outputs["BucketName"], Key="batches/1/b/output.csv")

    delete_everything(target, no_report)

    assert describe_stack(target) is None
    assert not [name for name in bucket_names(target) if name.startswith(target.stack_name)]
    with pytest.raises(target.functions.exceptions.ResourceNotFoundException):
        target.functions.get_function(FunctionName=outputs["PredictFunctionName"])


def test_list_of_what_goes_counts_the_objects(target, package_saying):
    outputs = execute_plan(target, make_plan(target, package_saying("one")), no_report)
    target.s3.put_object(Bucket=outputs["BucketName"], Key="models/a", Body=b"x")

    going = dict(list_what_goes(target))

    assert going[outputs["BucketName"]] == "S3 Bucket, with 1 object version"


def test_outputs_of_no_stack_are_refused_with_the_command_that_makes_one(target):
    with pytest.raises(DeployError, match="no stack .* python -m deploy up --target embedded"):
        read_outputs(target)


def test_status_of_a_stack_with_a_missing_function_is_not_well(target, package_saying):
    outputs = execute_plan(target, make_plan(target, package_saying("one")), no_report)
    assert read_status(target).is_well
    target.functions.delete_function(FunctionName=outputs["VerifyFunctionName"])

    status = read_status(target)

    assert not status.is_well
    assert status.functions[outputs["VerifyFunctionName"]].startswith("does not answer")


def test_plan_where_nothing_listens_says_how_to_start_it():
    with pytest.raises(EmulatorAway, match="Nothing answers at .*Start it with: make up"):
        make_plan(embedded_target("http://127.0.0.1:1"))


def bucket_names(target):
    return [bucket["Name"] for bucket in target.s3.list_buckets()["Buckets"]]


def test_stack_without_a_secret_has_kms_keep_the_key_that_signs(target, package_saying):
    target = replace(target, manifest_key="")

    outputs = execute_plan(target, make_plan(target, package_saying("one")), no_report)

    environment = portal_environment(target, outputs | {"ApiUrl": "https://abc.execute-api.us-east-1.amazonaws.com/x"})
    variables = target.functions.get_function_configuration(FunctionName=outputs["PredictFunctionName"])["Environment"]
    assert "PORTICO_MANIFEST_KEY" not in environment
    assert environment["PORTICO_MANIFEST_KMS_KEY"] == variables["Variables"]["PORTICO_MANIFEST_KMS_KEY"]


def test_new_code_keeps_the_secret_that_nobody_names(target, package_saying):
    before = execute_plan(target, make_plan(target, package_saying("one")), no_report)

    after = execute_plan(target, make_plan(target, package_saying("two")), no_report)

    assert len(before["ManifestKey"]) >= 32
    assert after["ManifestKey"] == before["ManifestKey"]
