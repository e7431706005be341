"""Runs docker-compose.yml: as the person's own project, or as one with a name, ports and volumes of its own."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass

from deploy.embedded.ports import LOOPBACK
from deploy.errors import DeployError
from deploy.state import REPOSITORY
from deploy.targets import LOCALSTACK_PORT

PORTAL_PORT = 8000
HEALTHY_WITHIN_S = 180.0
FILE = REPOSITORY / "docker-compose.yml"


@dataclass(frozen=True)
class Compose:
    """One project: its containers, its network and its volumes are named after it.

    Attributes:
        project: None for the name that docker-compose chooses itself
    """

    project: str | None
    portal_port: int
    aws_port: int

    @classmethod
    def from_environment(cls) -> Compose:
        """The project that a person starts with `docker-compose up`."""
        return cls(
            project=None,
            portal_port=int(os.environ.get("PORTICO_PORT") or PORTAL_PORT),
            aws_port=int(os.environ.get("PORTICO_AWS_PORT") or LOCALSTACK_PORT),
        )

    @property
    def portal_url(self) -> str:
        return f"http://{LOOPBACK}:{self.portal_port}"

    @property
    def aws_url(self) -> str:
        return f"http://{LOOPBACK}:{self.aws_port}"

    def build(self, *services: str) -> None:
        """Build the images; what has not changed comes from the engine's cache. A failed step leaves no container."""
        self.run("build", "--force-rm", *services)

    def up(self) -> None:
        """Start what is not running and return once the portal is healthy.

        Raises: DeployError: a part did not start, with what the parts said
        """
        try:
            self.run("up", "-d")
            self._wait_until_healthy()
        except DeployError as error:
            raise DeployError(f"{error}\n{self.logs(tail=30)}") from error

    def down(self, *, with_volumes: bool = False) -> None:
        """Stop and remove the containers; with their volumes, everything that was kept."""
        self.run("down", "--remove-orphans", *(["--volumes"] if with_volumes else []))

    def logs(self, *services: str, tail: int = 200) -> str:
        """The last lines of each service."""
        return self.run("logs", "--no-color", "--tail", str(tail), *services)

    def run(self, *arguments: str) -> str:
        """Any of docker-compose's commands; returns what it printed.

        Raises: DeployError: it failed, with what it said
        """
        named = ["--project-name", self.project] if self.project else []
        command = [*find_compose(), *named, "--file", str(FILE), *arguments]
        environment = {
            **os.environ,
            "PORTICO_PORT": str(self.portal_port),
            "PORTICO_AWS_PORT": str(self.aws_port),
        }
        # A session of its own: the terminal's Ctrl-C reaches its parent only, which then knows what to clear away.
        process = subprocess.Popen(  # noqa: S603
            command,
            env=environment,
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            out, complaints = process.communicate()
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # Compose v2 is a child of docker's
            process.communicate()
            raise
        if process.returncode:
            said = "\n".join((out + complaints).splitlines()[-30:])
            raise DeployError(f"`{' '.join([*find_compose(), *arguments])}` failed. It said:\n{said}")
        return out

    def _wait_until_healthy(self) -> None:
        deadline = time.monotonic() + HEALTHY_WITHIN_S
        while not self._is_healthy():
            if time.monotonic() > deadline:
                raise DeployError(f"The portal was not healthy within {HEALTHY_WITHIN_S:.0f} s.")
            time.sleep(0.3)

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
