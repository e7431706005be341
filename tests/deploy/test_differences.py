"""Where each emulator differs from AWS, found out by asking it: the README's table is held to this.

A row is a fact about AWS. The probe returns whether the place behaves so; DIFFERS says where it does not.
"""

import json
import re
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.deploy.sending import send

README = Path(__file__).parents[2] / "README.md"
ROW = {"var_1": 1.2, "var_2": -0.3, "var_3": 0.5, "var_4": 0.1}
UNKNOWN_JOB = {"batch": str(uuid.UUID(int=7)), "user": "1", "model": "nobody", "version": 1, "sha256": "0" * 64}


def holds_roles(stack):
    """A role that may only read quarantine is refused a write elsewhere."""
    resource = stack.target.cloudformation.describe_stack_resource(
        StackName=stack.target.stack_name, LogicalResourceId="VerifyRole"
    )["StackResourceDetail"]
    arn = f"arn:aws:iam::000000000000:role/{resource['PhysicalResourceId']}"
    keys = boto3.client("sts").assume_role(RoleArn=arn, RoleSessionName="probe")["Credentials"]
    s3 = boto3.client(
        "s3",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    return is_refused(lambda: s3.put_object(Bucket=stack.bucket, Key="models/probe", Body=b"x"))


def holds_bucket_policy(stack):
    """The bucket's policy wants TLS, and the emulators are asked without."""
    return is_refused(lambda: stack.target.s3.list_objects_v2(Bucket=stack.bucket))


def holds_cors(stack):
    """A page of another origin is not told that it may post to the bucket."""
    headers = {"Origin": "http://elsewhere.test", "Access-Control-Request-Method": "POST"}
    _, answered, _ = send("OPTIONS", f"{stack.target.endpoint_url}/{stack.bucket}", headers=headers)
    return answered.get("Access-Control-Allow-Origin") is None


def holds_condition_on_put(stack):
    key, s3 = f"quarantine/{uuid.uuid4()}", stack.target.s3
    s3.put_object(Bucket=stack.bucket, Key=key, Body=b"first", IfNoneMatch="*")
    return is_refused(lambda: s3.put_object(Bucket=stack.bucket, Key=key, Body=b"second", IfNoneMatch="*"))


def holds_condition_on_copy(stack):
    source, taken, s3 = f"quarantine/{uuid.uuid4()}", f"quarantine/{uuid.uuid4()}", stack.target.s3
    for key in (source, taken):
        s3.put_object(Bucket=stack.bucket, Key=key, Body=key.encode())
    copy = {"Bucket": stack.bucket, "Key": source}
    return is_refused(lambda: s3.copy_object(Bucket=stack.bucket, Key=taken, CopySource=copy, IfNoneMatch="*"))


def refuses_expired_links(stack):
    key = f"quarantine/{uuid.uuid4()}"
    stack.target.s3.put_object(Bucket=stack.bucket, Key=key, Body=b"x")
    asked = {"Bucket": stack.bucket, "Key": key}
    link = stack.target.s3.generate_presigned_url("get_object", Params=asked, ExpiresIn=1)
    time.sleep(2.1)
    return send("GET", link)[0] == 403


def refuses_forged_links(stack):
    key = f"quarantine/{uuid.uuid4()}"
    stack.target.s3.put_object(Bucket=stack.bucket, Key=key, Body=b"x")
    asked = {"Bucket": stack.bucket, "Key": key}
    link = stack.target.s3.generate_presigned_url("get_object", Params=asked, ExpiresIn=60)
    return send("GET", re.sub(r"(Signature=)[^&]+", r"\g<1>forged", link))[0] == 403


def throttles_api(stack):
    """The stage allows bursts of 100 calls; here come 160 of them at once, none of which reaches the function."""
    url = f"{stack.environment['PORTICO_API_URL']}/singlePrediction"
    with ThreadPoolExecutor(40) as pool:
        statuses = list(pool.map(lambda _: send("OPTIONS", url)[0], range(160)))
    return 429 in statuses


def passes_form_bodies_on(stack):
    """`curl -d` without a content type says that its body is a form; the function reads it all the same."""
    url = f"{stack.environment['PORTICO_API_URL']}/nobody/singlePrediction"
    _, _, body = send(
        "POST", url, body=json.dumps(ROW).encode(), headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    return "nobody" in json.loads(body)["message"]


def looks_at_bodies(stack):
    """A list is no body of a call, and the function, which would say so too, is not asked."""
    url = f"{stack.environment['PORTICO_API_URL']}/singlePrediction"
    status, headers, _ = send("POST", url, body=b"[]", headers={"Content-Type": "application/json"})
    return status == 400 and "X-Request-Id" not in headers


def words_refusals_as_the_template_says(stack):
    """A path that is not there: our message, readable by the pages of any origin."""
    _, headers, body = send("POST", f"{stack.environment['PORTICO_API_URL']}/elsewhere", body=b"{}")
    return json.loads(body) == {"message": "Unknown API call"} and headers["Access-Control-Allow-Origin"] == "*"


def keeps_names_of_exceptions(stack):
    """What a function raises reaches Step Functions under the name of its class."""
    machine = boto3.client("stepfunctions")
    started = machine.start_execution(
        stateMachineArn=stack.outputs["BatchStateMachineArn"], input=json.dumps({"job": UNKNOWN_JOB})
    )
    deadline = time.monotonic() + 60
    while machine.describe_execution(executionArn=started["executionArn"])["status"] == "RUNNING":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    events = machine.get_execution_history(executionArn=started["executionArn"])["events"]
    return "BatchRefused" in {event.get("taskFailedEventDetails", {}).get("error") for event in events}


def has_user_pools(stack):
    pools = boto3.client("cognito-idp")
    try:
        pool = pools.create_user_pool(PoolName="probe")["UserPool"]["Id"]
    except (ClientError, BotoCoreError):
        return False
    pools.delete_user_pool(UserPoolId=pool)
    return True


def refuses_access_tokens(stack):
    """An API that answers with nothing, to whoever has signed in: by the ID token, not by the access token."""
    pools, gateway = boto3.client("cognito-idp"), boto3.client("apigateway")
    try:
        pool = pools.create_user_pool(PoolName="probe")["UserPool"]
    except (ClientError, BotoCoreError):
        return False
    api = _api_for(gateway, pool["Arn"])
    tokens = _tokens_of(pools, pool["Id"])
    url = f"{stack.target.endpoint_url}/_aws/execute-api/{api}/probe/"
    statuses = [send("GET", url, headers={"Authorization": tokens[name]})[0] for name in ("IdToken", "AccessToken")]
    gateway.delete_rest_api(restApiId=api)
    pools.delete_user_pool(UserPoolId=pool["Id"])
    return statuses == [200, 401]


def _api_for(gateway, pool):
    api = gateway.create_rest_api(name="probe")
    method = {"restApiId": api["id"], "resourceId": api["rootResourceId"], "httpMethod": "GET"}
    authorizer = gateway.create_authorizer(
        restApiId=api["id"],
        name="people",
        type="COGNITO_USER_POOLS",
        providerARNs=[pool],
        identitySource="method.request.header.Authorization",
    )
    gateway.put_method(**method, authorizationType="COGNITO_USER_POOLS", authorizerId=authorizer["id"])
    gateway.put_integration(**method, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    gateway.put_method_response(**method, statusCode="200")
    gateway.put_integration_response(**method, statusCode="200", responseTemplates={})
    gateway.create_deployment(restApiId=api["id"], stageName="probe")
    return api["id"]


def _tokens_of(pools, pool):
    flows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    client = pools.create_user_pool_client(UserPoolId=pool, ClientName="probe", ExplicitAuthFlows=flows)
    word = "Some-password-1"
    pools.admin_create_user(UserPoolId=pool, Username="ada", MessageAction="SUPPRESS")
    pools.admin_set_user_password(UserPoolId=pool, Username="ada", Password=word, Permanent=True)
    return pools.initiate_auth(
        ClientId=client["UserPoolClient"]["ClientId"],
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "ada", "PASSWORD": word},
    )["AuthenticationResult"]


PROBES = {
    "roles are enforced": holds_roles,
    "the bucket's policy (TLS only) is enforced": holds_bucket_policy,
    "the bucket's CORS rule is enforced": holds_cors,
    "`If-None-Match: *` holds for uploads": holds_condition_on_put,
    "`If-None-Match: *` holds for copies": holds_condition_on_copy,
    "a presigned link ends when it expires": refuses_expired_links,
    "a presigned link with a forged signature is refused": refuses_forged_links,
    "the API throttles": throttles_api,
    "the API passes form-encoded bodies on": passes_form_bodies_on,
    "the API looks at bodies before a function is asked": looks_at_bodies,
    "the API's own refusals are worded as the template says": words_refusals_as_the_template_says,
    "Step Functions sees the class of a function's exception": keeps_names_of_exceptions,
    "Cognito user pools": has_user_pools,
    "the API refuses access tokens and takes ID tokens": refuses_access_tokens,
}


@pytest.mark.parametrize("fact", PROBES)
def test_place_behaves_as_the_readme_s_table_says(stack, stack_environment, fact):
    assert PROBES[fact](stack) == documented()[fact][stack.target.name]


def test_readme_s_table_has_a_row_for_each_probe_and_no_other():
    assert list(documented()) == list(PROBES)


def documented():
    """The README's table: fact → place → whether it is as on AWS there."""
    _, _, rest = README.read_text("utf-8").partition("| on AWS | `embedded` | `localstack` |\n|---|---|---|\n")
    rows = [line.strip("| ").split(" | ") for line in rest.partition("\n\n")[0].splitlines()]
    return {row[0]: {"embedded": row[1].startswith("yes"), "localstack": row[2].startswith("yes")} for row in rows}


def is_refused(call):
    try:
        call()
    except ClientError:
        return True
    return False
