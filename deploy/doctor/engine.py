"""Docker: the client, the engine, the socket that LocalStack is given, its disk, what a dead LocalStack left behind."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from deploy.compose import Compose, find_compose
from deploy.doctor.finding import Fault
from deploy.doctor.laptop import enough_room
from deploy.errors import DeployError
from deploy.state import REPOSITORY

ANSWERS_WITHIN_S = 20
SOCKET = "/var/run/docker.sock"
SERVICE, PROJECT = "com.docker.compose.service", "com.docker.compose.project"
OWNER = "image-lambda.owner"
_NOT_IN_A_CONTAINER = "host-"
# Asks the engine from inside LocalStack's container, through the socket that it was given.
_PING = "import docker; docker.DockerClient.from_env().ping()"
_ROOM = "import shutil; print(shutil.disk_usage('/var/lib/keeper').free)"


class Engine:
    """The Docker engine and, on it, the compose project that publishes Portico's ports."""

    def __init__(self, compose: Compose) -> None:
        self.compose = compose
        self._failure: Exception | None = None

    @cached_property
    def client(self) -> Any:
        """Raises: ImportError, docker.errors.DockerException: it does not answer; the same at every further try"""
        if self._failure is None:
            try:
                return _connect()
            except Exception as error:
                self._failure = error
        raise self._failure

    def container(self, service: str) -> Any | None:
        """The service's container that has Portico's port, running or not."""
        port = str({"localstack": self.compose.aws_port, "portal": self.compose.portal_port}[service])
        for container in self.list_containers(f"{SERVICE}={service}"):
            bindings = container.attrs["HostConfig"].get("PortBindings") or {}
            if port in {item.get("HostPort") for items in bindings.values() for item in items or []}:
                return container
        return None

    def list_containers(self, label: str) -> list[Any]:
        found = self.client.containers.list(all=True, filters={"label": label}, ignore_removed=True)
        return sorted(found, key=lambda container: container.status != "running")

    def command(self, *arguments: str) -> str:
        """docker-compose as this person has to type it for this project."""
        try:
            words = list(find_compose())
        except DeployError:
            words = ["docker-compose"]
        if self._project not in (None, self._default_project):
            words += ["-p", str(self._project)]
        return " ".join([*words, *arguments])

    @cached_property
    def _project(self) -> str | None:
        try:
            found = self.container("localstack") or self.container("portal")
        except Exception:  # whatever is wrong with the engine, a check of its own says so
            return None
        return found.labels.get(PROJECT) if found else None

    @property
    def _default_project(self) -> str:
        return os.environ.get("COMPOSE_PROJECT_NAME") or REPOSITORY.name.lower()


def _connect() -> Any:
    from docker import DockerClient  # late: the embedded target has it to do with no engine

    if (host := _host()).startswith("unix://"):
        # The SDK would say the same in more words, and leave a socket open.
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(ANSWERS_WITHIN_S)
            probe.connect(host.removeprefix("unix://"))
    client = DockerClient.from_env(timeout=ANSWERS_WITHIN_S)
    client.ping()
    return client


def _host() -> str:
    return os.environ.get("DOCKER_HOST") or f"unix://{SOCKET}"


def check_programs() -> str:
    """docker-compose is there, and which."""
    try:
        compose = find_compose()
    except DeployError as error:
        raise Fault(
            str(error).partition(". ")[0] + ".",
            "Install it: apt install docker-compose on Debian, or Docker Desktop on a Mac.",
        ) from error
    said = subprocess.run([*compose, "version", "--short"], capture_output=True, text=True)  # noqa: S603
    docker = shutil.which("docker")
    client = subprocess.run([docker, "--version"], capture_output=True, text=True).stdout if docker else ""  # noqa: S603
    return f"{' '.join(compose)} {said.stdout.strip()}" + (f", {client.strip()}" if client else ", no docker client")


def check_engine(engine: Engine) -> str:
    """The engine answers this person."""
    where = _host()
    try:
        version = engine.client.version()
    except ImportError as error:
        raise Fault("The Python package `docker` is not installed.", "Install it: make up, or make test") from error
    except Exception as error:
        raise _explain(error, where) from error
    return f"{version['Version']} at {where}"


