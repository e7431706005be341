"""People in the user pool: on an emulated pool, and where Cognito would send mail, by botocore's stubs."""

import re
from dataclasses import replace
from datetime import datetime

import pytest
from click.testing import CliRunner

from deploy.cli import main
from deploy.commands import options
from deploy.errors import DeployError
from deploy.execute import execute_plan
from deploy.package import build_package
from deploy.plan import make_plan
from deploy.removal import delete_everything
from deploy.targets import embedded_target
from deploy.users import Pool, check_email, make_password
from tests.deploy.as_written import assert_as_written
from tests.deploy.aws.conftest import sign_in
from tests.deploy.aws.stubs import answering, stack, stubbed

pytestmark = pytest.mark.embedded
ADA = "ada@example.org"


def no_report(verb, resource, detail):
    pass


@pytest.fixture(scope="module")
def target(emulator, tmp_path_factory):
    """A stack with a user pool; its functions do nothing."""
    folder = tmp_path_factory.mktemp("code") / "predictor"
    folder.mkdir()
    (folder / "handler.py").write_text("def handle(event, context): return {}\nverify = handle\n")
    target = replace(
        embedded_target(emulator.endpoint), environment="people", chosen_parameters={"WithCognito": "true"}
    )
    execute_plan(target, make_plan(target, build_package(folder)), no_report)
    yield target
    delete_everything(target, no_report)


@pytest.fixture
def run(target, monkeypatch):
    monkeypatch.setattr(options, "find_target", lambda name, env, **named: target)
    return lambda *arguments: CliRunner().invoke(main, ["users", *arguments, "--target", "embedded"])


@pytest.fixture
def pool(target):
    """Nobody is in it, before and after."""
    pool = Pool.of(target)
    yield pool
    for user in target.users.list_users(UserPoolId=pool.pool_id)["Users"]:
        target.users.admin_delete_user(UserPoolId=pool.pool_id, Username=user["Username"])


def start_session(pool, password, target):
    clients = target.users.list_user_pool_clients(UserPoolId=pool.pool_id)["UserPoolClients"]
    client = next(each["ClientId"] for each in clients if "portal" not in each["ClientName"].split("-")[-1:])
    return target.users.initiate_auth(
        ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters={"USERNAME": ADA, "PASSWORD": password}
    )


def printed_password(output):
    return re.search(r"^  (\S{20})$", output, re.MULTILINE).group(1)


def test_added_person_has_a_role_and_a_password_that_must_be_changed(run, pool, target):
    result = run("add", "Ada@Example.org", "--role", "predictor")

    (person,) = pool.list()
    assert result.exit_code == 0
    assert (person.email, person.roles, person.state, person.is_enabled) == (ADA, ("predictor",), "invited", True)
    answer = start_session(pool, printed_password(result.output), target)
    assert answer["ChallengeName"] == "NEW_PASSWORD_REQUIRED"


def test_person_that_is_there_already_is_told_so_and_keeps_the_role(run, pool):
    pool.add(ADA, "viewer")

    result = run("add", ADA, "--role", "admin")

    assert result.exit_code == 1
    assert "ada@example.org has an account already; its role was left as it is." in result.output
    assert pool.list()[0].roles == ("viewer",)


def test_role_that_is_given_takes_the_one_before_away(run, pool):
    pool.add(ADA, "viewer")

    assert run("role", ADA, "--role", "model-owner").exit_code == 0

    assert pool.list()[0].roles == ("model-owner",)


NO_ADDRESSES = ["ada", "ada@", "@example.org", "ada@example", "a b@example.org", "ada@ex..org", "a@-x.org"]


@pytest.mark.parametrize("text", NO_ADDRESSES)
def test_text_that_is_no_address_is_refused(text):
    with pytest.raises(DeployError, match="is no e-mail address"):
        check_email(text)


@pytest.mark.parametrize("text", ["ada@example.org", " Ada.Lovelace+x@Mail.Example.co.uk ", "o'hara@example.org"])
def test_address_is_kept_in_small_letters(text):
    assert check_email(text) == text.strip().lower()


def test_disabled_person_cannot_sign_in_until_enabled(run, pool, target):
    password = pool.add(ADA, "viewer")

    run("disable", ADA)
    with pytest.raises(target.users.exceptions.NotAuthorizedException):
        start_session(pool, password, target)
    run("enable", ADA)

    assert start_session(pool, password, target)["ChallengeName"] == "NEW_PASSWORD_REQUIRED"


def test_invitation_that_is_sent_again_has_another_password(run, pool, target):
    before = pool.add(ADA, "viewer")

    after = printed_password(run("resend", ADA).output)

    with pytest.raises(target.users.exceptions.NotAuthorizedException):
        start_session(pool, before, target)
    assert start_session(pool, after, target)["ChallengeName"] == "NEW_PASSWORD_REQUIRED"


def test_reset_password_counts_no_more(run, pool, target):
    pool.add(ADA, "viewer")
    target.users.admin_set_user_password(
        UserPoolId=pool.pool_id, Username=ADA, Password="Something-of-hers-1", Permanent=True
    )

    after = printed_password(run("reset", ADA).output)

    with pytest.raises(target.users.exceptions.NotAuthorizedException):
        start_session(pool, "Something-of-hers-1", target)
    assert start_session(pool, after, target)["ChallengeName"] == "NEW_PASSWORD_REQUIRED"


