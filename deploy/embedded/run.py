"""`make up`: everything on this machine, in the foreground, until Ctrl-C.

PORTICO_STATE_DIR names another folder than .portico, PORTICO_PORT another port than 8000.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from types import FrameType

from rich.markup import escape
from rich.panel import Panel

from deploy.console import console, errors
from deploy.embedded.emulator import is_answering
from deploy.embedded.ports import LOOPBACK, choose_port, find_free_port
from deploy.embedded.processes import Supervisor
from deploy.embedded.starting import RunningPortico, start_everything
from deploy.errors import DeployError
from deploy.state import StateFolder

PORTAL_PORT, SITE_PORT, EMULATOR_PORT = 8000, 8001, 4566


class Stopped(BaseException):
    """Ctrl-C, or the equivalent from elsewhere. Not an Exception: nothing on the way may take it for a failure."""


def main() -> None:
    """Run until stopped; exit code 0 when stopped, 1 when something failed."""
    bypass_proxies()
    state = StateFolder.from_environment()
    try:
        with state.lock(), Supervisor() as supervisor:
            listen_for_stop(supervisor)
            try:
                run(state, supervisor)
            except Stopped:
                console.print("\nStopping …")
            finally:
                supervisor.stop_all()
                state.forget_endpoint()
    except Stopped:
        pass
    except DeployError as error:
        errors.print(f"\n[bold red]Error:[/] {escape(str(error))}")
        sys.exit(1)
    console.print(f"Stopped. Everything is kept in {state.root}; start again with: make up")


def run(state: StateFolder, supervisor: Supervisor) -> None:
    """Start all parts in order, say where the portal is, and stay until one ends.

    Raises: DeployError: a part could not be started, or ended by itself
    """
    started = time.monotonic()
    portal_port, emulator_port = _choose_ports(state)
    portico = start_everything(
        state,
        supervisor,
        portal_port=portal_port,
        emulator_port=emulator_port,
        site_port=choose_site_port(portal_port=portal_port),
    )
    _welcome(state, portico, time.monotonic() - started)
    ended = supervisor.wait_for_any()
    raise DeployError(f"The {ended.name} ended by itself with code {ended.exit_code}. Start again with: make up")


def choose_site_port(*, portal_port: int) -> int:
    """For the published page; nothing listens on the portal's yet, so that it would seem free."""
    return find_free_port() if portal_port == SITE_PORT else choose_port(SITE_PORT)


def bypass_proxies() -> None:
    """Calls between the parts must not go through a person's proxy; neither urllib nor botocore spares loopback."""
    spared = ",".join(filter(None, [os.environ.get("NO_PROXY") or os.environ.get("no_proxy"), LOOPBACK, "localhost"]))
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = spared


def listen_for_stop(supervisor: Supervisor) -> None:
    """The first signal stops in order; a second one, while that takes too long, at once."""

    def stop_now(number: int, frame: FrameType | None) -> None:
        supervisor.kill_all()
        os._exit(128 + number)

    def stop(number: int, frame: FrameType | None) -> None:
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(name, stop_now)
        raise Stopped

    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, stop)


def _choose_ports(state: StateFolder) -> tuple[int, int]:
    left_behind = state.read_endpoint()
    if left_behind and is_answering(left_behind):
        raise DeployError(
            f"An emulator of an earlier start still answers at {left_behind}, on the same files. "
            f"End it and start again: kill {state.read_pid()}"
        )
    portal = choose_port(int(os.environ.get("PORTICO_PORT") or PORTAL_PORT))
    emulator = choose_port(EMULATOR_PORT)
    if portal != PORTAL_PORT and "PORTICO_PORT" not in os.environ:
        console.print(
            f"[yellow]![/] Port {PORTAL_PORT} is taken by another program: the portal uses {portal} this time."
        )
    if emulator != EMULATOR_PORT:
        console.print(f"[yellow]![/] Port {EMULATOR_PORT} is taken: the emulator uses {emulator} this time.")
    return portal, emulator


def _welcome(state: StateFolder, portico: RunningPortico, seconds: float) -> None:
    lines = [
        f"Portico is at   [bold]{portico.url}/[/]",
        *([f"Published page  [bold]{portico.site_url}[/]"] if portico.site_url else []),
        *_who_signs_in(portico),
        f"Kept in         {escape(str(state.root))}",
        "",
        f"[dim]Ready in {seconds:.1f} s. Ctrl-C stops it.[/]",
    ]
    console.print()
    console.print(Panel.fit("\n".join(lines), border_style="green", padding=(1, 3)))
    console.print()


def _who_signs_in(portico: RunningPortico) -> list[str]:
    if "PORTICO_USER_POOL_ID" in portico.variables:
        return [
            # Within 80 columns: a panel cuts what is longer.
            "Sign in with    an account of the stack's user pool. To invite somebody:",
            "                [dim].venv/bin/python -m deploy users add EMAIL \\\\[/]",
            "                [dim]    --role admin --target embedded[/]",
        ]
    login = portico.login
    if login.password is None:
        return [f"Sign in as      [bold]{escape(login.username)}[/]", "Password        [dim]as you left it[/]"]
    return [
        f"Sign in as      [bold]{escape(login.username)}[/]",
        f"Password        [bold]{escape(login.password)}[/]",
        "                [dim]Shown this once; change it after signing in.[/]",
    ]


if __name__ == "__main__":
    main()
