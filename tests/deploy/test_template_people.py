"""What the template makes of the people: the pool, its clients, its groups, keys for browsers."""

import pytest

from portal.accounts.roles import ROLES
from tests.deploy.reading import RESOURCES, of_type, properties

CLIENTS = ["UserPoolClient", "UserPoolPublicClient"]


def test_pool_takes_only_people_who_were_invited_and_knows_them_by_their_address():
    pool = properties("UserPool")

    assert pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is True
    assert pool["UsernameAttributes"] == pool["AutoVerifiedAttributes"] == ["email"]
    assert pool["UsernameConfiguration"] == {"CaseSensitive": False}
    assert pool["AccountRecoverySetting"] == {"RecoveryMechanisms": [{"Name": "verified_email", "Priority": 1}]}


def test_pool_keeps_an_address_until_the_next_one_is_verified():
    assert properties("UserPool")["UserAttributeUpdateSettings"] == {
        "AttributesRequireVerificationBeforeUpdate": ["email"]
    }


def test_pool_takes_long_passwords_and_codes_of_an_authenticator():
    pool = properties("UserPool")

    assert pool["Policies"]["PasswordPolicy"]["MinimumLength"] == 12
    assert (pool["MfaConfiguration"], pool["EnabledMfas"]) == ("OPTIONAL", ["SOFTWARE_TOKEN_MFA"])


def test_pool_is_protected_until_down_has_asked():
    assert properties("UserPool")["DeletionProtection"] == {"Fn::If": ["AreUsersProtected", "ACTIVE", "INACTIVE"]}
    assert (RESOURCES["UserPool"]["DeletionPolicy"], RESOURCES["UserPool"]["UpdateReplacePolicy"]) == (
        "Delete",
        "Retain",
    )


def test_invitation_says_where_who_and_with_what():
    text, words = properties("UserPool")["AdminCreateUserConfig"]["InviteMessageTemplate"]["EmailMessage"]["Fn::Sub"]

    assert all(part in text for part in ("${Page}", "{username}", "{####}"))
    assert words["Page"]["Fn::If"] == [
        "HasPage",
        {"Ref": "ApiCorsOrigin"},
        {"Fn::Select": [0, {"Ref": "PortalOrigin"}]},
    ]


@pytest.mark.parametrize("client", CLIENTS)
def test_client_tells_nobody_who_has_an_account_and_takes_tokens_back(client):
    given = properties(client)

    assert given["PreventUserExistenceErrors"] == "ENABLED"
    assert given["EnableTokenRevocation"] is True
    assert (given["IdTokenValidity"], given["AccessTokenValidity"], given["RefreshTokenValidity"]) == (60, 60, 12)
    assert given["TokenValidityUnits"] == {"IdToken": "minutes", "AccessToken": "minutes", "RefreshToken": "hours"}


def test_portal_s_client_has_a_secret_and_takes_codes_only():
    given = properties("UserPoolClient")

    assert given["GenerateSecret"] is True
    assert given["AllowedOAuthFlows"] == ["code"]
    assert given["AllowedOAuthScopes"] == ["openid", "email", "profile", "aws.cognito.signin.user.admin"]
    assert given["ExplicitAuthFlows"] == ["ALLOW_REFRESH_TOKEN_AUTH"]


def test_public_client_has_no_secret_and_takes_passwords():
    given = properties("UserPoolPublicClient")

    assert given["GenerateSecret"] is False
    assert set(given["ExplicitAuthFlows"]) == {
        "ALLOW_USER_PASSWORD_AUTH",
        "ALLOW_USER_SRP_AUTH",
        "ALLOW_REFRESH_TOKEN_AUTH",
    }
    assert not [name for name in given if "OAuth" in name]


def test_groups_are_the_portal_s_roles():
    groups = {group["Properties"]["GroupName"] for group in of_type("AWS::Cognito::UserPoolGroup").values()}

    assert groups == {role.replace(" ", "-") for role in ROLES}


def test_identity_pool_knows_the_signed_in_only_and_asks_whether_they_still_are():
    pool = properties("IdentityPool")

    assert (pool["AllowUnauthenticatedIdentities"], pool["AllowClassicFlow"]) == (False, False)
    assert pool["CognitoIdentityProviders"] == [
        {
            "ClientId": {"Ref": "UserPoolPublicClient"},
            "ProviderName": {"Fn::GetAtt": ["UserPool", "ProviderName"]},
            "ServerSideTokenCheck": True,
        }
    ]


def test_browser_s_folder_is_called_as_the_api_knows_its_caller():
    assert properties("IdentityPoolTags")["PrincipalTags"] == {"sub": "sub"}
    assert properties("IdentityPoolRoles")["Roles"] == {"authenticated": {"Fn::GetAtt": ["BrowserRole", "Arn"]}}


def test_managed_login_has_a_style_and_is_the_second_version():
    assert properties("UserPoolDomain")["ManagedLoginVersion"] == 2
    assert properties("UserPoolBranding")["UseCognitoProvidedValues"] is True
