"""Every call that the code makes is one that its role may make."""

import textwrap

import pytest

from tests.policies import calls
from tests.policies.calls import Made, find_calls, find_calls_by_name, needs_no_permission, task_calls
from tests.policies.matrix import CASES
from tests.policies.resolving import NotUnderstood

# Whose role a module's calls are made with. Everybody reads; the verify function's reading is that of its upload.
ROLES = {
    "portal.gateways.cognito.people": ["PortalRole"],
    "portal.gateways.executions": ["PortalRole"],
    "portal.gateways.inference": ["PortalRole"],
    "portal.gateways.signatures": ["PortalRole"],
    "portal.gateways.storage": ["PortalRole"],
    "predictor.bucket": ["PredictRole"],
    "predictor.capture_buffer": ["PredictRole", "PredictSmallRole"],
    "predictor.handing_over": ["PredictSmallRole"],
    "predictor.machine": ["PredictRole"],
    "predictor.signatures": ["PredictRole", "PredictSmallRole"],
    "predictor.signed_get": ["PredictRole", "PredictSmallRole", "VerifyRole"],
    "BatchStateMachine": ["BatchRole"],
}
# What a call needs, where that is not the action of its own name.
# Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html and its neighbours
ACTIONS = {
    ("s3", "abort_multipart_upload"): ["s3:AbortMultipartUpload"],
    ("s3", "complete_multipart_upload"): ["s3:PutObject"],
    ("s3", "copy_object"): ["s3:GetObject", "s3:PutObject"],
    ("s3", "create_multipart_upload"): ["s3:PutObject"],
    ("s3", "delete_object"): ["s3:DeleteObject"],
    ("s3", "delete_objects"): ["s3:DeleteObject"],
    ("s3", "get_object"): ["s3:GetObject"],
    ("s3", "head_object"): ["s3:GetObject"],
    ("s3", "list_multipart_uploads"): ["s3:ListBucketMultipartUploads"],
    ("s3", "list_objects_v2"): ["s3:ListBucket"],
    ("s3", "list_parts"): ["s3:ListMultipartUploadParts"],
    ("s3", "put_object"): ["s3:PutObject"],
    # In parts where the file is large; they are dropped where one fails.
    ("s3", "upload_fileobj"): ["s3:PutObject", "s3:AbortMultipartUpload"],
    ("s3", "upload_part"): ["s3:PutObject"],
    ("lambda", "invoke"): ["lambda:InvokeFunction"],
    ("stepfunctions", "start_execution"): ["states:StartExecution"],
    ("stepfunctions", "describe_execution"): ["states:DescribeExecution"],
    ("stepfunctions", "stop_execution"): ["states:StopExecution"],
    ("kms", "generate_mac"): ["kms:GenerateMac"],
    ("kms", "verify_mac"): ["kms:VerifyMac"],
    ("cognito-idp", "admin_get_user"): ["cognito-idp:AdminGetUser"],
}
ALLOWED = {(case.who, case.action) for case in CASES if case.is_allowed}
MADE = sorted({*task_calls(), *find_calls("portal"), *find_calls("predictor")})

# What `plan` and `up` are made of, which the workflow runs; the other commands are for people with rights of their own.
OF_UP = ("deploy.plan", "deploy.execute", "deploy.golden", "deploy.following", "deploy.aws.")
SERVICES = ["cloudformation", "s3", "lambda", "ecr", "cognito-idp", "cloudwatch"]
# Calls there that are made on emulators, or where a stack begins, which is a person's to do.
NOT_OF_THE_WORKFLOW = {
    ("deploy.execute", "create_bucket"),
    ("deploy.execute", "delete_bucket"),
    ("deploy.execute", "head_object"),
    ("deploy.execute", "put_object"),
    ("deploy.execute", "update_function_code"),
    ("deploy.execute", "describe_user_pool_client"),
    ("deploy.execute", "delete_stack"),
    ("deploy.golden", "update_function_code"),
    ("deploy.plan", "delete_stack"),
}
OF_THE_WORKFLOW = sorted(
    call
    for call in find_calls_by_name("deploy", SERVICES)
    if call.module.startswith(OF_UP) and (call.module, call.operation) not in NOT_OF_THE_WORKFLOW
)


@pytest.mark.parametrize("call", [call for call in MADE if not needs_no_permission(call)], ids=".".join)
def test_call_of_the_code_is_one_that_the_table_allows(call):
    assert call.module in ROLES, "A module that made no calls makes one: whose role does it have?"
    assert (call.service, call.operation) in ACTIONS, "A new call: what does it need?"

    needed = {(role, action) for role in ROLES[call.module] for action in ACTIONS[call.service, call.operation]}

    assert needed <= ALLOWED, "Add the call to tests/policies/matrix, and what it needs to deploy/template.yaml."


@pytest.mark.parametrize("call", OF_THE_WORKFLOW, ids=".".join)
def test_call_of_up_is_one_that_the_workflow_may_make(call):
    name = "".join(word.capitalize() for word in call.operation.split("_"))
    needed = ACTIONS.get((call.service, call.operation), [f"{call.service}:{name}"])

    assert {("CiRole", action) for action in needed} <= ALLOWED


def test_lists_of_this_module_name_nothing_that_is_gone():
    made = [call for call in MADE if not needs_no_permission(call)]

    assert {call.module for call in made} == set(ROLES)
    assert {(call.service, call.operation) for call in made} == set(ACTIONS)


def write(tmp_path, monkeypatch, text):
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "module.py").write_text(textwrap.dedent(text))
    monkeypatch.setitem(calls.ROOMS, "room", tmp_path)
    return find_calls("room")


def test_calls_are_found_by_client_by_helper_by_paginator_and_presigned(tmp_path, monkeypatch):
    found = write(
        tmp_path,
        monkeypatch,
        """
        import boto3

        def quick():
            return boto3.client("lambda")

        def people():
            make: Any = boto3.client
            return make("cognito-idp")

        def work():
            s3 = client("s3")
            people().list_users(UserPoolId="x")
            s3.get_paginator("list_object_versions")
            s3.generate_presigned_url("put_object", Params={})
            quick().invoke(FunctionName="x")
            s3.encode("get_object")
        """,
    )

    assert found == {
        Made("room.module", "s3", "list_object_versions"),
        Made("room.module", "s3", "put_object"),
        Made("room.module", "lambda", "invoke"),
        Made("room.module", "cognito-idp", "list_users"),
    }


@pytest.mark.parametrize(
    "text",
    [
        'import boto3\nboto3.resource("s3").Bucket("x").delete()',
        "import boto3\nboto3.client(name).delete_bucket()",
        'boto3.client("s3").get_paginator(name)',
        "from predictor import bucket\nbucket.client().delete_bucket()",
        'from predictor.signed_request import Connection\nConnection("s3").ask("DELETE", "/")',
    ],
)
def test_use_of_boto3_that_hides_its_calls_is_not_understood(tmp_path, monkeypatch, text):
    with pytest.raises(NotUnderstood):
        write(tmp_path, monkeypatch, text)


def test_calls_that_cognito_takes_from_anybody_need_no_permission():
    assert needs_no_permission(Made("", "cognito-idp", "initiate_auth"))
    assert not needs_no_permission(Made("", "cognito-idp", "admin_initiate_auth"))
    assert not needs_no_permission(Made("", "s3", "get_object"))
