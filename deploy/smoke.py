"""`make smoke`: everything a user would do, done by a program, on a Portico of its own that is gone afterwards.

Each step is one line with its time. The first one that fails ends the run with exit code 1; Ctrl-C ends it with 130.
The steps themselves are in `journey.py`; here is where Portico comes from: child processes, or docker-compose.
"""

from __future__ import annotations

import fcntl
import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click
from rich.markup import escape

from deploy.compose import FILE, Compose
from deploy.console import console, errors
from deploy.console import step as any_step
from deploy.embedded.portal import FirstLogin
from deploy.embedded.ports import find_free_port
from deploy.embedded.processes import Supervisor
from deploy.embedded.run import Stopped, bypass_proxies, listen_for_stop
from deploy.embedded.starting import start_everything
from deploy.embedded.visitor import Visitor
from deploy.errors import DeployError
from deploy.execute import read_outputs
from deploy.journey import (
    Sample,
    call_api,
    make_live,
    make_sample_without_tables,
    predict_first_row,
    read_history,
    read_sample,
    score_file,
    sign_in,
    sign_out,
    upload_model,
)
from deploy.outputs import portal_environment
from deploy.state import REPOSITORY, StateFolder
from deploy.targets import LAMBDA_IMAGE, localstack_target

SAMPLE = "four-variables"
PROJECT = "portico-smoke"

step = partial(any_step, is_announced=False)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--target", type=click.Choice(("embedded", "localstack")), default="embedded", show_default=True)
def main(target: str) -> None:
    """Do what a user would, on a Portico of its own. Exit code 0 when every step went well."""
    bypass_proxies()
    started = time.monotonic()
    run = {"embedded": run_embedded, "localstack": run_localstack}[target]
    try:
        with (
            tempfile.TemporaryDirectory(prefix="portico-smoke-", ignore_cleanup_errors=True) as folder,
            Supervisor(is_quiet=True) as supervisor,
        ):
            listen_for_stop(supervisor)
            run(StateFolder(Path(folder)), supervisor)
    except Stopped:
        errors.print("\nStopped before the end.")
        sys.exit(130)
    except DeployError as error:
        errors.print(f"\n[bold red]Error:[/] {escape(str(error))}")
        sys.exit(1)
    console.print(f"\n[green]Everything works.[/] [dim]{time.monotonic() - started:.1f} s[/]")


def run_embedded(state: StateFolder, supervisor: Supervisor) -> None:
    """All steps on child processes, from an empty folder to stopped programs.

    Raises: DeployError: a step did not go as it should
    """
    with _quote_children(supervisor):
        portico = start_everything(
            state, supervisor, portal_port=find_free_port(), emulator_port=find_free_port(), say_step=step
        )
        with step("Asking scikit-learn itself"):
            sample, full = read_samples(supervisor, state)
        use_portico(portico.url, portico.login, api_url=portico.variables["PORTICO_API_URL"], sample=sample, full=full)
        with step("Stopping everything"):
            supervisor.stop_all()


def run_localstack(state: StateFolder, supervisor: Supervisor) -> None:
    """All steps on a compose project with ports and volumes of its own, from its images to its removal.

    Raises: DeployError: a step did not go as it should; another run is under way
    """
    project = Compose(PROJECT, portal_port=find_free_port(), aws_port=find_free_port())
    with _alone():
        try:
            with step("Building the images"):
                project.down(with_volumes=True)  # what an interrupted run has left
                project.build()
            with step("Starting LocalStack, the stack on it, the portal"):
                project.up()
            with _quote_services(project):
                _use_containers(project, state, supervisor)
        except BaseException:
            _clear_away(project)
            raise
        with step("Removing everything"):
            project.down(with_volumes=True)


