"""Runs the portal and its management commands as child processes."""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass

from deploy.embedded.ports import LOOPBACK
from deploy.embedded.processes import Child, Supervisor
from deploy.errors import DeployError
from deploy.state import REPOSITORY, StateFolder
from deploy.targets import EMULATOR_CREDENTIALS, local_origins

HEALTHY_WITHIN_S = 60.0
INGEST_EVERY_S = 30


@dataclass(frozen=True)
class FirstLogin:
    """Who may sign in first; the password is known only in the moment it is made."""

    username: str
    password: str | None


def portal_variables(state: StateFolder, *, port: int, endpoint: str, stack: Mapping[str, str]) -> dict[str, str]:
    """Everything the portal reads from its environment on a laptop: docs/contract.md, section 1."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PORTICO_"))}
    # The emulated pool's own sign-in page forgets no password: the portal has forms for all of it.
    forms = {"PORTICO_COGNITO_FORMS": "true"} if "PORTICO_USER_POOL_ID" in stack else {}
    return {
        **kept,
        **EMULATOR_CREDENTIALS,
        **stack,
        **forms,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_ENDPOINT_URL": endpoint,
        "PORTICO_ENV": "local",
        "PORTICO_SECRET_KEY": state.secret_key(),
        "PORTICO_STATE_DIR": str(state.root),
        "PORTICO_ALLOWED_HOSTS": "127.0.0.1,localhost",
        "PORTICO_ORIGINS": local_origins(port),
        "PYTHONUNBUFFERED": "1",
    }


def manage(supervisor: Supervisor, variables: Mapping[str, str], *arguments: str, is_quiet: bool = False) -> str:
    """Run `manage.py`; returns the end of what it printed.

    Raises: DeployError: it failed
    """
    command = [sys.executable, "manage.py", *arguments]
    return supervisor.run("portal", command, environment=variables, folder=REPOSITORY, is_quiet=is_quiet)


def make_first_login(supervisor: Supervisor, variables: Mapping[str, str]) -> FirstLogin:
    """Make the first account if there is none. Its password must not appear in the log, so the output is kept back."""
    said = manage(supervisor, variables, "first_login", is_quiet=True)
    try:
        answer = json.loads(said.splitlines()[-1])
        return FirstLogin(answer["username"], answer.get("password") if answer["created"] else None)
    except (ValueError, KeyError, IndexError) as error:
        raise DeployError("`manage.py first_login` answered something else than its JSON line.") from error


def start_portal(supervisor: Supervisor, variables: Mapping[str, str], port: int) -> Child:
    """Start gunicorn and wait until the portal is healthy.

    Raises: DeployError: it ended, or did not become healthy in time
    """
    command = [sys.executable, "-m", "gunicorn", "--config", "portal/gunicorn.conf.py", "--bind", f"{LOOPBACK}:{port}"]
    child = supervisor.start("portal", command, environment=variables, folder=REPOSITORY)
    deadline = time.monotonic() + HEALTHY_WITHIN_S
    while (problem := _health_problem(port)) is not None:
        if child.exit_code is not None:
            said = "\n".join(child.last_lines)
            raise DeployError(f"The portal ended with code {child.exit_code} while starting. It said:\n{said}")
        if time.monotonic() > deadline:
            raise DeployError(f"The portal was not healthy within {HEALTHY_WITHIN_S:.0f} s: {problem}")
        time.sleep(0.1)
    return child


def start_ingest(supervisor: Supervisor, variables: Mapping[str, str]) -> Child:
    """Take what the API has answered into the portal's history, again and again: docs/contract.md, section 10."""
    command = [sys.executable, "manage.py", "ingest_captures", "--every", str(INGEST_EVERY_S)]
    return supervisor.start("history", command, environment=variables, folder=REPOSITORY)


def _health_problem(port: int) -> str | None:
    try:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/health/", timeout=5):
            return None
    except urllib.error.HTTPError as error:
        return f"/health/ answered {error.code}."
    except OSError as error:
        return str(error)
