"""`python -m benchmarks NAME [--json FILE]`."""

import json
from collections.abc import Callable
from pathlib import Path

import click

from benchmarks import cold_start, image_size
from benchmarks.report import Report, machine

BENCHMARKS: dict[str, Callable[[], Report]] = {
    "image-size": image_size.measure,
    "cold-start": cold_start.measure,
}


@click.command()
@click.argument("name", type=click.Choice(sorted(BENCHMARKS)))
@click.option(
    "--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures there too."
)
def main(name: str, json_file: Path | None) -> None:
    """Run one benchmark and print its table."""
    report = BENCHMARKS[name]()
    click.echo(report.to_text())
    if json_file is not None:
        figures = {"benchmark": name, "machine": machine(), **report.to_json()}
        json_file.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