def test_invitation_of_somebody_who_has_signed_in_names_the_right_command(run, pool, target):
    pool.add(ADA, "viewer")
    target.users.admin_set_user_password(
        UserPoolId=pool.pool_id, Username=ADA, Password="Something-of-hers-1", Permanent=True
    )

    result = run("resend", ADA)

    assert result.exit_code == 1
    assert f"users reset {ADA} --target embedded" in result.output


@pytest.mark.parametrize("command", ["disable", "enable", "resend", "reset"])
def test_command_about_nobody_says_so(run, pool, command):
    result = run(command, "nobody@example.org")

    assert result.exit_code == 1
    assert "Nobody here has the address nobody@example.org." in result.output


def test_list_is_as_written(run, pool):
    pool.add("grace@example.org", "admin")
    pool.add(ADA, "predictor")
    pool.add("charles.babbage@example.org", "model-owner")
    pool.disable("charles.babbage@example.org")

    assert_as_written("users-list", run("list").output)


def test_list_of_nobody_says_how_to_invite_somebody(run, pool):
    assert "Nobody yet. Invite somebody: python -m deploy users add EMAIL --role admin" in run("list").output


def test_stack_without_a_pool_says_where_accounts_are(stack):
    with pytest.raises(DeployError, match="has no user pool: people have accounts in the portal itself"):
        Pool.of(stack.target)


def test_temporary_password_has_every_kind_of_character():
    password = make_password()

    assert len(password) == 20
    assert all(re.search(kind, password) for kind in ("[a-z]", "[A-Z]", "[0-9]", r"[-!_.]"))
    assert password != make_password()


# On AWS, where Cognito sends the mail ------------------------------------------------------------------------------
POOL = "eu-central-1_AbCdEfGhI"
USER = {"Username": "1", "UserStatus": "FORCE_CHANGE_PASSWORD", "Enabled": True}


@pytest.fixture
def account(monkeypatch):
    sign_in(monkeypatch)
    target = stubbed()
    with answering(target.cloudformation, ("describe_stacks", stack("UPDATE_COMPLETE", outputs={"UserPoolId": POOL}))):
        pool = Pool.of(target)
    return pool


def test_invitation_on_aws_is_cognito_s_mail_and_nobody_sees_the_password(account):
    asked = {
        "UserPoolId": POOL,
        "Username": ADA,
        "UserAttributes": [{"Name": "email", "Value": ADA}, {"Name": "email_verified", "Value": "true"}],
        "DesiredDeliveryMediums": ["EMAIL"],
    }
    group = {"UserPoolId": POOL, "Username": ADA, "GroupName": "viewer"}
    with answering(
        account.target.users, ("admin_create_user", {"User": USER}, asked), ("admin_add_user_to_group", {}, group)
    ):
        assert account.add(ADA, "viewer") is None


def test_invitation_that_is_sent_again_on_aws_is_cognito_s_mail(account):
    asked = {"UserPoolId": POOL, "Username": ADA, "MessageAction": "RESEND", "DesiredDeliveryMediums": ["EMAIL"]}
    with answering(account.target.users, ("admin_get_user", USER), ("admin_create_user", {"User": USER}, asked)):
        assert account.resend(ADA) is None


def test_reset_on_aws_has_cognito_mail_a_code(account):
    asked = {"UserPoolId": POOL, "Username": ADA}
    with answering(
        account.target.users,
        ("admin_get_user", USER | {"UserStatus": "CONFIRMED"}),
        ("admin_reset_user_password", {}, asked),
    ):
        assert account.reset(ADA) is None


def test_reset_on_aws_of_somebody_who_never_signed_in_names_the_right_command(account):
    with (
        answering(account.target.users, ("admin_get_user", USER)),
        pytest.raises(DeployError, match=f"users resend {ADA} --target aws"),
    ):
        account.reset(ADA)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("CodeDeliveryFailureException", "could not send a mail to ada@example.org"),
        ("LimitExceededException", r"as many mails as it does in a day without Amazon SES \(50\)"),
        ("ResourceNotFoundException", "has no group of that name"),
    ],
)
def test_mail_that_cannot_be_sent_is_told_in_words(account, code, told):
    with answering(account.target.users, ("admin_create_user", code, "x")), pytest.raises(DeployError, match=told):
        account.add(ADA, "viewer")


def test_person_on_aws_is_read_with_the_day_of_the_account(account):
    user = {
        "Username": "1",
        "Attributes": [{"Name": "email", "Value": ADA}],
        "UserCreateDate": datetime(2026, 11, 29, 12),
        "Enabled": False,
        "UserStatus": "CONFIRMED",
    }
    with answering(
        account.target.users,
        ("list_users", {"Users": [user]}),
        ("admin_list_groups_for_user", {"Groups": [{"GroupName": "admin"}]}),
    ):
        (person,) = account.list()

    assert (person.email, person.roles, person.is_enabled, person.state) == (ADA, ("admin",), False, "signs in")
    assert person.since.isoformat() == "2026-11-29"
