"""One container of a function, from create to remove. Imports nothing of LocalStack."""

import http.client
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from docker.errors import APIError, NotFound
from docker.types import Ulimit

from image_lambda import answers
from image_lambda.answers import Answer
from image_lambda.output import Output
from image_lambda.owner import remove

PORT = 8080
PATH = "/2015-03-31/functions/function/invocations"
CONNECT_TIMEOUT_S = 2.0
# The emulator keeps the function's time-out itself; this is for images whose emulator does not.
GRACE_S = 10.0
# The last lines of an invocation come by another way than its answer, a millisecond or so later.
LAST_LINES_S = 0.2


class StartFailed(Exception):
    """The image does not run, or does not listen on port 8080 in time."""


class NotReached(Exception):
    """The container is gone; nothing of the invocation has run."""


@dataclass(frozen=True)
class Recipe:
    """How the containers of one version of a function are made."""

    name: str
    image: str
    environment: Mapping[str, str]
    network: str
    memory_mb: int
    storage_mb: int
    timeout_s: float
    command: list[str] | None = None
    entrypoint: list[str] | None = None
    directory: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    more_networks: tuple[str, ...] = ()

    def arguments(self) -> dict[str, Any]:
        """Lambda's limits: no swap, read-only but for a /tmp of its size, 1,024 files and processes, no privilege."""
        return {
            "image": self.image,
            "name": self.name,
            "command": self.command,
            "entrypoint": self.entrypoint,
            "working_dir": self.directory,
            "environment": dict(self.environment),
            "labels": dict(self.labels),
            "network": self.network,
            "mem_limit": f"{self.memory_mb}m",
            "memswap_limit": f"{self.memory_mb}m",
            "read_only": True,
            "tmpfs": {"/tmp": f"rw,exec,nosuid,nodev,mode=1777,size={self.storage_mb}m"},  # noqa: S108
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges:true"],
            "ulimits": [Ulimit(name="nofile", soft=1024, hard=1024)],
            "pids_limit": 1024,
        }


class Sandbox:
    """A running container that takes one invocation at a time."""

    def __init__(self, client: Any, recipe: Recipe, *, start_timeout_s: float):
        """
        Raises:  StartFailed, with the container's last lines; nothing is left behind
        """
        self.recipe = recipe
        self._is_removed = threading.Event()
        self._container = client.containers.create(**recipe.arguments())
        try:
            # Attached before it starts: not a line is missed, and the end of the stream is the end of the container.
            chunks = self._container.attach(stdout=True, stderr=True, stream=True, demux=True)
            self.output = Output(chunks, prefix=recipe.name)
            self._start(client, time.monotonic() + start_timeout_s)
        except BaseException:
            self.remove()
            raise

    def _start(self, client: Any, deadline: float) -> None:
        for network in self.recipe.more_networks:
            client.networks.get(network).connect(self._container)
        try:
            self._container.start()
        except APIError as error:
            raise StartFailed(f"The image {self.recipe.image} cannot be started: {error.explanation}") from error
        self._container.reload()
        self._address = self._container.attrs["NetworkSettings"]["Networks"][self.recipe.network]["IPAddress"]
        self._wait_until_it_listens(deadline)

    def _wait_until_it_listens(self, deadline: float) -> None:
        while not self.output.ended.is_set() and self._address:
            if time.monotonic() > deadline:
                raise StartFailed(f"Nothing listens on port {PORT} of the container.{self._last_words()}")
            try:
                socket.create_connection((self._address, PORT), timeout=CONNECT_TIMEOUT_S).close()
                return
            except OSError:
                self.output.ended.wait(0.01)
        if self._is_removed.is_set():
            raise StartFailed("The container was removed while it started.")
        self.output.ended.wait(1)
        raise StartFailed(
            f"{answers.exit_reason(*self._exit())}, before it listened on port {PORT}.{self._last_words()}"
        )

    @property
    def is_alive(self) -> bool:
        return not self.output.ended.is_set() and not self._is_removed.is_set()

    def invoke(self, payload: bytes, *, request_id: str, trace_id: str) -> tuple[Answer, list[str]]:
        """
        Returns: the answer, and what was printed
        Raises:  NotReached: nothing has run, another container may be asked
        """
        connection = self._connect()
        try:
            answer = self._ask(connection, payload, {"X-Amzn-RequestId": request_id, "X-Amzn-Trace-Id": trace_id})
        finally:
            connection.close()
        return answer, self.output.take(request_id, timeout_s=LAST_LINES_S)

    def _connect(self) -> http.client.HTTPConnection:
        if not self.is_alive:
            raise NotReached
        connection = http.client.HTTPConnection(self._address, PORT, timeout=CONNECT_TIMEOUT_S)
        try:
            connection.connect()
        except OSError as error:
            raise NotReached from error
        connection.sock.settimeout(self.recipe.timeout_s + GRACE_S)
        return connection

    def _ask(self, connection: http.client.HTTPConnection, payload: bytes, headers: dict[str, str]) -> Answer:
        request_id = headers["X-Amzn-RequestId"]
        try:
            connection.request("POST", PATH, body=payload, headers=headers)
            response = connection.getresponse()
            return answers.read_answer(response.status, response.read(), request_id=request_id)
        except TimeoutError:
            return answers.timed_out(self.recipe.timeout_s, request_id=request_id)
        except (OSError, http.client.HTTPException):
            # Its output ends when the container has ended: only then does Docker know how.
            self.output.ended.wait(5)
            exit_code, was_out_of_memory = self._exit()
            return answers.exited(exit_code, was_out_of_memory=was_out_of_memory, request_id=request_id)

    def _exit(self) -> tuple[int | None, bool]:
        try:
            self._container.reload()
        except NotFound:
            return 137, False
        state = self._container.attrs["State"]
        return state.get("ExitCode"), bool(state.get("OOMKilled"))

    def _last_words(self) -> str:
        lines = self.output.last_lines()
        return f" Its last lines:\n{lines}" if lines else " It printed nothing."

    def remove(self) -> None:
        self._is_removed.set()
        remove(self._container)
