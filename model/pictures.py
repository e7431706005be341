"""Pictures of a model's quality on the held-out rows: drawn to be read at 720 x 540, saved at twice that."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from sklearn.metrics import confusion_matrix

from model.quality import Split
from model.sample import Sample

ACCENT, INK, QUIET, HAIRLINE = "#2f6fdb", "#1d2433", "#667085", "#d5dae3"
TINTS = LinearSegmentedColormap.from_list("tints", ["#f4f7fd", ACCENT])
# DejaVu comes with matplotlib: the same letters, hence the same bytes, on every machine.
FONT = "DejaVu Sans"
PIXELS_PER_INCH, SCALE = 100, 2
Picture = dict[str, str]


def draw_pictures(sample: Sample, *, estimator: Any, split: Split, folder: Path) -> list[Picture]:
    """Draw the sample's pictures into `folder`/pictures/<n>.png; answers settings.json's list of them."""
    (folder / "pictures").mkdir(exist_ok=True)
    drawings = (draw_predicted, draw_residuals) if sample.is_regression else (draw_confusion, draw_calibration)
    pictures = []
    for number, draw in enumerate(drawings, start=1):
        figure = Figure(figsize=(7.2, 5.4), dpi=PIXELS_PER_INCH * SCALE, facecolor="white", layout="constrained")
        figure.get_layout_engine().set(w_pad=0.2, h_pad=0.2)  # type: ignore[union-attr,call-arg]
        canvas = FigureCanvasAgg(figure)
        title, alt = draw(figure.add_subplot(), sample, estimator, split)
        name = f"pictures/{number}.png"
        canvas.print_png(folder / name, metadata={"Software": None})
        pictures.append({"file": name, "title": title, "alt": alt})
    return pictures


def draw_confusion(axes: Axes, sample: Sample, estimator: Any, split: Split) -> tuple[str, str]:
    words = [pair[1] for pair in sample.classes or ()]
    actual, predicted = split.held_out_target, estimator.predict(split.held_out)
    counts = confusion_matrix(actual, predicted, labels=estimator.classes_)
    shares = counts / counts.sum(axis=1, keepdims=True)
    axes.imshow(shares, cmap=TINTS, vmin=0, vmax=1, aspect="auto")
    for (row, column), count in np.ndenumerate(counts):
        colour = "white" if shares[row, column] > 0.5 else INK
        place: dict[str, Any] = {"ha": "center", "color": colour, "fontfamily": FONT}
        axes.text(column, row, str(count), va="bottom", fontsize=22, **place)
        axes.text(column, row + 0.04, f"{shares[row, column]:.0%}", va="top", fontsize=11, **place)
    style_axes(axes, across=f"Predicted {sample.target_label.lower()}", up=f"Actual {sample.target_label.lower()}")
    axes.spines[:].set_visible(False)
    axes.set_xticks(range(len(words)), words, fontsize=12, fontfamily=FONT)
    axes.set_yticks(range(len(words)), words, fontsize=12, fontfamily=FONT)
    axes.tick_params(length=0)
    for edge in np.arange(len(words) - 1) + 0.5:
        axes.axhline(edge, color="white", linewidth=4)
        axes.axvline(edge, color="white", linewidth=4)
    right = int(np.trace(counts))
    rows = "; ".join(
        f"of {counts[i].sum()} rows that are {word}, "
        + ", ".join(f"{count} were called {words[j]}" for j, count in enumerate(counts[i]))
        for i, word in enumerate(words)
    )
    return "Confusion matrix", f"{right} of {counts.sum()} held-out rows were predicted right: {rows}."


def draw_calibration(axes: Axes, sample: Sample, estimator: Any, split: Split) -> tuple[str, str]:
    probabilities, happened, question = calibration_pairs(sample, estimator, split)
    said, came_true, sizes = bin_calibration(probabilities, happened)
    axes.plot([0, 1], [0, 1], color=HAIRLINE, linewidth=1.5, zorder=1)
    note: dict[str, Any] = {"color": QUIET, "fontsize": 10, "fontfamily": FONT}
    label_diagonal(axes, 0.77, "ideal")
    axes.plot(said, came_true, color=ACCENT, linewidth=2, zorder=2)
    axes.scatter(said, came_true, s=64, color=ACCENT, edgecolor="white", linewidth=1.5, zorder=3, clip_on=False)
    for x, y, size in zip(said, came_true, sizes, strict=True):
        above = y >= x
        axes.annotate(
            str(size),
            (x, y),
            (-9 if above else 9, 7 if above else -7),
            textcoords="offset points",
            ha="right" if above else "left",
            va="bottom" if above else "top",
            path_effects=[withStroke(linewidth=4, foreground="white")],
            **note,
        )
    style_axes(axes, across=f"Predicted probability {question}", up="Share that came true")
    axes.set(xlim=(-0.05, 1.05), ylim=(-0.1, 1.08))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks([0, 0.25, 0.5, 0.75, 1], ["0%", "25%", "50%", "75%", "100%"], fontfamily=FONT)
    legend = "Number at a point:\nhow many probabilities it stands for"
    axes.text(1.05, 0.0, legend, ha="right", va="bottom", linespacing=1.5, **note)
    brier = float(np.mean((probabilities - happened) ** 2))
    points = "; ".join(
        f"said {x:.0%}, came true {y:.0%} ({size})" for x, y, size in zip(said, came_true, sizes, strict=True)
    )
    alt = f"Predicted probability {question} against how often it came true on the held-out rows: {points}."
    return "Calibration", f"{alt} Brier score {brier:.3f} (0 is perfect)."


def calibration_pairs(sample: Sample, estimator: Any, split: Split) -> tuple[np.ndarray, np.ndarray, str]:
    """(n,) probabilities, (n,) whether it was so, and of what; with three classes or more, of every class in turn."""
    probabilities = estimator.predict_proba(split.held_out)
    is_class = split.held_out_target.to_numpy()[:, None] == estimator.classes_[None, :]
    if probabilities.shape[1] == 2:
        return probabilities[:, 1], is_class[:, 1], f"of {(sample.classes or ())[1][1].lower()}"
    return probabilities.ravel(), is_class.ravel(), "of each species" if sample.slug == "penguins" else "of each class"


def bin_calibration(probabilities: np.ndarray, happened: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean probability, share that came true and size of each of up to six bins of equal width, empty ones left out."""
    bins = np.minimum((probabilities * 6).astype(int), 5)
    sizes = np.bincount(bins, minlength=6)
    full = sizes > 0
    said = np.bincount(bins, weights=probabilities, minlength=6)[full] / sizes[full]
    came_true = np.bincount(bins, weights=happened, minlength=6)[full] / sizes[full]
    return said, came_true, sizes[full]


