"""uvicorn, as a worker process runs it: on a socket that all workers share."""

import os
import signal
import socket

import uvicorn

from predictor import bucket, signatures
from predictor.serving.app import App
from predictor.serving.workers import STOPS

_BACKLOG = 2048
_KEPT_ALIVE_S = 75
# What a worker has left after its calls, before the first process loses patience.
_SPARE_S = 2


def listen(port: int) -> socket.socket:
    """A socket for all workers, on every IPv4 address of this machine. Raises: OSError."""
    # asyncio sends at once (TCP_NODELAY) on sockets that say they are TCP alone; others wait 40 ms for a client's word.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("", port))
    listening.listen(_BACKLOG)
    return listening


def run(listening: socket.socket, *, is_quick: bool, seconds: float, stop_within_s: float) -> None:
    """Answer calls until SIGTERM, then finish those that have begun."""
    # Connections that the first process has opened must not be spoken over by several.
    bucket.forget_clients()
    signatures.forget_clients()
    config = uvicorn.Config(
        App(is_quick=is_quick, seconds=seconds),
        http="httptools",
        loop="asyncio",
        ws="none",
        interface="asgi3",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        # A worker takes one connection at a time. With more, the first to wake would take all that wait.
        backlog=1,
        timeout_keep_alive=_KEPT_ALIVE_S,
        timeout_graceful_shutdown=max(1, int(stop_within_s - _SPARE_S)),
    )
    _Server(config).run(sockets=[listening])


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._parent = os.getppid()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listening in sockets or ():
            # asyncio has made the kernel's queue as short as what it takes at a time.
            listening.listen(_BACKLOG)
        # From here on somebody listens to them.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)

    async def on_tick(self, counter: int) -> bool:
        # Nobody would tell a worker to stop whose first process was killed.
        return await super().on_tick(counter) or os.getppid() != self._parent
