"""Starts MiniStack so that it keeps its state, is reachable from this machine only, and runs functions in this Python.

Found out about 1.5.33: docs/decisions/002-embedded-emulator.md.
"""

from __future__ import annotations

import os
import shutil
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
from deploy.targets import EMULATOR_CREDENTIALS

READY_WITHIN_S = 30.0
# Only what the template uses; with all services it takes longer to start and listens on more ports.
_SERVICES = "s3,lambda,cloudformation,apigateway,states,iam,sts,logs,kms,cognito-idp,cognito-identity,monitoring,sns"
# Functions inherit the emulator's environment: it gets what a process needs to run, and nothing of the person's.
_INHERITED = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "SSL_CERT_FILE")


@dataclass
class Emulator:
    """A running emulator."""

    child: Child
    port: int

    @property
    def endpoint(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"


def start_emulator(supervisor: Supervisor, state: StateFolder, port: int, *, extra: Mapping[str, str] = {}) -> Emulator:
    """Start it on what it saved last time, wait until it answers, and leave word where.

    Raises: DeployError: it ended, or did not answer in time
    """
    temporary = state.emulator / "tmp"
    shutil.rmtree(temporary, ignore_errors=True)  # unpacked functions of earlier runs
    temporary.mkdir(parents=True, exist_ok=True)  # those of one that was killed may write into it still
    child = supervisor.start(
        "emulator",
        [sys.executable, "-m", "ministack"],
        environment={**emulator_environment(state, port), **extra},
        folder=REPOSITORY,
    )
    emulator = Emulator(child, port)
    _wait_until_it_answers(emulator)
    state.write_endpoint(child.process.pid, emulator.endpoint)
    return emulator


def stop_emulator(supervisor: Supervisor, state: StateFolder, emulator: Emulator) -> None:
    """Ask it to stop, upon which it saves everything but the objects: those were saved when they were written."""
    supervisor.stop(emulator.child)
    state.forget_endpoint()


def emulator_environment(state: StateFolder, port: int) -> dict[str, str]:
    """MiniStack is set up by environment variables alone."""
    return {
        **{name: os.environ[name] for name in _INHERITED if name in os.environ},
        **EMULATOR_CREDENTIALS,
        # A profile or an endpoint in the person's AWS settings must not reach the functions.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "HOME": str(state.emulator / "tmp"),
        "TMPDIR": str(state.emulator / "tmp"),
        "BIND_HOST": LOOPBACK,
        "GATEWAY_PORT": str(port),
        "SERVICES": _SERVICES,
        "PERSIST_STATE": "1",
        "STATE_DIR": str(state.emulator / "state"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(state.emulator / "objects"),
        "LOG_LEVEL": "ERROR",  # its warnings are about services that Portico does not use
        # Idle function processes of a batch hold scikit-learn in memory: let all but one of each go after a minute.
        "LAMBDA_WARM_TTL_SECONDS": "60",
        # Both would listen on a port of their own, on every interface.
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        # At its start and end MiniStack removes containers that carry its label; it shall not look for Docker at all.
        "DOCKER_HOST": f"unix://{state.emulator}/no-docker",
        "PYTHONUNBUFFERED": "1",
    }


def is_answering(endpoint: str) -> bool:
    try:
        with urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=2) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError, ValueError):
        return False


def _wait_until_it_answers(emulator: Emulator) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while not is_answering(emulator.endpoint):
        if emulator.child.exit_code is not None:
            said = "\n".join(emulator.child.last_lines)
            raise DeployError(
                f"The emulator ended with code {emulator.child.exit_code} while starting. It said:\n{said}"
            )
        if time.monotonic() > deadline:
            raise DeployError(f"The emulator did not answer on {emulator.endpoint} within {READY_WITHIN_S:.0f} s.")
        time.sleep(0.05)
