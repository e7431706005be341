import re

import pytest

from deploy.site.headers import policy_in_the_page, security_headers

CONFIG = {
    "apiUrl": "https://abc.execute-api.eu-central-1.amazonaws.com/prod",
    "endpoints": {
        "cognitoIdp": "https://cognito-idp.eu-central-1.amazonaws.com/",
        "cognitoIdentity": "https://cognito-identity.eu-central-1.amazonaws.com/",
        "s3": "https://bucket.s3.eu-central-1.amazonaws.com/",
    },
}


def directives(policy: str) -> dict[str, list[str]]:
    return {name: sources for name, *sources in (part.split() for part in policy.split("; "))}


def test_page_may_speak_to_the_stacks_endpoints_and_to_nobody_else():
    given = directives(security_headers(CONFIG, is_https=True)["Content-Security-Policy"])

    assert set(given["connect-src"]) == {"'self'", *CONFIG["endpoints"].values(), f"{CONFIG['apiUrl']}/"}


def test_endpoints_of_one_emulator_are_said_once():
    here = {"cognitoIdp": "http://a:1/", "cognitoIdentity": "http://a:1/", "s3": "http://a:1/b/"}

    given = directives(policy_in_the_page({"apiUrl": "http://a:1/x/prod", "endpoints": here}))

    assert given["connect-src"] == ["'self'", "http://a:1/", "http://a:1/b/", "http://a:1/x/prod/"]


def test_page_runs_its_own_files_only_and_nobody_frames_it():
    given = directives(security_headers(CONFIG, is_https=True)["Content-Security-Policy"])

    assert given["default-src"] == given["base-uri"] == given["form-action"] == given["frame-ancestors"] == ["'none'"]
    assert given["script-src"] == given["style-src"] == given["img-src"] == ["'self'"]
    assert not re.search(r"unsafe|\*|data:", str(given))


def test_policy_in_the_page_is_that_of_the_header_but_for_what_browsers_ignore_there():
    header = directives(security_headers(CONFIG, is_https=True)["Content-Security-Policy"])

    assert directives(policy_in_the_page(CONFIG)) == {
        name: sources for name, sources in header.items() if name != "frame-ancestors"
    }


@pytest.mark.parametrize("is_https", [True, False])
def test_browsers_are_told_to_stay_with_https_where_there_is_https(is_https: bool):
    given = security_headers(CONFIG, is_https=is_https)

    assert ("Strict-Transport-Security" in given) is is_https
    assert given["X-Content-Type-Options"] == "nosniff"
    assert given["Referrer-Policy"] == "no-referrer"
    assert "camera=()" in given["Permissions-Policy"]