def _explain(error: Exception, where: str) -> Fault:
    if isinstance(error, PermissionError):
        return Fault(
            f"The engine at {where} does not let you in.",
            "Add yourself to the docker group and sign in anew: sudo usermod -aG docker $USER",
        )
    if "DOCKER_HOST" in os.environ:
        return Fault(
            f"Nothing answers at {where}, which DOCKER_HOST names.",
            "Start the engine there, or forget the variable: unset DOCKER_HOST",
        )
    if isinstance(error, FileNotFoundError | ConnectionRefusedError):
        return Fault(f"No engine runs: nothing answers at {where}.", "Start it: sudo systemctl start docker")
    return Fault(f"The engine at {where} does not answer: {error}", "See what it says: sudo journalctl -u docker -n 50")


def check_socket(engine: Engine) -> str:
    """LocalStack starts the functions' containers through the engine's socket."""
    path = os.environ.get("DOCKER_SOCKET") or SOCKET
    container = engine.container("localstack")
    if container is not None and container.status == "running":
        code, said = container.exec_run(["python", "-c", _PING])
        if code:
            raise Fault(
                f"LocalStack does not reach the engine through {path}: {_last_line(said)}",
                f"Name the engine's socket and start again: DOCKER_SOCKET=/path {engine.command('up', '-d')}",
            )
        return f"LocalStack reaches the engine through {path}"
    host = os.environ.get("DOCKER_HOST", f"unix://{path}")
    if host.startswith("unix://") and os.path.realpath(host.removeprefix("unix://")) != os.path.realpath(path):
        raise Fault(
            f"LocalStack would be given {path}, while DOCKER_HOST says that the engine is at {host}.",
            f"Name the same one: DOCKER_SOCKET={host.removeprefix('unix://')} {engine.command('up', '-d')}",
        )
    if not _is_socket(path):
        raise Fault(f"{path} is not a socket.", f"Name the engine's: DOCKER_SOCKET=/path {engine.command('up', '-d')}")
    return path


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:
        return False


def check_room(engine: Engine) -> str:
    """Disk space for the volumes."""
    mend = "Make room; to remove images and containers that nothing uses: docker system prune"
    container = engine.container("localstack")
    if container is not None and container.status == "running":
        # Asked inside: where the engine runs in a virtual machine, its disk is not this machine's.
        code, said = container.exec_run(["python", "-c", _ROOM])
        if code == 0:
            return enough_room(int(said), mend)
    folder = Path(engine.client.info()["DockerRootDir"])
    if not folder.exists():
        return "known once LocalStack runs: the engine has another disk than this machine"
    return enough_room(shutil.disk_usage(folder).free, mend)


def check_leftovers(engine: Engine) -> str:
    """A LocalStack that was killed leaves its functions' containers behind until it starts again."""
    functions = engine.list_containers(OWNER)
    alive = {name for container in _living(engine, functions) for name in _names(container)}
    owned = [container for container in functions if not container.labels[OWNER].startswith(_NOT_IN_A_CONTAINER)]
    left = [container.name for container in owned if container.labels[OWNER] not in alive]
    if left:
        raise Fault(
            f"{len(left)} function containers are left of a LocalStack that is gone: {', '.join(left[:3])}"
            + (" …" if len(left) > 3 else "."),
            f"Remove them: docker rm -f $(docker ps -aq --filter label={OWNER}={_owner(functions, left[0])})",
        )
    return f"none; {len(functions)} function containers have their LocalStack" if functions else "none"


def _living(engine: Engine, functions: Sequence[Any]) -> list[Any]:
    known = {container.id for container in functions}
    found = engine.client.containers.list(ignore_removed=True)  # running ones only, restarting ones among them
    return [container for container in found if container.id not in known]


def _names(container: Any) -> list[str]:
    """How function containers name their LocalStack: project/service/number in a compose project, else its name."""
    labels = container.labels
    number = labels.get("com.docker.compose.container-number", "1")
    return [container.name, f"{labels.get(PROJECT)}/{labels.get(SERVICE)}/{number}"]


def _owner(functions: Sequence[Any], name: str) -> str:
    return next(str(container.labels[OWNER]) for container in functions if container.name == name)


def _last_line(said: bytes) -> str:
    lines = said.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
