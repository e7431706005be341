"""The API behind a user pool, attacked: who has no good token is refused by the gateway, before a function is asked."""

import base64
import json
import time
import uuid
from dataclasses import dataclass, replace

import boto3
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from deploy.embedded.emulator import Emulator
from deploy.execute import execute_plan
from deploy.outputs import portal_environment
from deploy.plan import make_plan
from deploy.targets import EMULATOR_CREDENTIALS, embedded_target
from tests.conftest import Stack
from tests.deploy.publishing import publish
from tests.deploy.sending import send

pytestmark = [pytest.mark.embedded, pytest.mark.stack]  # LocalStack's free edition has no user pools

JSON = {"Content-Type": "application/json"}
ROW = {"a": 0.5, "b": -0.25}
JOB = f"batchPrediction/{uuid.UUID(int=7)}"
CALLS = [
    ("POST", "singlePrediction"),
    ("POST", "batchPrediction"),
    *((method, JOB) for method in ("GET", "DELETE", "PUT")),
]
# Nothing of the portal is there: whoever signs in brings a password of their own.
PASSWORD = "Twelve-or-more-1"
WATCHED = {
    "WithCognito": "true",
    "WithWatch": "true",
    "WithAccessLogs": "true",
    "WithGatewayRole": "true",
    "WithRegistry": "true",
    "AlarmEmail": "someone@example.org",
    "GitHubRepository": "owner/name",
    "GitHubOidcProviderArn": "arn:aws:iam::000000000000:oidc-provider/token.actions.githubusercontent.com",
    "PredictConcurrency": "4",
}


@pytest.fixture(scope="module")
def guarded(emulator: Emulator) -> Stack:
    """A stack of its own, with a user pool and with all else that the emulator knows; it has a model, "sum"."""
    target = embedded_target(emulator.endpoint, portal_origin="http://portal.test", environment="guarded")
    target = replace(target, parameters={**target.parameters, **WATCHED})
    outputs = execute_plan(target, make_plan(target), lambda *_: None)
    stack = Stack(target, outputs, {**EMULATOR_CREDENTIALS, **portal_environment(target, outputs)})
    rows = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "b": [0.0, 1.0, 0.0, 1.0]})
    publish(stack, "sum", LogisticRegression().fit(rows, ["no", "no", "yes", "yes"]))
    return stack


