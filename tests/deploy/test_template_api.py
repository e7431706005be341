"""What the template says of the REST API."""

import json

import pytest

from tests.deploy.reading import RESOURCES, of_type, properties


@pytest.mark.parametrize(
    ("methods", "function"),
    [
        (("SinglePost", "ModelSinglePost"), "PredictSmallFunction"),
        (("BatchPost", "ModelBatchPost", "JobAny", "ModelJobAny"), "PredictFunction"),
    ],
)
def test_single_rows_go_to_the_small_function_and_batches_to_the_large_one(methods, function):
    for method in methods:
        uri = RESOURCES[method]["Properties"]["Integration"]["Uri"]["Fn::Sub"]

        assert uri.endswith(f"/functions/${{{function}.Arn}}/invocations")


@pytest.mark.parametrize("function", ["PredictFunction", "PredictSmallFunction"])
def test_gateway_may_invoke_the_functions_that_it_asks(function):
    permissions = [resource for resource in RESOURCES.values() if resource["Type"] == "AWS::Lambda::Permission"]

    assert [
        permission["Properties"]["Principal"]
        for permission in permissions
        if permission["Properties"]["FunctionName"] == {"Fn::GetAtt": [function, "Arn"]}
    ] == ["apigateway.amazonaws.com"]


@pytest.mark.parametrize(
    ("path", "method"), [("JobPath", "JobAny"), ("ModelJobPath", "ModelJobAny"), ("BatchPath", "BatchPost")]
)
def test_job_s_methods_want_the_token_that_the_other_calls_want(path, method):
    job, neighbour = RESOURCES[method]["Properties"], RESOURCES["BatchPost"]["Properties"]

    assert job["ResourceId"] == {"Ref": path}
    assert [job[name] for name in ("AuthorizationType", "AuthorizerId", "Integration")] == [
        neighbour[name] for name in ("AuthorizationType", "AuthorizerId", "Integration")
    ]


@pytest.mark.parametrize("method", ["BatchOptions", "ModelBatchOptions", "JobOptions", "ModelJobOptions"])
def test_preflight_of_batches_allows_what_jobs_need(method):
    (answer,) = RESOURCES[method]["Properties"]["Integration"]["IntegrationResponses"]
    allowed = {name.rpartition("-")[2]: value for name, value in answer["ResponseParameters"].items()}

    assert RESOURCES[method]["Properties"]["AuthorizationType"] == "NONE"
    assert allowed["Headers"] == "'Content-Type,Authorization,Prefer,Idempotency-Key'"
    assert allowed["Methods"] == "'OPTIONS,POST,GET,DELETE'"


def test_deployment_waits_for_every_method_and_answer_of_the_api():
    made = {
        name
        for name, resource in RESOURCES.items()
        if resource["Type"] in ("AWS::ApiGateway::Method", "AWS::ApiGateway::GatewayResponse")
    }

    assert set(RESOURCES["ApiDeployment"]["DependsOn"]) == made


def test_every_method_but_options_wants_a_token_where_there_are_people():
    for name, method in of_type("AWS::ApiGateway::Method").items():
        given = method["Properties"]

        if given["HttpMethod"] == "OPTIONS":
            assert given["AuthorizationType"] == "NONE", name
        else:
            assert given["AuthorizationType"] == {"Fn::If": ["HasSignIn", "COGNITO_USER_POOLS", "NONE"]}, name
            assert given["AuthorizerId"]["Fn::If"][1] == {"Ref": "ApiAuthorizer"}, name


def test_every_path_that_is_called_answers_preflights():
    def paths(verbs):
        methods = of_type("AWS::ApiGateway::Method").values()
        return {
            item["Properties"]["ResourceId"]["Ref"] for item in methods if item["Properties"]["HttpMethod"] in verbs
        }

    assert paths({"OPTIONS"}) == paths({"POST", "ANY"})


def test_authorizer_asks_the_stack_s_own_pool_about_the_token():
    given = properties("ApiAuthorizer")

    assert given["ProviderARNs"] == [{"Fn::GetAtt": ["UserPool", "Arn"]}]
    assert given["IdentitySource"] == "method.request.header.Authorization"


@pytest.mark.parametrize(
    ("method", "model"),
    [
        ("SinglePost", "RowModel"),
        ("ModelSinglePost", "RowModel"),
        ("BatchPost", "FileModel"),
        ("ModelBatchPost", "FileModel"),
    ],
)
def test_posted_body_is_looked_at_before_a_function_is_asked(method, model):
    given = properties(method)

    assert given["RequestValidatorId"] == {"Ref": "ApiValidator"}
    assert given["RequestModels"] == {"application/json": {"Ref": model}}
    assert properties("ApiValidator")["ValidateRequestBody"] is True
    assert properties(model)["Schema"]["type"] == "object"


def test_file_s_key_is_bounded_as_the_function_bounds_it():
    from predictor import keys

    assert properties("FileModel")["Schema"]["properties"]["fileKey"]["maxLength"] == keys._FILE_KEY_MAX_BYTES


def test_body_that_is_refused_is_refused_in_a_sentence():
    (words,) = properties("ApiBadBody")["ResponseTemplates"].values()

    assert list(json.loads(words)) == ["message"]


def test_every_answer_of_the_gateway_itself_may_be_read_by_pages():
    for name, answer in of_type("AWS::ApiGateway::GatewayResponse").items():
        origin = answer["Properties"]["ResponseParameters"]["gatewayresponse.header.Access-Control-Allow-Origin"]

        assert origin == {"Fn::Sub": "'${ApiCorsOrigin}'"}, name


def test_stage_throttles_as_the_parameters_say():
    (setting,) = properties("ApiStage")["MethodSettings"]

    assert (setting["ThrottlingRateLimit"], setting["ThrottlingBurstLimit"]) == (
        {"Ref": "ApiRateLimit"},
        {"Ref": "ApiBurstLimit"},
    )


def test_access_log_has_who_and_what_and_no_body():
    condition, logged, _otherwise = properties("ApiStage")["AccessLogSetting"]["Fn::If"]
    entry = json.loads(logged["Format"])

    assert condition == "HasAccessLogs"
    assert {"request_id", "user", "status", "path"} <= set(entry)
    assert not [value for value in entry.values() if "body" in value or "header" in value.lower()]
