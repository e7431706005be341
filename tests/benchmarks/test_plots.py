"""Pictures of figures: what is drawn, readable in the light and in the dark."""

import json

from click.testing import CliRunner

from benchmarks.plots import Panel, draw, draw_all

_FIGURES = {
    "benchmark": "http",
    "machine": {"date": "2026-11-28T12:00:00+00:00", "processors": 2, "load": [1.6, 1.0, 1.0]},
    "notes": ["3 rounds, quick mode, the servers in turns."],
    "rows": [
        {"model": "logreg", "server": "Portico", "p50 ms": 0.25, "requests/s": 4321},
        {"model": "logreg", "server": "MLflow", "p50 ms": 6.5, "requests/s": 192},
        {"model": "logreg", "server": "a server that does nothing", "p50 ms": 0.02, "requests/s": 50000},
    ],
}


def test_picture_has_every_bar_with_its_value_and_colours_for_both_screens():
    svg = draw("A title", [Panel("A model", [("Portico", 2.0, True), ("other", 300.0, False)], str)], about="whence")

    for said in ("A title", "A model", "Portico", "other", ">2.0<", ">300.0<", "whence"):
        assert said in svg
    assert "prefers-color-scheme: dark" in svg
    assert svg.count("var(--ours)") > 0
    assert "#1f2329;" in svg.partition("</style>")[0]
    assert "#1f2329" not in svg.partition("</style>")[2]


def test_plots_of_http_say_what_was_run_and_leave_the_ceiling_out(tmp_path):
    (tmp_path / "http.json").write_text(json.dumps(_FIGURES))

    done = CliRunner().invoke(draw_all, ["--figures", str(tmp_path), "--out", str(tmp_path)])

    svg = (tmp_path / "performance-http.svg").read_text()
    assert done.exit_code == 0
    assert "single: not drawn" in done.output
    assert "0.25 ms" in svg
    assert "4,321 /s" in svg
    assert "does nothing" not in svg
    assert "2026-11-28, 2 processors, load 2 at its end. Quick mode." in svg