def administer(service, emulator: Emulator):
    return boto3.client(
        service,
        endpoint_url=emulator.endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


@pytest.fixture(scope="module")
def pools(emulator: Emulator):
    return administer("cognito-idp", emulator)


@pytest.fixture(scope="module")
def validating(guarded, emulator: Emulator):
    """The API with its validator at work: the emulator's CloudFormation leaves it out, though its gateway knows it."""
    gateway = administer("apigateway", emulator)
    api = guarded.outputs["ApiUrl"].removeprefix("https://").split(".")[0]
    validator = gateway.create_request_validator(restApiId=api, name="bodies", validateRequestBody=True)["id"]
    for resource in gateway.get_resources(restApiId=api, limit=500)["items"]:
        if "POST" in resource.get("resourceMethods", {}):
            gateway.update_method(
                restApiId=api,
                resourceId=resource["id"],
                httpMethod="POST",
                patchOperations=[{"op": "replace", "path": "/requestValidatorId", "value": validator}],
            )


@dataclass(frozen=True)
class Tokens:
    """Everything that a caller may try.

    Attributes: sub: the one that is good for the API is this person's
    """

    good: str
    sub: str
    access: str
    refresh: str
    expired: str
    foreign: str


@pytest.fixture(scope="module")
def tokens(guarded, pools) -> Tokens:
    pool, client = guarded.outputs["UserPoolId"], guarded.outputs["UserPoolPublicClientId"]
    answer = sign_in(pools, pool, client)
    brief = pools.create_user_pool_client(
        UserPoolId=pool,
        ClientName="brief",
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        IdTokenValidity=1,
        TokenValidityUnits={"IdToken": "seconds"},
    )["UserPoolClient"]["ClientId"]
    expired = sign_in(pools, pool, brief)["IdToken"]
    other = pools.create_user_pool(PoolName="other", UsernameAttributes=["email"])["UserPool"]["Id"]
    theirs = pools.create_user_pool_client(
        UserPoolId=other, ClientName="c", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    )["UserPoolClient"]["ClientId"]
    foreign = sign_in(pools, other, theirs)["IdToken"]
    time.sleep(max(0.0, claims_of(expired)["exp"] - time.time() + 1))
    good = answer["IdToken"]
    return Tokens(good, claims_of(good)["sub"], answer["AccessToken"], answer["RefreshToken"], expired, foreign)


def sign_in(pools, pool, client):
    """Someone invited who has taken a password of their own signs in, as the original tool's users do."""
    name = "ada@example.org"
    if not pools.list_users(UserPoolId=pool)["Users"]:
        pools.admin_create_user(UserPoolId=pool, Username=name, MessageAction="SUPPRESS")
        pools.admin_set_user_password(UserPoolId=pool, Username=name, Password=PASSWORD, Permanent=True)
    return pools.initiate_auth(
        ClientId=client,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": name, "PASSWORD": PASSWORD},
    )["AuthenticationResult"]


def parts_of(token):
    return [json.loads(base64.urlsafe_b64decode(part + "==")) for part in token.split(".")[:2]]


def claims_of(token):
    return parts_of(token)[1]


def written(part):
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def call(stack, method, path, token=None, body=b"{}"):
    headers = JSON | ({"Authorization": token} if token else {})
    status, answered, content = send(
        method, f"{stack.environment['PORTICO_API_URL']}/{path}", body=body, headers=headers
    )
    return status, answered, json.loads(content) if content else {}


def of_somebody_else(tokens):
    header, claims = parts_of(tokens.good)
    return f"{written(header)}.{written(claims | {'sub': str(uuid.uuid4())})}.{tokens.good.split('.')[2]}"


def unsigned(tokens):
    header, claims = parts_of(tokens.good)
    return f"{written(header | {'alg': 'none'})}.{written(claims)}."


def of_an_unknown_key(tokens):
    header, claims = parts_of(tokens.good)
    return f"{written(header | {'kid': 'another'})}.{written(claims)}.{tokens.good.split('.')[2]}"


def from_another_issuer(tokens):
    header, claims = parts_of(tokens.good)
    return f"{written(header)}.{written(claims | {'iss': 'https://elsewhere.test'})}.{tokens.good.split('.')[2]}"


ATTACKS = {
    "no token": lambda tokens: None,
    "junk": lambda tokens: "junk",
    "three parts of junk": lambda tokens: "a.b.c",
    "expired": lambda tokens: tokens.expired,
    "of another pool": lambda tokens: tokens.foreign,
    "of another issuer": from_another_issuer,
    "made out to somebody else": of_somebody_else,
    "without a signature": unsigned,
    "signed by an unknown key": of_an_unknown_key,
    "with half a signature": lambda tokens: tokens.good[:-200],
    "twice": lambda tokens: f"{tokens.good}, {tokens.good}",
}


@pytest.mark.parametrize("model_path", ["", "sum/"])
@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize("attack", ATTACKS)
def test_call_without_a_good_token_is_a_401_of_the_gateway(guarded, tokens, attack, method, path, model_path):
    status, headers, answer = call(guarded, method, model_path + path, ATTACKS[attack](tokens))

    assert status == 401
    assert "X-Request-Id" not in headers  # the function gives one to every answer
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert list(answer) == ["message"]


@pytest.mark.parametrize("model_path", ["", "sum/"])
@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_another_token_of_the_same_person_is_a_401_of_whoever_sees_it_first(
    guarded, tokens, kind, method, path, model_path
):
    """On AWS the gateway; the emulator lets both through, and the function does not."""
    body = json.dumps({"fileKey": f"{tokens.sub}/1_a.csv"}).encode()

    status, _, answer = call(guarded, method, model_path + path, getattr(tokens, kind), body)

    assert (status, list(answer)) == (401, ["message"])


def test_row_is_predicted_for_whoever_has_a_good_token(guarded, tokens):
    status, headers, answer = call(guarded, "POST", "sum/singlePrediction", tokens.good, json.dumps(ROW).encode())

    assert (status, headers["X-Model-Version"]) == (200, "sum/1")
    assert 0 < answer["pred_proba"] < 1


def test_file_is_scored_in_the_folder_of_whoever_has_a_good_token(guarded, tokens):
    key = f"{tokens.sub}/1_rows.csv"
    guarded.target.s3.put_object(Bucket=guarded.bucket, Key=key, Body=b"a,b\n0.5,-0.25\n")

    status, _, answer = call(guarded, "POST", "sum/batchPrediction", tokens.good, json.dumps({"fileKey": key}).encode())

    assert status == 200
    assert b"predicted_probability_1" in send("GET", answer["downloadLink"])[2]


@pytest.mark.parametrize("folder", ["ada", "models", str(uuid.UUID(int=1))])
def test_file_in_another_folder_is_refused_whoever_asks(guarded, tokens, folder):
    body = json.dumps({"fileKey": f"{folder}/1_rows.csv"}).encode()

    status, _, answer = call(guarded, "POST", "sum/batchPrediction", tokens.good, body)

    assert (status, answer["message"]) == (400, "fileKey must lie inside your own folder.")


@pytest.mark.parametrize("path", ["singlePrediction", "batchPrediction", JOB, f"penguins/{JOB}"])
def test_preflight_needs_no_token(guarded, path):
    assert send("OPTIONS", f"{guarded.environment['PORTICO_API_URL']}/{path}")[0] == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("singlePrediction", b"not json"),
        ("singlePrediction", b"[1, 2]"),
        ("batchPrediction", b"{}"),
        ("batchPrediction", json.dumps({"fileKey": "a/" + "b" * 900}).encode()),
        ("sum/batchPrediction", b'{"fileKey": 3}'),
    ],
)
def test_body_that_no_call_takes_is_refused_by_the_gateway_in_a_sentence(guarded, validating, tokens, path, body):
    status, headers, answer = call(guarded, "POST", path, tokens.good, body)

    assert (status, list(answer)) == (400, ["message"])
    assert answer["message"].startswith("The body must be a JSON object")
    assert "X-Request-Id" not in headers


