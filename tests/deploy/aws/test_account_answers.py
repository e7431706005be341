"""The target aws with functions that run: a zip, for the emulator runs no image. Somebody is invited, signs in with the
original tool's command, and is answered by the API; nobody else is.
"""

from dataclasses import replace

import boto3
import pytest

from deploy.aws.target import aws_target
from deploy.commands import options
from tests.deploy.aws.conftest import ENVIRONMENT, STACK, invoke, not_known
from tests.deploy.sending import send

pytestmark = pytest.mark.embedded
ADA, PASSWORD = "ada@example.org", "Analytical-Engine-1"


@pytest.fixture
def live(account, monkeypatch):
    """The outputs of a stack that is up; gone afterwards."""
    target = aws_target(environment=ENVIRONMENT)
    target = replace(target, parameters={**target.parameters, "PackageType": "Zip", "WithRegistry": "false"})
    monkeypatch.setattr(options, "find_target", lambda name, env, **named: target)
    result = invoke("up", "--yes", *not_known(account))
    assert result.exit_code == 0, result.output
    outputs = invoke("outputs", "--format", "env").output
    yield dict(line.split("=", 1) for line in outputs.splitlines())
    assert "Everything is gone." in invoke("down", input=f"{STACK}\n").output


def sign_in_for_the_first_time(outputs):
    """As the original tool's users do it: initiate-auth, then a password of one's own. Returns: the tokens"""
    users = boto3.client("cognito-idp")
    users.admin_set_user_password(
        UserPoolId=outputs["PORTICO_USER_POOL_ID"], Username=ADA, Password="Temporary-1-of-hers", Permanent=False
    )
    client = outputs["PORTICO_USER_POOL_PUBLIC_CLIENT_ID"]
    begun = users.initiate_auth(
        ClientId=client,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": ADA, "PASSWORD": "Temporary-1-of-hers"},
    )
    answered = users.respond_to_auth_challenge(
        ClientId=client,
        ChallengeName=begun["ChallengeName"],
        Session=begun["Session"],
        ChallengeResponses={"USERNAME": ADA, "NEW_PASSWORD": PASSWORD},
    )
    return answered["AuthenticationResult"]


def test_invited_person_signs_in_and_is_answered_by_the_api_and_nobody_else_is(live, account):
    assert invoke("users", "add", ADA, "--role", "predictor").exit_code == 0
    tokens = sign_in_for_the_first_time(live)
    api = live["PORTICO_API_URL"].partition("https://")[2].split(".")[0]
    url, body = f"{account}/_aws/execute-api/{api}/prod/nobody/singlePrediction", b'{"var_1": 1}'
    json = {"Content-Type": "application/json"}

    refused, _, _ = send("POST", url, body=body, headers=json)
    answered, _, said = send("POST", url, body=body, headers=json | {"Authorization": tokens["IdToken"]})

    assert refused == 401
    assert (answered, b"There is no model 'nobody'" in said) == (404, True), said
    assert invoke("users", "list").output.split()[:3] == [ADA, "predictor", "signs"]
