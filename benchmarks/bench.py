"""The benchmarks one after the other, their figures in a folder: `python -m benchmarks all [--quick]`, `make bench`."""

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import click

from benchmarks.batch.processes import ROOT

RESULTS = ROOT / "benchmarks" / "results"


@dataclass(frozen=True, slots=True)
class Step:
    """A benchmark with its options; quick: those that leave ten minutes for all of them"""

    name: str
    options: tuple[str, ...]
    quick: tuple[str, ...]


STEPS = (
    Step("single", (), ("--quick",)),
    Step("cold", (), ("--rounds", "3")),
    Step("http", (), ("--quick",)),
    Step("batch", ("--last-digit",), ("--last-digit", "--rows", "100000", "--rounds", "3", "--model", "logreg4")),
    Step("portal", (), ("--quick",)),
)


@click.command("all")
@click.option("--quick", is_flag=True, help="Ten minutes for all: fewer models, rows and rounds, rougher figures.")
@click.option(
    "--results",
    default=RESULTS,
    type=click.Path(file_okay=False, path_type=Path),
    show_default=True,
    help="Where each one's figures go, as NAME.json.",
)
@click.option(
    "--only", multiple=True, type=click.Choice([step.name for step in STEPS]), help="May be given several times."
)
@click.pass_context
def run_all(context: click.Context, quick: bool, results: Path, only: tuple[str, ...]) -> None:
    """Run the benchmarks that docs/performance.md quotes, one after the other."""
    results.mkdir(parents=True, exist_ok=True)
    if quick:
        click.echo("Quick mode: fewer models, rows and rounds than docs/performance.md quotes. Trust the ratios.\n")
    known = context.parent.command if context.parent else None
    failed = []
    for step in STEPS:
        if only and step.name not in only:
            continue
        if isinstance(known, click.Group) and step.name not in known.commands:
            click.echo(f"{step.name}: this version has no such benchmark.\n")
        elif not _run(step, quick, results):
            failed.append(step.name)
    if failed:
        raise click.ClickException(f"These did not finish: {', '.join(failed)}. What they said is above.")


def _run(step: Step, quick: bool, results: Path) -> bool:
    """Whether it finished. Its process is its own: what one has imported must not be in the next one's times."""
    file = results / f"{step.name}.json"
    began = time.monotonic()
    done = subprocess.run(  # noqa: S603  # our own interpreter and our own module
        [sys.executable, "-m", "benchmarks", step.name, *(step.quick if quick else step.options), "--json", str(file)],
        cwd=ROOT,
        check=False,
    )
    click.echo(f"\n{step.name}: {time.monotonic() - began:.0f} s → {file}\n")
    return done.returncode == 0