def draw_predicted(axes: Axes, sample: Sample, estimator: Any, split: Split) -> tuple[str, str]:
    actual, predicted = split.held_out_target.to_numpy(), estimator.predict(split.held_out)
    low, high = min(actual.min(), predicted.min()) - 10, max(actual.max(), predicted.max()) + 10
    axes.plot([low, high], [low, high], color=HAIRLINE, linewidth=1.5, zorder=1)
    axes.scatter(predicted, actual, s=42, color=ACCENT, alpha=0.65, edgecolor="white", linewidth=0.8, zorder=2)
    label_diagonal(axes, low + 0.9 * (high - low), "exactly right")
    name = sample.target_label.lower()
    style_axes(axes, across=f"Predicted {name} ({sample.target_unit})", up=f"Actual {name} ({sample.target_unit})")
    axes.set(xlim=(low, high), ylim=(low, high))
    error = np.abs(predicted - actual)
    r2 = 1 - np.sum(error**2) / np.sum((actual - actual.mean()) ** 2)
    return "Predicted against actual", (
        f"One point for each of {len(actual)} held-out rows. Predictions run from {predicted.min():.0f} to "
        f"{predicted.max():.0f} {sample.target_unit}, actual values from {actual.min():.0f} to {actual.max():.0f}. "
        f"R² is {r2:.2f}; half of the predictions are within {np.median(error):.0f} {sample.target_unit}."
    )


def draw_residuals(axes: Axes, sample: Sample, estimator: Any, split: Split) -> tuple[str, str]:
    actual, predicted = split.held_out_target.to_numpy(), estimator.predict(split.held_out)
    residuals = actual - predicted
    axes.axhline(0, color=HAIRLINE, linewidth=1.5, zorder=1)
    axes.scatter(predicted, residuals, s=42, color=ACCENT, alpha=0.65, edgecolor="white", linewidth=0.8, zorder=2)
    style_axes(
        axes,
        across=f"Predicted {sample.target_label.lower()} ({sample.target_unit})",
        up=f"Actual minus predicted ({sample.target_unit})",
    )
    reach = float(np.abs(residuals).max()) * 1.15
    axes.set_ylim(-reach, reach)
    low, high = np.quantile(residuals, [0.05, 0.95])
    return "Residuals", (
        f"Actual minus predicted value for {len(actual)} held-out rows. On average {residuals.mean():+.0f} "
        f"{sample.target_unit}; nine in ten lie between {low:+.0f} and {high:+.0f}; the largest error is "
        f"{np.abs(residuals).max():.0f}."
    )


def label_diagonal(axes: Axes, at: float, words: str) -> None:
    """Words along the line of equal values, just below it, centred at `at`."""
    axes.text(
        at,
        at,
        f"\n{words}",
        linespacing=1.5,
        rotation=45,
        rotation_mode="anchor",
        transform_rotates_text=True,
        ha="center",
        va="center",
        color=QUIET,
        fontsize=10,
        fontfamily=FONT,
        zorder=1,
    )


def style_axes(axes: Axes, *, across: str, up: str) -> None:
    """Quiet axes: two hairlines, ink for words, no grid, no frame."""
    axes.set_xlabel(across, color=INK, fontsize=12, labelpad=12, fontfamily=FONT)
    axes.set_ylabel(up, color=INK, fontsize=12, labelpad=12, fontfamily=FONT)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(HAIRLINE)
    axes.tick_params(colors=QUIET, labelsize=11, length=0, pad=8, labelfontfamily=FONT)