def use_portico(url: str, login: FirstLogin, *, api_url: str, sample: Sample, full: Sample) -> None:
    """What a user does, the same on every target.

    Raises: DeployError: a step did not go as it should
    """
    visitor = Visitor(url)
    with step("Signing in"):
        sign_in(visitor, login)
    with step("Uploading a model, and its check"):
        version = upload_model(visitor, sample)
    with step("Making it live"):
        make_live(visitor, version)
    with step("Predicting one observation") as note:
        answer = predict_first_row(visitor, sample)
        note(f"probability {sample.probabilities[0][-1]!r}, as scikit-learn says")
    with step("Scoring a file") as note:
        batch = score_file(visitor, sample)
        note(f"{len(sample.rows)} rows, as scikit-learn says")
    with step("Reading the history and its export"):
        read_history(visitor, sample, pages=[answer.path, batch.path])
    with step("Calling the API"):
        call_api(api_url, sample)
    with step("Serving a model that has no tables") as note:
        make_live(visitor, upload_model(visitor, full))
        predict_first_row(visitor, full)
        call_api(api_url, full)
        note("as scikit-learn says, on its page and from the API")
    with step("Signing out"):
        sign_out(visitor)


def read_samples(supervisor: Supervisor, state: StateFolder) -> tuple[Sample, Sample]:
    """One that is compiled, one that is not."""
    sample = read_sample(supervisor, state.samples / SAMPLE)
    return sample, make_sample_without_tables(supervisor, sample)


def _use_containers(project: Compose, state: StateFolder, supervisor: Supervisor) -> None:
    with step("Reading the first login from the portal's log"):
        login = read_first_login(project.logs("portal"))
        target = localstack_target(project.aws_url)
        variables = portal_environment(target, read_outputs(target))
    with step("Training a sample model"):
        command = [sys.executable, "-m", "model.train", "--out", str(state.samples), "--only", SAMPLE]
        supervisor.run("samples", command, environment=os.environ, folder=REPOSITORY)
    with step("Asking scikit-learn itself"):
        sample, full = read_samples(supervisor, state)
    use_portico(project.portal_url, login, api_url=variables["PORTICO_API_URL"], sample=sample, full=full)
    with step("Looking at the containers that answered") as note:
        note(count_function_containers(PROJECT, LAMBDA_IMAGE))


@contextmanager
def _alone() -> Iterator[None]:
    """A second run would take the first one's project for leftovers."""
    with open(FILE) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DeployError("Another smoke test is under way on localstack. Wait until it has ended.") from None
        yield


def _clear_away(project: Compose) -> None:
    """After a failure, whose reason must not be lost when this fails too."""
    errors.print("[dim]Removing what was started …[/]")
    try:
        project.down(with_volumes=True)
    except DeployError as error:
        errors.print(f"[dim]{escape(str(error))}[/]")


def read_first_login(log: str) -> FirstLogin:
    """What docker/portal/start.py prints once.

    Raises: DeployError: the log has no password
    """
    username, password = (re.search(rf"{label} +(\S+)", log) for label in ("Sign in as", "Password"))
    if username is None or password is None:
        raise DeployError("The portal's log does not say the first login's password.")
    return FirstLogin(username.group(1), password.group(1))


def count_function_containers(project: str, image: str) -> str:
    """How many containers have run each function of this project, in words: "predict 3, predict-small 1, verify 1".

    Raises: DeployError: there are none, or one is not of `image`
    """
    from docker.errors import DockerException

    from docker import DockerClient  # only this target has it to do with an engine

    labels = [f"com.docker.compose.project={project}", "image-lambda.function"]
    try:
        engine = DockerClient.from_env()
        wanted = engine.images.get(image).id
        found = engine.containers.list(filters={"label": labels}, ignore_removed=True)
        images = {container.attrs["Image"] for container in found}
    except DockerException as error:
        raise DeployError(f"The engine did not say which containers ran: {error}") from error
    if images != {wanted}:
        raise DeployError(f"The functions were to run in {image}, but ran in {', '.join(images) or 'no container'}.")
    counts = Counter(container.labels["image-lambda.function"].split("-", 2)[-1] for container in found)
    return f"{image}: " + ", ".join(f"{function} {count}" for function, count in sorted(counts.items()))


@contextmanager
def _quote_children(supervisor: Supervisor) -> Iterator[None]:
    """What the programs said last is worth reading when a step failed, and only then."""
    try:
        yield
    except DeployError:
        for name, lines in supervisor.last_words():
            for line in lines:
                errors.print(f"[dim]{name:<8} │ {escape(line)}[/]")
        raise


@contextmanager
def _quote_services(project: Compose) -> Iterator[None]:
    try:
        yield
    except DeployError:
        errors.print(f"[dim]{escape(project.logs(tail=15))}[/]")
        raise


if __name__ == "__main__":
    main()
