"""The matrix asked of an emulator that enforces policies; where it is known to be wrong, it must be still."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from tests.containers.emulated_iam import EmulatedIam, can_be_asked, running_emulator
from tests.policies.matrix import CASES, PARTS, Case
from tests.policies.matrix.exceptions import MISTAKES
from tests.policies.stack import make_stack

# The emulator's certificate is nobody's.
pytestmark = [pytest.mark.containers, pytest.mark.filterwarnings("ignore:Unverified HTTPS request")]

ROLES = [part for part in PARTS if any(can_be_asked(case) for case in part.cases())]


@pytest.fixture(scope="module")
def emulator(docker_engine: None) -> Iterator[EmulatedIam]:
    with running_emulator() as running:
        yield running


@pytest.mark.parametrize("part", ROLES, ids=lambda part: part.title)
def test_emulator_that_enforces_policies_answers_as_the_table_says(emulator, part):
    asked = [case for case in part.cases() if can_be_asked(case) and mistake(case) is None]

    wrong = [f"{case}: {case.why}" for case in asked if emulator.answers(case) != case.is_allowed]

    assert wrong == []


@pytest.mark.parametrize("kind", MISTAKES)
def test_known_mistake_of_the_emulator_is_still_made(emulator, kind):
    cases = [case for case in CASES if can_be_asked(case) and mistake(case) == kind]

    mended = [str(case) for case in cases if emulator.answers(case) == case.is_allowed]

    assert cases
    assert mended == []


def test_emulator_refuses_every_form_that_the_portal_signs(emulator):
    form = emulator.client("s3", "PortalRole").generate_presigned_post(emulator.bucket, "quarantine/x")
    body, boundary = [], "1f0c"
    for name, value in [*form["fields"].items(), ("file", "x")]:
        body += [f"--{boundary}", f'Content-Disposition: form-data; name="{name}"', "", value]
    content = "\r\n".join([*body, f"--{boundary}--", ""]).encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    request = urllib.request.Request(form["url"], content, headers)  # noqa: S310  # our own address

    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=30, context=emulator.tls)  # noqa: S310

    assert refused.value.code == 403
    refused.value.close()


def test_most_of_the_table_is_asked():
    stack = make_stack()
    of_roles = [case for case in CASES if case.who in stack.roles]

    assert len([case for case in of_roles if can_be_asked(case)]) > 0.6 * len(of_roles)


def mistake(case: Case) -> str | None:
    return next((kind for kind, applies in MISTAKES.items() if applies(case)), None)
