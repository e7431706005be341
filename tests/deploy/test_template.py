"""What the template promises, read from its text: the emulator enforces neither roles nor lifecycle rules."""

import json
import re

import pytest
from cfnlint.api import ManualArgs, lint
from cfnlint.decode.cfn_yaml import loads

from deploy.outputs import VARIABLES
from deploy.template import API_PARAMETERS, TEMPLATE, left_out_resources, render_template
from portal.gateways import aws


@pytest.fixture(scope="module")
def template():
    return loads(TEMPLATE.read_text())


@pytest.fixture(scope="module")
def resources(template):
    return template["Resources"]


def statements(resources, role):
    return resources[role]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]


def keys_of(statement):
    """The object keys a statement is about: its resources without the bucket."""
    given = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
    return {resource["Fn::Sub"].removeprefix("${Bucket.Arn}/") for resource in given if "Fn::Sub" in resource}


def test_template_as_rendered_has_no_lint_findings():
    assert lint(render_template({}), config=ManualArgs(regions=["us-east-1"])) == []


def test_template_outputs_are_those_of_the_contract(template):
    assert set(template["Outputs"]) == {*VARIABLES, "ManifestKmsKey"}


@pytest.mark.parametrize("role", ["PredictRole", "PredictSmallRole"])
def test_function_may_check_signatures_and_not_make_them(resources, role):
    _always, (condition, granted, otherwise) = (
        resources[role]["Properties"]["Policies"][0],
        resources[role]["Properties"]["Policies"][1]["Fn::If"],
    )

    assert (condition, otherwise) == ("HasKmsKey", {"Ref": "AWS::NoValue"})
    (statement,) = granted["PolicyDocument"]["Statement"]
    assert statement["Action"] == "kms:VerifyMac"
    assert statement["Resource"] == {"Fn::GetAtt": ["ManifestKmsKey", "Arn"]}


def test_small_predict_role_reads_tables_hands_over_and_writes_its_log_and_nothing_else(resources):
    allowed = statements(resources, "PredictSmallRole")

    assert [(item["Sid"], item["Effect"], item["Action"]) for item in allowed] == [
        ("ReadTables", "Allow", "s3:GetObject"),
        ("HandOver", "Allow", "lambda:InvokeFunction"),
        ("WriteOwnLog", "Allow", ["logs:CreateLogStream", "logs:PutLogEvents"]),
    ]
    assert keys_of(allowed[0]) == {
        "models/*/live.json",
        "models/*/manifest.json",
        "models/*/compiled.json",
        "model/binary_sklearn_model.pkl",
    }
    assert allowed[1]["Resource"] == {"Fn::GetAtt": ["PredictFunction", "Arn"]}
    assert allowed[2]["Resource"] == {"Fn::GetAtt": ["PredictSmallLogs", "Arn"]}


def test_small_predict_function_is_told_the_large_one_which_is_told_of_none(resources):
    small, large = (
        resources[name]["Properties"]["Environment"]["Variables"]
        for name in ("PredictSmallFunction", "PredictFunction")
    )

    assert small["PORTICO_LARGE_FUNCTION"] == {"Ref": "PredictFunction"}
    assert "PORTICO_LARGE_FUNCTION" not in large
    assert not [name for name in small if "BATCH" in name]


def test_small_predict_function_runs_the_same_code_as_the_large_one(resources):
    small, large = (resources[name]["Properties"] for name in ("PredictSmallFunction", "PredictFunction"))

    for name in ("PackageType", "Architectures", "Runtime", "Handler", "Code", "ImageConfig"):
        assert small[name] == large[name]


def test_small_predict_function_waits_longer_than_the_portal_and_the_gateway(resources):
    portal_s, gateway_s = aws.INVOKE.read_timeout, 29

    assert resources["PredictSmallFunction"]["Properties"]["Timeout"] > max(portal_s, gateway_s)