def test_row_of_odd_values_is_refused_by_the_function_in_the_original_tool_s_words(guarded, validating, tokens):
    status, headers, answer = call(guarded, "POST", "sum/singlePrediction", tokens.good, b'{"a": "x", "b": [1]}')

    assert status == 400
    assert answer["message"].startswith("Error-Bad input values in: ['a', 'b']")
    assert headers["X-Request-Id"]


def test_stack_with_everything_that_the_emulator_knows_is_planned_again_as_nothing(guarded):
    assert make_plan(guarded.target).is_empty


def test_service_goes_and_comes_back_while_what_keeps_data_stays(guarded, pools):
    """Last, as the API is another one afterwards."""
    kept = ("BucketName", "RepositoryUri", "UserPoolId", "UserPoolClientId", "IdentityPoolId")
    target, people = guarded.target, {"UserPoolId": guarded.outputs["UserPoolId"]}
    pools.admin_create_user(**people, Username="kept@example.org", MessageAction="SUPPRESS")

    foundation = execute_plan(target, make_plan(target, with_service=False), lambda *_: None)
    whole = execute_plan(target, make_plan(target), lambda *_: None)

    assert "ApiUrl" not in foundation and "PredictFunctionName" not in foundation
    assert {name: foundation[name] for name in kept} == {name: guarded.outputs[name] for name in kept}
    assert {name: whole[name] for name in kept} == {name: guarded.outputs[name] for name in kept}
    assert set(whole) == set(guarded.outputs)
    assert pools.admin_get_user(**people, Username="kept@example.org")["Enabled"]
