"""What `make up` makes of a stack with a user pool, and of one without."""

from pathlib import Path

import pytest

from deploy.console import console
from deploy.embedded import run, starting
from deploy.embedded.portal import FirstLogin
from deploy.embedded.starting import RunningPortico
from deploy.state import StateFolder
from tests.deploy.site.test_export import OUTPUTS

PAGE = "http://localhost:8001/site/"


class Running:
    endpoint = "http://127.0.0.1:1"


def find_target(monkeypatch, folder: Path, *, outputs: dict[str, str], site_port: int | None):
    stack = {"Outputs": [{"OutputKey": name, "OutputValue": value} for name, value in outputs.items()]}
    monkeypatch.setattr(starting, "describe_stack", lambda target: stack)
    return starting._find_target(StateFolder(folder), Running(), portal_port=8000, site_port=site_port)


def test_stack_with_a_user_pool_lets_in_the_pages_origin_and_no_other(monkeypatch, tmp_path: Path):
    target = find_target(monkeypatch, tmp_path, outputs=OUTPUTS, site_port=8001)

    assert target.parameters["ApiCorsOrigin"] == "http://localhost:8001"
    assert target.parameters["PortalOrigin"] == "http://127.0.0.1:8000,http://localhost:8000"


@pytest.mark.parametrize(("outputs", "site_port"), [({"BucketName": "b"}, 8001), (OUTPUTS, None)])
def test_stack_keeps_whom_it_lets_in_where_no_page_is_served(monkeypatch, tmp_path: Path, outputs, site_port):
    target = find_target(monkeypatch, tmp_path, outputs=outputs, site_port=site_port)

    assert "ApiCorsOrigin" not in target.parameters


@pytest.mark.parametrize("site_url", [PAGE, None])
def test_start_says_where_the_page_is_if_there_is_one(tmp_path: Path, site_url: str | None):
    login = FirstLogin("admin", None)
    portico = RunningPortico("http://127.0.0.1:8000", login, Running(), {}, site_url)

    with console.capture() as said:
        run._welcome(StateFolder(tmp_path), portico, 1.0)

    assert (f"Published page  {PAGE}" in said.get()) is (site_url is not None)


def test_page_has_a_port_of_its_own_where_the_portal_has_its():
    assert run.choose_site_port(portal_port=run.SITE_PORT) != run.SITE_PORT