@pytest.mark.parametrize(
    ("methods", "function"),
    [
        (("SinglePost", "ModelSinglePost"), "PredictSmallFunction"),
        (("BatchPost", "ModelBatchPost", "JobAny", "ModelJobAny"), "PredictFunction"),
    ],
)
def test_single_rows_go_to_the_small_function_and_batches_to_the_large_one(resources, methods, function):
    for method in methods:
        uri = resources[method]["Properties"]["Integration"]["Uri"]["Fn::Sub"]

        assert uri.endswith(f"/functions/${{{function}.Arn}}/invocations")


@pytest.mark.parametrize("function", ["PredictFunction", "PredictSmallFunction"])
def test_gateway_may_invoke_the_functions_that_it_asks(resources, function):
    permissions = [resource for resource in resources.values() if resource["Type"] == "AWS::Lambda::Permission"]

    assert [
        permission["Properties"]["Principal"]
        for permission in permissions
        if permission["Properties"]["FunctionName"] == {"Fn::GetAtt": [function, "Arn"]}
    ] == ["apigateway.amazonaws.com"]


def test_verify_function_is_given_no_key(resources):
    assert set(resources["VerifyFunction"]["Properties"]["Environment"]["Variables"]) == {"PORTICO_BUCKET"}


def test_verify_role_may_read_quarantine_and_write_its_log_and_nothing_else(resources):
    allowed = statements(resources, "VerifyRole")

    assert [(item["Sid"], item["Effect"], item["Action"]) for item in allowed] == [
        ("ReadQuarantine", "Allow", "s3:GetObject"),
        ("WriteOwnLog", "Allow", ["logs:CreateLogStream", "logs:PutLogEvents"]),
    ]
    assert keys_of(allowed[0]) == {"quarantine/*"}
    assert allowed[1]["Resource"] == {"Fn::GetAtt": ["VerifyLogs", "Arn"]}


def test_predict_role_is_denied_everything_in_quarantine(resources):
    denied = [item for item in statements(resources, "PredictRole") if item["Effect"] == "Deny"]

    assert any(keys_of(item) == {"quarantine/*"} and item["Action"] == "s3:*" for item in denied)


def test_predict_role_cannot_write_models(resources):
    denied = [item for item in statements(resources, "PredictRole") if item["Effect"] == "Deny"]

    assert any(keys_of(item) == {"models/*", "model/*"} and item["Action"] == "s3:PutObject" for item in denied)


def test_predict_role_writes_batches_and_predictions_only(resources):
    writing = [
        item
        for item in statements(resources, "PredictRole")
        if item["Effect"] == "Allow" and "s3:PutObject" in item["Action"]
    ]

    assert len(writing) == 1
    assert keys_of(writing[0]) == {"batches/*", "*/*_predictions.csv"}


def test_predict_role_starts_the_one_machine_and_follows_the_api_s_own_executions(resources):
    own = [item for item in statements(resources, "PredictRole") if "states:" in str(item["Action"])]
    arn = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}"
    machine = resources["BatchStateMachine"]["Properties"]["StateMachineName"]["Fn::Sub"]

    assert [(item["Effect"], item["Action"], item["Resource"]) for item in own] == [
        ("Allow", "states:StartExecution", {"Fn::Sub": f"{arn}:stateMachine:{machine}"}),
        (
            "Allow",
            ["states:DescribeExecution", "states:StopExecution"],
            {"Fn::Sub": f"{arn}:execution:{machine}:api-*"},
        ),
    ]


def test_predict_function_is_told_the_one_machine_by_its_name(resources):
    variables = resources["PredictFunction"]["Properties"]["Environment"]["Variables"]

    assert variables["PORTICO_BATCH_STATE_MACHINE"] == _named(resources, "PredictRole", "StartJobs")["Resource"]


