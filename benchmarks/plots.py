"""Figures → pictures for the documentation: `python -m benchmarks plots` reads NAME.json and draws NAME.svg.

SVG with its own paper, and a second set of colours for readers whose screens are dark.
"""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from benchmarks.bench import ROOT

FIGURES, IMAGES = ROOT / "docs" / "figures", ROOT / "docs" / "images"

# As drawn, in the light, in the dark. Each is drawn in a colour that nothing else has.
_COLOURS = {
    "#1f2329": ("--ink", "#1f2329", "#e8eaee"),
    "#d3d7de": ("--line", "#d3d7de", "#444b57"),
    "#fefefe": ("--paper", "#ffffff", "#15181d"),
    "#0b6e4f": ("--ours", "#0b6e4f", "#3fbf93"),
    "#8a93a3": ("--others", "#8a93a3", "#79839a"),
}
_INK, _LINE, _PAPER, _OURS, _OTHERS = _COLOURS

Row = Mapping[str, Any]


@click.command("plots")
@click.option("--figures", default=FIGURES, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", default=IMAGES, type=click.Path(exists=True, file_okay=False, path_type=Path))
def draw_all(figures: Path, out: Path) -> None:
    """Draw what the figures of `single`, `cold` and `http` show."""
    for name, (title, panels) in PICTURES.items():
        source = figures / f"{name}.json"
        if not source.is_file():
            click.echo(f"{name}: not drawn, there is no {source}")
            continue
        found = json.loads(source.read_text("utf-8"))
        picture = out / f"performance-{name}.svg"
        picture.write_text(draw(title, panels(found["rows"]), about=_about(found)), "utf-8")
        click.echo(f"{name}: {picture}")


def draw(title: str, panels: Sequence["Panel"], *, about: str) -> str:
    """An SVG of horizontal bars on scales of powers of ten, a panel for each of `panels`, two beside each other."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    settings = {"svg.fonttype": "none", "svg.hashsalt": "portico", "font.family": "sans-serif", "font.size": 9}
    with pyplot.rc_context(settings):
        across = min(2, len(panels))
        down = -(-len(panels) // across)
        height = sum(max(len(panel.bars) for panel in panels) for _ in range(down)) * 0.3 + down * 0.75 + 0.6
        figure, axes = pyplot.subplots(down, across, figsize=(10, height), layout="constrained", squeeze=False)
        figure.suptitle(title, color=_INK, fontsize=12, x=0.01, ha="left")
        figure.supxlabel(about, color=_INK, fontsize=7, x=0.01, ha="left")
        figure.patch.set_facecolor(_PAPER)
        for place, cell in enumerate(axes.flat):
            if place < len(panels):
                _draw_panel(cell, panels[place])
            else:
                cell.set_axis_off()
        written = io.StringIO()
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
        pyplot.close(figure)
    return _with_colours(written.getvalue())


class Panel:
    """Bars under a heading. bars: (label, value, is ours); values: how a value is written behind its bar"""

    def __init__(self, heading: str, bars: Sequence[tuple[str, float, bool]], write: Callable[[float], str]) -> None:
        self.heading, self.bars, self.write = heading, bars, write


def _draw_panel(axes: Any, panel: Panel) -> None:
    bars = list(reversed(panel.bars))
    values = [value for _, value, _ in bars]
    axes.barh(range(len(bars)), values, color=[_OURS if is_ours else _OTHERS for *_, is_ours in bars], height=0.7)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    axes.set_xlim(min(values) / 3, max(values) * 10)
    axes.set_yticks(range(len(bars)), [label for label, *_ in bars])
    for place, value in enumerate(values):
        axes.annotate(
            panel.write(value), (value, place), xytext=(4, 0), textcoords="offset points", va="center", color=_INK
        )
    axes.set_title(panel.heading, color=_INK, fontsize=10, loc="left")
    axes.set_facecolor(_PAPER)
    axes.tick_params(colors=_INK, which="both", length=0)
    axes.tick_params(axis="x", labelsize=7)
    axes.minorticks_off()
    axes.grid(axis="x", color=_LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _single(rows: Sequence[Row]) -> list[Panel]:
    return _by_model(rows, "variant", "median µs", _microseconds)


def _cold(rows: Sequence[Row]) -> list[Panel]:
    return _by_model(rows, "variant", "median ms", lambda value: f"{value:,.0f} ms")


def _http(rows: Sequence[Row]) -> list[Panel]:
    panels = []
    for model in dict.fromkeys(row["model"] for row in rows):
        # What the client can do at most is a note, no server of models.
        own = [row for row in rows if row["model"] == model and row["server"] in _SERVERS]
        panels.append(Panel(f"{_named(model)}: one client, p50", _bars(own, "server", "p50 ms"), _milliseconds))
        panels.append(
            Panel(
                f"{_named(model)}: eight clients", _bars(own, "server", "requests/s"), lambda value: f"{value:,.0f} /s"
            )
        )
    return panels


_SERVERS = ("Portico", "MLflow", "BentoML")
_MODELS = {
    "logreg": "LogisticRegression",
    "forest": "RandomForest of 100",
    "histgb": "HistGradientBoosting",
    "columns": "ColumnTransformer, one-hot",
}
PICTURES: dict[str, tuple[str, Callable[[Sequence[Row]], list[Panel]]]] = {
    "single": ("One prediction, warm, in process (log scale, shorter is better)", _single),
    "cold": ("From the start of a process to its first answer (log scale, shorter is better)", _cold),
    "http": ("Over HTTP, one worker (log scales; latency: shorter is better, requests per second: longer)", _http),
}


def _by_model(rows: Sequence[Row], label: str, figure: str, write: Callable[[float], str]) -> list[Panel]:
    models = dict.fromkeys(row["model"] for row in rows)
    return [
        Panel(_named(model), _bars([row for row in rows if row["model"] == model], label, figure), write)
        for model in models
    ]


def _bars(rows: Sequence[Row], label: str, figure: str) -> list[tuple[str, float, bool]]:
    return [(row[label], float(row[figure]), row[label].startswith("Portico")) for row in rows]


def _named(model: str) -> str:
    return _MODELS.get(model, model)


def _microseconds(value: float) -> str:
    return f"{value:,.0f} µs" if value < 1_000 else f"{value / 1_000:,.1f} ms"


def _milliseconds(value: float) -> str:
    return f"{value:.2f} ms" if value < 10 else f"{value:,.1f} ms"


def _about(found: Mapping[str, Any]) -> str:
    machine = found["machine"]
    quick = " Quick mode." if any("quick mode" in note for note in found["notes"]) else ""
    ran = f"python -m benchmarks {found['benchmark']}, {machine['date'][:10]}"
    return f"{ran}, {machine['processors']} processors, load {machine['load'][0]:.0f} at its end.{quick}"


def _with_colours(svg: str) -> str:
    """The SVG with its colours as variables, which a dark screen sets otherwise."""
    for drawn, (name, *_) in _COLOURS.items():
        svg = svg.replace(drawn, f"var({name})")
    light = "; ".join(f"{name}: {colour}" for name, colour, _ in _COLOURS.values())
    dark = "; ".join(f"{name}: {colour}" for name, _, colour in _COLOURS.values())
    style = f"<style>svg {{ {light} }} @media (prefers-color-scheme: dark) {{ svg {{ {dark} }} }}</style>"
    place = svg.index(">", svg.index("<svg")) + 1
    return f"{svg[:place]}\n {style}{svg[place:]}"
