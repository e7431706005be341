"""Who listens where Portico wants to."""

from __future__ import annotations

from deploy.doctor.engine import Engine
from deploy.doctor.finding import Fault
from deploy.embedded.ports import LOOPBACK, is_free
from deploy.state import StateFolder


def check_port(engine: Engine, service: str, *, port: int, variable: str) -> str:
    """Free, or taken by Portico itself."""
    own = engine.container(service)
    is_own = own is not None and own.status == "running"
    if is_own and own is not None:
        return f"{port}, by Portico itself ({own.name})"
    if is_free(port):
        return f"{port}, free"
    raise Fault(
        f"{_name_taker(engine, port)} has port {port}, which {service} needs.",
        f"End it, or take another port: {variable}={port + 1} {engine.command('up', '-d')}",
    )


def _name_taker(engine: Engine, port: int) -> str:
    for container in engine.client.containers.list(ignore_removed=True):
        if any(item["HostPort"] == str(port) for items in container.ports.values() for item in items or []):
            return f"The container {container.name}"
    endpoint = StateFolder.from_environment().read_endpoint()
    if endpoint == f"http://{LOOPBACK}:{port}":
        return "The emulator of `make up`"
    return "Another program"
