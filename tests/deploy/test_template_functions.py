"""What the template makes of the functions, the bucket and the batches."""

import pytest

from portal.gateways import aws
from tests.deploy.reading import RESOURCES, keys_of, state_machine, statement


def test_small_predict_function_is_told_the_large_one_which_is_told_of_none():
    small, large = (
        RESOURCES[name]["Properties"]["Environment"]["Variables"]
        for name in ("PredictSmallFunction", "PredictFunction")
    )

    assert small["PORTICO_LARGE_FUNCTION"] == {"Ref": "PredictFunction"}
    assert "PORTICO_LARGE_FUNCTION" not in large
    assert not [name for name in small if "BATCH" in name]


def test_small_predict_function_runs_the_same_code_as_the_large_one():
    small, large = (RESOURCES[name]["Properties"] for name in ("PredictSmallFunction", "PredictFunction"))

    for name in ("PackageType", "Architectures", "Runtime", "Handler", "Code", "ImageConfig"):
        assert small[name] == large[name]


def test_small_predict_function_waits_longer_than_the_portal_and_the_gateway():
    portal_s, gateway_s = aws.INVOKE.read_timeout, 29

    assert RESOURCES["PredictSmallFunction"]["Properties"]["Timeout"] > max(portal_s, gateway_s)


def test_verify_function_is_given_no_key():
    assert set(RESOURCES["VerifyFunction"]["Properties"]["Environment"]["Variables"]) == {"PORTICO_BUCKET"}


def test_predict_function_is_told_the_one_machine_by_its_name():
    variables = RESOURCES["PredictFunction"]["Properties"]["Environment"]["Variables"]

    assert variables["PORTICO_BATCH_STATE_MACHINE"] == statement("PredictRole", "StartJobs")["Resource"]


def test_functions_have_roles_of_their_own():
    roles = {
        name: resource["Properties"]["Role"]["Fn::GetAtt"][0]
        for name, resource in RESOURCES.items()
        if resource["Type"] == "AWS::Lambda::Function"
    }

    assert roles == {name: name.removesuffix("Function") + "Role" for name in roles}
    assert set(roles) == {"PredictFunction", "PredictSmallFunction", "VerifyFunction"}


def test_functions_wait_for_their_log_groups_which_have_retention():
    for function in ("PredictFunction", "PredictSmallFunction", "VerifyFunction"):
        logs = function.removesuffix("Function") + "Logs"
        name = RESOURCES[function]["Properties"]["FunctionName"]["Fn::Sub"]

        assert RESOURCES[function]["DependsOn"] == logs
        assert RESOURCES[logs]["Properties"]["LogGroupName"] == {"Fn::Sub": f"/aws/lambda/{name}"}
        assert "RetentionInDays" in RESOURCES[logs]["Properties"]


def test_bucket_lets_the_portal_s_pages_upload_and_the_published_page_where_there_is_one():
    portal, page = RESOURCES["Bucket"]["Properties"]["CorsConfiguration"]["CorsRules"]
    condition, rule, otherwise = page["Fn::If"]

    assert (portal["AllowedOrigins"], portal["AllowedMethods"]) == (
        {"Ref": "PortalOrigin"},
        ["GET", "HEAD", "POST", "PUT"],
    )
    assert (condition, otherwise) == ("HasPage", {"Ref": "AWS::NoValue"})
    assert (rule["AllowedOrigins"], rule["AllowedMethods"]) == ([{"Ref": "ApiCorsOrigin"}], ["GET", "HEAD", "PUT"])


def test_bucket_forgets_quarantine_in_a_day_batches_and_captures_in_400_and_unfinished_uploads():
    rules = {rule["Id"]: rule for rule in RESOURCES["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"]}

    assert (rules["quarantine"]["Prefix"], rules["quarantine"]["ExpirationInDays"]) == ("quarantine/", 1)
    assert (rules["batches"]["Prefix"], rules["batches"]["ExpirationInDays"]) == ("batches/", 400)
    assert (rules["captures"]["Prefix"], rules["captures"]["ExpirationInDays"]) == ("captures/", 400)
    assert rules["captures"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}
    assert rules["abandoned-uploads"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
    assert "NoncurrentVersionExpiration" in rules["overwritten"]


def test_state_machine_retries_faults_of_the_service_and_dead_containers_and_no_refusals():
    states = state_machine()["States"]
    steps = [states[name] for name in ("Plan", "Finish", "Abandon")]
    steps.append(states["Score"]["ItemProcessor"]["States"]["Part"])

    for step in steps:
        service, container = step["Retry"]
        assert all(error.startswith("Lambda.") and "Unknown" not in error for error in service["ErrorEquals"])
        assert (container["ErrorEquals"], container["MaxAttempts"]) == (
            ["Lambda.Unknown", "Runtime.ExitError", "Sandbox.Timedout"],
            2,
        )


def test_state_machine_catches_everything_into_abandon_which_fails():
    states = state_machine()["States"]

    for name in ("Plan", "Score", "Finish"):
        assert [(catch["ErrorEquals"], catch["Next"]) for catch in states[name]["Catch"]] == [
            (["States.ALL"], "Abandon")
        ]
    assert states[states["Abandon"]["Next"]]["Type"] == "Fail"


def test_verify_function_has_no_way_out_but_to_read_quarantine():
    door = RESOURCES["VerifyDoor"]["Properties"]
    kinds = {resource["Type"] for resource in RESOURCES.values()}

    (allowed,) = door["PolicyDocument"]["Statement"]
    assert door["VpcEndpointType"] == "Gateway"
    assert (allowed["Action"], keys_of(allowed | {"Resource": [allowed["Resource"]]})) == (
        "s3:GetObject",
        {"quarantine/*"},
    )
    assert not kinds & {"AWS::EC2::InternetGateway", "AWS::EC2::NatGateway", "AWS::EC2::Route"}


def test_batch_ends_when_the_bucket_has_dropped_what_was_scored():
    rules = {rule["Id"]: rule for rule in RESOURCES["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"]}
    days = rules["abandoned-uploads"]["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"]

    assert state_machine()["TimeoutSeconds"] == days * 24 * 3600


@pytest.mark.parametrize("function", ["PredictFunction", "PredictSmallFunction"])
def test_predict_functions_have_executions_set_apart_only_where_a_number_is_given(function):
    assert RESOURCES[function]["Properties"]["ReservedConcurrentExecutions"] == {
        "Fn::If": ["HasConcurrency", {"Ref": "PredictConcurrency"}, {"Ref": "AWS::NoValue"}]
    }