@pytest.mark.parametrize(
    ("path", "method"), [("JobPath", "JobAny"), ("ModelJobPath", "ModelJobAny"), ("BatchPath", "BatchPost")]
)
def test_job_s_methods_want_the_token_that_the_other_calls_want(resources, path, method):
    job, neighbour = resources[method]["Properties"], resources["BatchPost"]["Properties"]

    assert job["ResourceId"] == {"Ref": path}
    assert [job[name] for name in ("AuthorizationType", "AuthorizerId", "Integration")] == [
        neighbour[name] for name in ("AuthorizationType", "AuthorizerId", "Integration")
    ]


@pytest.mark.parametrize("method", ["BatchOptions", "ModelBatchOptions", "JobOptions", "ModelJobOptions"])
def test_preflight_of_batches_allows_what_jobs_need(resources, method):
    (answer,) = resources[method]["Properties"]["Integration"]["IntegrationResponses"]
    allowed = {name.rpartition("-")[2]: value for name, value in answer["ResponseParameters"].items()}

    assert resources[method]["Properties"]["AuthorizationType"] == "NONE"
    assert allowed["Headers"] == "'Content-Type,Authorization,Prefer,Idempotency-Key'"
    assert allowed["Methods"] == "'OPTIONS,POST,GET,DELETE'"


def test_deployment_waits_for_every_method_and_answer_of_the_api(resources):
    made = {
        name
        for name, resource in resources.items()
        if resource["Type"] in ("AWS::ApiGateway::Method", "AWS::ApiGateway::GatewayResponse")
    }

    assert set(resources["ApiDeployment"]["DependsOn"]) == made


@pytest.mark.parametrize("role", ["PredictRole", "PredictSmallRole", "VerifyRole", "BatchRole"])
def test_role_grants_no_wildcard_action_and_no_wildcard_resource(resources, role):
    for statement in (item for item in statements(resources, role) if item["Effect"] == "Allow"):
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]

        assert not [action for action in actions if "*" in action]
        assert statement["Resource"] != "*"


def test_functions_have_roles_of_their_own(resources):
    roles = {
        name: resource["Properties"]["Role"]["Fn::GetAtt"][0]
        for name, resource in resources.items()
        if resource["Type"] == "AWS::Lambda::Function"
    }

    assert roles == {name: name.removesuffix("Function") + "Role" for name in roles}
    assert set(roles) == {"PredictFunction", "PredictSmallFunction", "VerifyFunction"}


def test_functions_wait_for_their_log_groups_which_have_retention(resources):
    for function in ("PredictFunction", "PredictSmallFunction", "VerifyFunction"):
        logs = function.removesuffix("Function") + "Logs"
        name = resources[function]["Properties"]["FunctionName"]["Fn::Sub"]

        assert resources[function]["DependsOn"] == logs
        assert resources[logs]["Properties"]["LogGroupName"] == {"Fn::Sub": f"/aws/lambda/{name}"}
        assert "RetentionInDays" in resources[logs]["Properties"]


