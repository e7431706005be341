"""The page's server on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from wsgiref.util import setup_testing_defaults

import pytest

from deploy.embedded.ports import find_free_port
from deploy.embedded.processes import Supervisor
from deploy.embedded.site import serve_site
from deploy.errors import DeployError
from deploy.site.export import write_site
from deploy.site.serving import make_app
from tests.deploy.sending import send
from tests.deploy.site.test_export import CONFIG

HERE = {**CONFIG, "apiUrl": "http://127.0.0.1:1/_aws/execute-api/abc/prod"}


@pytest.fixture
def ask(tmp_path: Path):
    """Asks the application; gives status, headers, body."""
    folder = write_site(HERE, tmp_path / "site").folder
    app = make_app(str(folder))

    def get(path: str, host: str = "localhost:8001"):
        environ = {"PATH_INFO": path, "HTTP_HOST": host, "REQUEST_METHOD": "GET", "SERVER_PORT": "8001"}
        setup_testing_defaults(environ)
        said = []
        answer = app(environ, lambda status, headers: said.append((status, dict(headers))))
        body = b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
        return int(said[0][0].split()[0]), said[0][1], body

    get.folder = folder
    return get


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/site/", "text/html"),
        ("/site/js/session.js", "text/javascript"),
        ("/site/portico/css/base.css", "text/css"),
        ("/site/portico/logo.svg", "image/svg+xml"),
        ("/site/config.json", "application/json"),
    ],
)
def test_file_is_served_as_what_it_is_with_the_headers_of_all(ask, path: str, kind: str):
    status, headers, body = ask(path)

    assert (status, headers["Content-Type"].partition(";")[0]) == (200, kind)
    assert body
    assert "connect-src 'self' " in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-cache"
    assert "Access-Control-Allow-Origin" not in headers
    assert "Strict-Transport-Security" not in headers


@pytest.mark.parametrize("path", ["/site/none.js", "/site/../state.py", "/elsewhere", "/site/js/"])
def test_what_is_not_of_the_page_is_not_found(ask, path: str):
    assert ask(path)[0] == 404


@pytest.mark.parametrize("path", ["/", "/site"])
def test_address_without_the_page_leads_to_it(ask, path: str):
    status, headers, _ = ask(path)

    assert (status, headers["Location"].rpartition("localhost:8001")[2]) == (302, "/site/")


def test_other_name_of_this_machine_leads_to_the_one_that_the_api_knows(ask):
    status, headers, _ = ask("/site/", host="127.0.0.1:8001")

    assert (status, headers["Location"]) == (302, "http://localhost:8001/site/")


def test_page_that_is_made_again_meanwhile_is_served(ask):
    assert json.loads(ask("/site/config.json")[2])["models"] is None

    write_site({**HERE, "models": ["penguins"]}, ask.folder)

    assert json.loads(ask("/site/config.json")[2])["models"] == ["penguins"]


def test_server_answers_once_it_is_started(tmp_path: Path):
    folder = write_site(HERE, tmp_path / "a folder's").folder
    with Supervisor(is_quiet=True) as supervisor:
        url = serve_site(supervisor, folder, find_free_port())

        assert send("GET", url)[0] == 200


def test_server_that_cannot_start_is_told_with_its_last_words(tmp_path: Path):
    with Supervisor(is_quiet=True) as supervisor, pytest.raises(DeployError, match="server ended with code"):
        serve_site(supervisor, tmp_path / "none", find_free_port())
