"""Runs docker-compose.yml, as a project with a name, ports and volumes of its own."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass

from deploy.embedded.ports import LOOPBACK
from deploy.errors import DeployError
from deploy.state import REPOSITORY

HEALTHY_WITHIN_S = 180.0
FILE = REPOSITORY / "docker-compose.yml"


@dataclass(frozen=True)
class Compose:
    """One project: its containers, its network and its volumes are named after it."""

    project: str
    portal_port: int
    aws_port: int

    @property
    def portal_url(self) -> str:
        return f"http://{LOOPBACK}:{self.portal_port}"

    @property
    def aws_url(self) -> str:
        return f"http://{LOOPBACK}:{self.aws_port}"

    def build(self) -> None:
        """Build the images; what has not changed comes from the engine's cache."""
        self.run("build")

    def up(self) -> None:
        """Start what is not running and return once the portal is healthy.

        Raises: DeployError: a part did not start, with what it said
        """
        self.run("up", "-d")
        deadline = time.monotonic() + HEALTHY_WITHIN_S
        while not self._is_healthy():
            if time.monotonic() > deadline:
                raise DeployError(f"The portal was not healthy within {HEALTHY_WITHIN_S:.0f} s.\n{self.logs()}")
            time.sleep(0.3)

    def down(self, *, with_volumes: bool = False) -> None:
        """Stop and remove the containers; with their volumes, everything that was kept."""
        self.run("down", "--remove-orphans", *(["--volumes"] if with_volumes else []))

    def logs(self, *services: str) -> str:
        """The last 200 lines of each service."""
        return self.run("logs", "--no-color", "--tail", "200", *services)

    def run(self, *arguments: str) -> str:
        """Any of docker-compose's commands; returns what it printed.

        Raises: DeployError: it failed, with what it said
        """
        command = [*find_compose(), "--project-name", self.project, "--file", str(FILE), *arguments]
        environment = {
            **os.environ,
            "PORTICO_PORT": str(self.portal_port),
            "PORTICO_AWS_PORT": str(self.aws_port),
        }
        done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=REPOSITORY)  # noqa: S603
        if done.returncode:
            said = "\n".join((done.stdout + done.stderr).splitlines()[-30:])
            raise DeployError(f"`{' '.join([*find_compose(), *arguments])}` failed. It said:\n{said}")
        return done.stdout

    def _is_healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.portal_url}/health/", timeout=5):  # noqa: S310
                return True
        except (urllib.error.URLError, OSError):
            return False


@functools.cache
def find_compose() -> tuple[str, ...]:
    """Compose v2 is a plugin of docker, v1 a program of its own; either will do.

    Raises: DeployError: neither is installed
    """
    for command in (("docker", "compose"), ("docker-compose",)):
        if shutil.which(command[0]) is None:
            continue
        if subprocess.run([*command, "version"], capture_output=True).returncode == 0:  # noqa: S603
            return command
    raise DeployError("Neither `docker compose` nor docker-compose is installed. On Debian: apt install docker-compose")
