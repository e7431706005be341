"""`python -m benchmarks NAME [--json FILE]`; `python -m benchmarks NAME --help` lists a benchmark's own options."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from benchmarks import bench, cold, cold_start, cost, http, image_size, models, page, parity, plots, single
from benchmarks.batch import memory, mlflow_server, plot, scale, speed
from benchmarks.batch.cases import CASES
from benchmarks.batch.processes import ROOT
from benchmarks.peers.environments import CACHE
from benchmarks.portal import measure as portal
from benchmarks.report import Report, machine

FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)

TO_JSON = click.option("--json", "json_file", type=FILE, help="Write the figures there too.")
AS_MARKDOWN = click.option("--markdown", is_flag=True, help="Print the table as docs/performance.md has it.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Run one benchmark and print its table."""


def register(name: str, measure: Callable[..., Report], *options: Callable[[Any], Any]) -> None:
    """Make a command of a benchmark; its options are `measure`'s keyword arguments."""

    def run(json_file: Path | None, markdown: bool, **arguments: Any) -> None:
        report = measure(**arguments)
        click.echo(report.to_markdown() if markdown else report.to_text())
        if json_file is not None:
            figures = {"benchmark": name, "machine": machine(), **report.to_json()}
            json_file.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")

    for option in (*reversed(options), AS_MARKDOWN, TO_JSON):
        run = option(run)
    main.command(name, help=measure.__doc__ and measure.__doc__.splitlines()[0])(run)


ROWS = click.option("--rows", default=1_000_000, show_default=True)
THREADS = click.option("--threads", type=int, help="OMP_NUM_THREADS; left out: not set.")
PREDICTOR = click.option(
    "--predictor", default=ROOT / "lambda_docker", type=FOLDER, help="lambda_docker of another checkout, to compare."
)
PEERS_CACHE = click.option(
    "--cache", default=CACHE, type=click.Path(path_type=Path), help="Where the peers' environments are kept."
)
QUICK = click.option("--quick", is_flag=True, help="Fewer rounds and rows: rougher figures, sooner.")
WHERE = click.option("--folder", type=FOLDER, help="Where inputs and outputs lie meanwhile.")

register("image-size", image_size.measure)
register("cold-start", cold_start.measure)
register(
    "cold",
    cold.measure,
    click.option("--rounds", default=7, show_default=True),
    click.option(
        "--model", "names", multiple=True, type=click.Choice(models.MODELS), help="May be given several times."
    ),
    click.option(
        "--memory",
        "memory_mb",
        multiple=True,
        type=int,
        help="MB: once more with such a function's share of a processor.",
    ),
)
register("page", page.measure, click.option("--rounds", default=7, show_default=True))
register(
    "parity",
    parity.measure,
    click.option("--rows", default=500, show_default=True, help="Of its own table that each model answers."),
)
register(
    "cost",
    cost.measure,
    click.option("--figures", default=cost.FIGURES, type=FOLDER, help="Where other benchmarks' JSON is."),
)
register(
    "single",
    single.measure,
    click.option("--rounds", default=7, show_default=True),
    click.option("--peers/--no-peers", "with_peers", default=True, show_default=True, help="With MLflow and BentoML."),
    QUICK,
    PEERS_CACHE,
)
register(
    "http",
    http.measure,
    click.option("--rounds", default=7, show_default=True),
    click.option(
        "--model", "models", multiple=True, type=click.Choice(models.MODELS), help="May be given several times."
    ),
    QUICK,
    THREADS,
    PEERS_CACHE,
)
register(
    "batch",
    speed.measure,
    ROWS,
    click.option("--rounds", default=7, show_default=True),
    click.option(
        "--model", "models", multiple=True, type=click.Choice(list(CASES)), help="May be given several times."
    ),
    click.option(
        "--last-digit", "is_last_digit_free", is_flag=True, help="Count last digits that differ; else it ends."
    ),
    click.option("--limit/--no-limit", default=True, show_default=True, help="With polars as a limit."),
    THREADS,
    WHERE,
    PREDICTOR,
)
register(
    "batch-memory",
    memory.measure,
    ROWS,
    click.option("--large-mb", default=6_000, show_default=True, help="Of the large file; three times that is used."),
    THREADS,
    WHERE,
    PREDICTOR,
)
register(
    "batch-scale",
    scale.measure,
    click.option("--rows", default=2_000_000, show_default=True),
    click.option("--rounds", default=3, show_default=True),
    click.option("--threads", default=1, show_default=True, help="OMP_NUM_THREADS; in the image it is 1."),
    click.option(
        "--part-seconds", "steps_file", type=FILE, help="Measured steps: read where the file is there, else written."
    ),
    WHERE,
    PREDICTOR,
)
register(
    "batch-mlflow",
    mlflow_server.measure,
    click.option("--rows", default=100_000, show_default=True),
    click.option("--rounds", default=7, show_default=True),
    PEERS_CACHE,
    THREADS,
    WHERE,
    PREDICTOR,
)
register(
    "batch-memory-plot",
    plot.measure,
    click.option("--target", type=click.Choice(list(plot.STARTED_BY)), default="embedded", show_default=True),
    click.option(
        "--megabytes",
        default=2_000,
        show_default=True,
        help="Of CSV; make up's emulator takes eight times that in memory.",
    ),
    click.option("--out", default=plot.IMAGES, type=FOLDER, help="Where the plot and its JSON go."),
)
register(
    "portal",
    portal.measure,
    ROWS,
    click.option("--database", type=click.Choice(("sqlite", "postgresql")), default="sqlite", show_default=True),
    click.option("--rounds", default=20, show_default=True),
    click.option(
        "--folder",
        type=click.Path(file_okay=False, path_type=Path),
        help="Where databases are kept, and used again; else they are gone afterwards.",
    ),
    click.option("--crowd/--no-crowd", "with_crowd", default=True, show_default=True, help="With 50 people at once."),
    click.option("--quick", "is_quick", is_flag=True, help="In a minute or so: 50,000 rows, 3 rounds, no crowd."),
)

main.add_command(bench.run_all)
main.add_command(plots.draw_all)


if __name__ == "__main__":
    main()
