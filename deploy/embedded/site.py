"""The published page on this machine: made anew at each start, served by a process of its own."""

from __future__ import annotations

import os
import sys
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from deploy.embedded.ports import LOOPBACK
from deploy.embedded.processes import Child, Supervisor
from deploy.errors import DeployError
from deploy.site.export import export_site
from deploy.site.serving import HOST, PREFIX
from deploy.state import REPOSITORY, StateFolder
from deploy.targets import Target

ANSWERS_WITHIN_S = 30.0


def site_origin(port: int) -> str:
    """The one origin that the API and the bucket let in beside the portal's."""
    return f"http://{HOST}:{port}"


def start_site(supervisor: Supervisor, state: StateFolder, target: Target, port: int) -> str:
    """Make the page of the target's stack and serve it.

    Returns: its address
    Raises:  DeployError: it could not be made, or its server ended or did not answer in time
    """
    export_site(target, state.site, None)
    return serve_site(supervisor, state.site, port)


def serve_site(supervisor: Supervisor, folder: Path, port: int) -> str:
    """Serve a page that was made. As start_site."""
    application = f"deploy.site.serving:make_app({str(folder)!r})"
    command = [sys.executable, "-m", "gunicorn", "--config", "deploy/site/gunicorn.conf.py"]
    command += ["--bind", f"{LOOPBACK}:{port}", application]
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PORTICO_"))}
    child = supervisor.start("site", command, environment={**variables, "PYTHONUNBUFFERED": "1"}, folder=REPOSITORY)
    _wait_until_it_answers(child, port)
    return f"{site_origin(port)}{PREFIX}"


def _wait_until_it_answers(child: Child, port: int) -> None:
    deadline = time.monotonic() + ANSWERS_WITHIN_S
    while not _is_answering(port):
        if child.exit_code is not None:
            said = "\n".join(child.last_lines)
            raise DeployError(f"The published page's server ended with code {child.exit_code}. It said:\n{said}")
        if time.monotonic() > deadline:
            raise DeployError(f"The published page did not answer within {ANSWERS_WITHIN_S:.0f} s.")
        time.sleep(0.05)


def _is_answering(port: int) -> bool:
    connection = HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", PREFIX, headers={"Host": f"{HOST}:{port}"})
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