def test_bucket_forgets_quarantine_in_a_day_batches_in_thirty_and_unfinished_uploads(resources):
    rules = {rule["Id"]: rule for rule in resources["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"]}

    assert (rules["quarantine"]["Prefix"], rules["quarantine"]["ExpirationInDays"]) == ("quarantine/", 1)
    assert (rules["batches"]["Prefix"], rules["batches"]["ExpirationInDays"]) == ("batches/", 400)
    assert rules["abandoned-uploads"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
    assert "NoncurrentVersionExpiration" in rules["overwritten"]


def test_state_machine_retries_faults_of_the_service_and_dead_containers_and_no_refusals(resources):
    states = _definition(resources)["States"]
    steps = [states[name] for name in ("Plan", "Finish", "Abandon")]
    steps.append(states["Score"]["ItemProcessor"]["States"]["Part"])

    for step in steps:
        service, container = step["Retry"]
        assert all(error.startswith("Lambda.") and "Unknown" not in error for error in service["ErrorEquals"])
        assert (container["ErrorEquals"], container["MaxAttempts"]) == (
            ["Lambda.Unknown", "Runtime.ExitError", "Sandbox.Timedout"],
            2,
        )


def test_state_machine_catches_everything_into_abandon_which_fails(resources):
    states = _definition(resources)["States"]

    for name in ("Plan", "Score", "Finish"):
        assert [(catch["ErrorEquals"], catch["Next"]) for catch in states[name]["Catch"]] == [
            (["States.ALL"], "Abandon")
        ]
    assert states[states["Abandon"]["Next"]]["Type"] == "Fail"


def test_rendering_a_changed_api_renames_the_deployment():
    changed = TEMPLATE.read_text().replace("PathPart: batchPrediction", "PathPart: batch", 1)

    assert _deployment_name(render_template({}, changed)) != _deployment_name(render_template({}))


def test_rendering_a_changed_bucket_keeps_the_deployment():
    changed = TEMPLATE.read_text().replace("ExpirationInDays: 400", "ExpirationInDays: 401")

    assert changed != TEMPLATE.read_text()
    assert _deployment_name(render_template({}, changed)) == _deployment_name(render_template({}))


def test_rendering_with_another_cors_origin_renames_the_deployment():
    assert _deployment_name(render_template({"ApiCorsOrigin": "https://a.test"})) != _deployment_name(
        render_template({})
    )


def test_rendering_takes_the_template_s_own_defaults(template):
    assert {name: template["Parameters"][name]["Default"] for name in API_PARAMETERS} == API_PARAMETERS


ALL_HOLD = {"WithCognito": "true", "IsolateVerify": "true", "ManifestKey": ""}


@pytest.mark.parametrize(
    ("parameter", "value", "condition"),
    [
        ("WithCognito", "false", "HasCognito"),
        ("IsolateVerify", "false", "IsVerifyIsolated"),
        ("ManifestKey", "a secret", "HasKmsKey"),
    ],
)
def test_left_out_resources_are_those_whose_condition_does_not_hold(resources, parameter, value, condition):
    conditional = {name for name, resource in resources.items() if resource.get("Condition") == condition}

    assert left_out_resources(ALL_HOLD, TEMPLATE.read_text()) == set()
    assert left_out_resources({**ALL_HOLD, parameter: value}, TEMPLATE.read_text()) == conditional != set()


def test_verify_function_has_no_way_out_but_to_read_quarantine(resources):
    door = resources["VerifyDoor"]["Properties"]
    kinds = {resource["Type"] for resource in resources.values()}

    (allowed,) = door["PolicyDocument"]["Statement"]
    assert door["VpcEndpointType"] == "Gateway"
    assert (allowed["Action"], keys_of(allowed | {"Resource": [allowed["Resource"]]})) == (
        "s3:GetObject",
        {"quarantine/*"},
    )
    assert not kinds & {"AWS::EC2::InternetGateway", "AWS::EC2::NatGateway", "AWS::EC2::Route"}


def test_verify_function_itself_is_denied_what_lambda_needs_for_its_network(resources):
    condition, granted, _otherwise = resources["VerifyRole"]["Properties"]["Policies"][1]["Fn::If"]
    allowed, denied = granted["PolicyDocument"]["Statement"]

    assert condition == "IsVerifyIsolated"
    assert all(action.startswith("ec2:") for action in allowed["Action"])
    assert (denied["Effect"], denied["Action"]) == ("Deny", "ec2:*")
    assert "portico-${Environment}-verify" in denied["Condition"]["ArnEquals"]["lambda:SourceFunctionArn"]["Fn::Sub"]


def _deployment_name(text):
    return re.search(r"^  (ApiDeployment\w+):$", text, re.MULTILINE).group(1)


def _definition(resources):
    text = resources["BatchStateMachine"]["Properties"]["DefinitionString"]["Fn::Sub"]
    return json.loads(text.replace("${BatchConcurrency}", "2"))


def _named(resources, role, sid):
    (statement,) = (item for item in statements(resources, role) if item["Sid"] == sid)
    return statement
