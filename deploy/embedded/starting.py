"""Starts all parts in order: the emulator, the stack on it, the database, the samples, the portal, the published page.

What `make up` and `make smoke` have in common.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from deploy.console import Note, Step, console, say_event, step
from deploy.embedded.emulator import Emulator, start_emulator, stop_emulator
from deploy.embedded.portal import FirstLogin, make_first_login, manage, portal_variables, start_ingest, start_portal
from deploy.embedded.ports import LOOPBACK
from deploy.embedded.processes import Supervisor
from deploy.embedded.rescue import carry_over_objects
from deploy.embedded.site import site_origin, start_site
from deploy.execute import execute_plan
from deploy.golden import Moved, prove_code, show_moved
from deploy.outputs import portal_environment, stack_outputs
from deploy.plan import Plan, describe_stack, make_plan
from deploy.state import REPOSITORY, StateFolder
from deploy.targets import Target, embedded_target, local_origins


@dataclass(frozen=True)
class RunningPortico:
    """What was started.

    Attributes:
        url: where the portal's pages are, without a slash at the end
        variables: the portal's environment
        site_url: where the published page is; None where the stack has no user pool
    """

    url: str
    login: FirstLogin
    emulator: Emulator
    variables: Mapping[str, str]
    site_url: str | None = None


def start_everything(
    state: StateFolder,
    supervisor: Supervisor,
    *,
    portal_port: int,
    emulator_port: int,
    site_port: int | None = None,
    say_step: Step = step,
    database_url: str = "",
) -> RunningPortico:
    """Start on what the state folder holds; what it lacks is made.

    Args:
        site_port: for the published page, if the stack has a user pool; None starts none
        database_url: the portal's database, if not SQLite in the state folder
    Raises: DeployError: a part could not be started
    """
    url = f"http://{LOOPBACK}:{portal_port}"
    with say_step("Starting the emulator of AWS"):
        emulator = start_emulator(supervisor, state, emulator_port)
    target = _find_target(state, emulator, portal_port=portal_port, site_port=site_port)
    with say_step("Deploying the stack") as note:
        emulator, outputs = _deploy(state, supervisor, emulator, target, note)
    stack = portal_environment(target, outputs)
    variables = portal_variables(state, port=portal_port, endpoint=emulator.endpoint, stack=stack)
    variables["PORTICO_DATABASE_URL"] = database_url
    with say_step("Bringing the database up to date"):
        manage(supervisor, variables, "migrate", "--verbosity", "0")
        login = make_first_login(supervisor, variables)
        manage(supervisor, variables, "sign_models")
        manage(supervisor, variables, "purge_batches")
        manage(supervisor, variables, "purge_sessions")
    with say_step("Asking the live models their golden rows") as note:
        moved = prove_code(target, outputs)
        note(f"{len(moved)} answered otherwise" if moved else "answered as at their check")
    _say_moved(moved)
    _have_samples(state, supervisor, variables, say_step)
    with say_step("Starting the portal"):
        start_portal(supervisor, variables, portal_port)
        start_ingest(supervisor, variables)
    site_url = None
    if site_port is not None and _has_user_pool(outputs):
        with say_step("Publishing the page"):
            site_url = start_site(supervisor, state, target, site_port)
    return RunningPortico(url, login, emulator, variables, site_url)


def _find_target(state: StateFolder, emulator: Emulator, *, portal_port: int, site_port: int | None) -> Target:
    """The stack's place. If the stack has a user pool, its API lets in the published page and nobody else's."""
    make = partial(
        embedded_target,
        emulator.endpoint,
        portal_origin=local_origins(portal_port),
        manifest_key=state.manifest_key(),
    )
    target = make()
    if site_port is None or not _has_user_pool(stack_outputs(describe_stack(target))):
        return target
    return make(site_origin=site_origin(site_port))


def _has_user_pool(outputs: Mapping[str, str]) -> bool:
    return "UserPoolId" in outputs


def _have_samples(state: StateFolder, supervisor: Supervisor, variables: Mapping[str, str], say_step: Step) -> None:
    if not state.samples.exists():
        with say_step("Training the sample models"):
            _train_samples(state, supervisor, variables)
    if not state.samples_loaded.exists():
        with say_step("Loading the sample models"):
            manage(supervisor, variables, "load_samples", str(state.samples))
            state.samples_loaded.touch()


def _deploy(
    state: StateFolder, supervisor: Supervisor, emulator: Emulator, target: Target, note: Note
) -> tuple[Emulator, Mapping[str, str]]:
    """Bring the stack up to date; if that changed it, have the emulator save it.

    Returns: the emulator (started anew if the stack changed) and the stack's outputs
    """
    plan = make_plan(target)
    outputs = execute_plan(target, plan, _say_failure)
    note(_summarise(plan))
    if plan.is_new:
        _say_what_was_rescued(state, carry_over_objects(target, outputs["BucketName"]))
    if not plan.is_empty:
        # It saves the stack only when it ends in order. After a power cut the stack would be gone, so end it once.
        stop_emulator(supervisor, state, emulator)
        emulator = start_emulator(supervisor, state, emulator.port)
    return emulator, outputs


def _say_moved(moved: list[Moved]) -> None:
    """Changed code or libraries answer otherwise. There is no older Python to go back to here, so people decide."""
    if not moved:
        return
    show_moved(moved)
    console.print(
        "[yellow]![/] The libraries that are installed now answer these otherwise than those the models were "
        "checked with.\n  Fit the models again and upload them, or install the former libraries."
    )


def _say_failure(verb: str, resource: str, detail: str) -> None:
    if verb == "failed":
        say_event(verb, resource, detail)


def _summarise(plan: Plan) -> str:
    """In a few words: a newcomer wants to know that it works, `python -m deploy up` lists what there is."""
    if plan.is_new:
        return f"{len(plan.changes)} resources added"
    if plan.changes:
        return f"changed: {', '.join(change.resource for change in plan.changes)}"
    return "unchanged"


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


def _train_samples(state: StateFolder, supervisor: Supervisor, variables: Mapping[str, str]) -> None:
    partial = state.root / "samples.partial"
    shutil.rmtree(partial, ignore_errors=True)
    command = [sys.executable, "-m", "model.train", "--out", str(partial)]
    supervisor.run("samples", command, environment=variables, folder=REPOSITORY)
    partial.rename(state.samples)
