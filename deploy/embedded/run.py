"""`make up`: everything on this machine, in the foreground, until Ctrl-C.

PORTICO_STATE_DIR names another folder than .portico, PORTICO_PORT another port than 8000.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType

from rich.markup import escape
from rich.panel import Panel

from deploy.console import console, errors, say_event
from deploy.embedded.emulator import Emulator, is_answering, start_emulator, stop_emulator
from deploy.embedded.portal import FirstLogin, make_first_login, manage, portal_variables, start_portal
from deploy.embedded.ports import LOOPBACK, choose_port
from deploy.embedded.processes import Supervisor
from deploy.embedded.rescue import carry_over_objects
from deploy.errors import DeployError
from deploy.execute import execute_plan
from deploy.outputs import portal_environment
from deploy.plan import Plan, make_plan
from deploy.state import REPOSITORY, StateFolder
from deploy.targets import Target, embedded_target

PORTAL_PORT, EMULATOR_PORT = 8000, 4566


class Stopped(BaseException):
    """Ctrl-C, or the equivalent from elsewhere. Not an Exception: nothing on the way may take it for a failure."""


def main() -> None:
    """Run until stopped; exit code 0 when stopped, 1 when something failed."""
    _bypass_proxies()
    state = StateFolder.from_environment()
    try:
        with state.lock(), Supervisor() as supervisor:
            _listen_for_stop(supervisor)
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
    with step("Starting the emulator of AWS"):
        emulator = start_emulator(supervisor, state, emulator_port)
    target = embedded_target(emulator.endpoint, portal_origin=f"http://{LOOPBACK}:{portal_port}")
    emulator, stack = _deploy(state, supervisor, emulator, target)
    variables = portal_variables(state, port=portal_port, endpoint=emulator.endpoint, stack=stack)
    with step("Bringing the database up to date"):
        manage(supervisor, variables, "migrate", "--verbosity", "0")
        login = make_first_login(supervisor, variables)
    _load_samples(state, supervisor, variables)
    with step("Starting the portal"):
        start_portal(supervisor, variables, portal_port)
    _welcome(state, login, portal_port, time.monotonic() - started)
    ended = supervisor.wait_for_any()
    raise DeployError(f"The {ended.name} ended by itself with code {ended.exit_code}. Start again with: make up")


@contextmanager
def step(title: str) -> Iterator[None]:
    """Say what is being done, and how long it took."""
    console.print(f"[dim]•[/] {title} …")
    started = time.monotonic()
    yield
    console.print(f"[green]✓[/] {title} [dim]{time.monotonic() - started:.1f} s[/]")


def _bypass_proxies() -> None:
    """Calls between the parts must not go through a person's proxy; neither urllib nor botocore spares loopback."""
    spared = ",".join(filter(None, [os.environ.get("NO_PROXY") or os.environ.get("no_proxy"), LOOPBACK, "localhost"]))
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = spared


def _listen_for_stop(supervisor: Supervisor) -> None:
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


def _deploy(
    state: StateFolder, supervisor: Supervisor, emulator: Emulator, target: Target
) -> tuple[Emulator, Mapping[str, str]]:
    """Bring the stack up to date; if that changed it, have the emulator save it.

    Returns: the emulator (started anew if the stack changed) and the portal's variables of the stack
    """
    with step("Deploying the stack"):
        plan = make_plan(target)
        outputs = execute_plan(target, plan, _say_failure)
        _say_changes(plan)
        if plan.is_new:
            _say_what_was_rescued(state, carry_over_objects(target, outputs["BucketName"]))
        if not plan.is_empty:
            # It saves the stack only when it ends in order. After a power cut the stack would be gone, so end it once.
            stop_emulator(supervisor, state, emulator)
            emulator = start_emulator(supervisor, state, emulator.port)
    return emulator, portal_environment(target, outputs)


def _say_failure(verb: str, resource: str, detail: str) -> None:
    if verb == "failed":
        say_event(verb, resource, detail)


def _say_changes(plan: Plan) -> None:
    """In one line: a newcomer wants to know that it works, `python -m deploy up` lists what there is."""
    if plan.is_new:
        console.print(f"  {len(plan.changes)} resources added")
    elif plan.changes:
        console.print(f"  changed: {', '.join(change.resource for change in plan.changes)}")
    else:
        console.print("  unchanged")


def _say_what_was_rescued(state: StateFolder, rescued: int) -> None:
    if not state.database.exists():
        return
    console.print(
        "[yellow]![/] The emulator had lost its stack, though the portal's database is there: made a new one."
    )
    if rescued:
        console.print(
            f"  {rescued} objects (models, batches) were found on disk and carried over. Running batches are lost."
        )
    else:
        console.print(
            "  Its objects are gone too: the models in the portal must be uploaded again, batch files are lost."
        )
        console.print(f"  To start afresh instead: rm -r {state.root}")
        state.samples_loaded.unlink(missing_ok=True)


def _load_samples(state: StateFolder, supervisor: Supervisor, variables: Mapping[str, str]) -> None:
    if not state.samples.exists():
        with step("Training the sample models"):
            partial = state.root / "samples.partial"
            shutil.rmtree(partial, ignore_errors=True)
            command = [sys.executable, "-m", "model.train", "--out", str(partial)]
            supervisor.run("samples", command, environment=variables, folder=REPOSITORY)
            partial.rename(state.samples)
    if not state.samples_loaded.exists():
        with step("Loading the sample models"):
            manage(supervisor, variables, "load_samples", str(state.samples))
            state.samples_loaded.touch()


def _welcome(state: StateFolder, login: FirstLogin, port: int, seconds: float) -> None:
    password = f"[bold]{escape(login.password)}[/]" if login.password else "[dim]as you left it[/]"
    lines = [
        f"Portico is at   [bold]http://{LOOPBACK}:{port}/[/]",
        f"Sign in as      [bold]{escape(login.username)}[/]",
        f"Password        {password}",
        f"Kept in         {escape(str(state.root))}",
        "",
        f"[dim]Ready in {seconds:.1f} s. Ctrl-C stops it.[/]",
    ]
    if login.password:
        lines.insert(3, "                [dim]Shown this once; change it after signing in.[/]")
    console.print()
    console.print(Panel.fit("\n".join(lines), border_style="green", padding=(1, 3)))
    console.print()


if __name__ == "__main__":
    main()
