"""What the template's user pool and the portal's sign-in have to agree on."""

import pytest
from django.urls import reverse

from portal.accounts.cognito.forms import PASSWORD_RULES
from portal.accounts.cognito.people import GROUPS
from portal.accounts.cognito.provider import SCOPES
from portal.accounts.cognito.urls import pages
from tests.deploy.reading import of_type, properties


class Addresses:
    """Those of managed login alone."""

    urlpatterns = pages(by_forms=False)


@pytest.mark.parametrize(("kind", "name"), [("CallbackURLs", "cognito_callback"), ("LogoutURLs", "account_login")])
def test_address_to_which_managed_login_leads_back_is_a_page_of_the_portal(kind, name):
    _, joined = properties("UserPoolClient")[kind]["Fn::Split"]
    last, others = joined["Fn::Sub"]
    between, origins = others["Origins"]["Fn::Join"]

    page = reverse(name, urlconf=Addresses)
    assert (last, between, origins) == (f"${{Origins}}{page}", f"{page},", {"Ref": "PortalOrigin"})


def test_groups_of_the_pool_are_those_that_give_roles():
    groups = {group["Properties"]["GroupName"] for group in of_type("AWS::Cognito::UserPoolGroup").values()}

    assert groups == set(GROUPS)


def test_clients_allow_what_the_portal_asks_of_them():
    portal, public = properties("UserPoolClient"), properties("UserPoolPublicClient")

    assert set(SCOPES) <= set(portal["AllowedOAuthScopes"])
    assert portal["GenerateSecret"] and "code" in portal["AllowedOAuthFlows"]
    assert not public["GenerateSecret"] and "ALLOW_USER_PASSWORD_AUTH" in public["ExplicitAuthFlows"]
    assert all("ALLOW_REFRESH_TOKEN_AUTH" in client["ExplicitAuthFlows"] for client in (portal, public))


def test_rules_for_passwords_on_the_portals_pages_are_the_pools():
    policy = properties("UserPool")["Policies"]["PasswordPolicy"]

    assert f"At least {policy['MinimumLength']} characters" in PASSWORD_RULES
    for kind, words in (("Lowercase", "small letter"), ("Uppercase", "capital letter"), ("Numbers", "digit")):
        assert policy[f"Require{kind}"] == (words in PASSWORD_RULES)
    assert not policy["RequireSymbols"]
