"""How far a batch is, in figures and words for the running page."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from portal.predictions import states
from portal.predictions.models import Batch

TRUSTWORTHY_S = 2.0  # a rate of less is an accident


@dataclass(frozen=True)
class Pace:
    """What the running page says. `percent` is None while nobody knows; `left` is empty then too."""

    stage: str
    percent: int | None
    rows_per_s: float | None
    left: str
    rows: int
    scored: int
    failed: int
    parts: int
    parts_done: int

    @property
    def title(self) -> str:
        """The beginning of the page's title."""
        return self.stage if self.percent is None else f"{self.percent} %"


def pace_of(batch: Batch) -> Pace:
    """The last that is known of the batch, in words."""
    known = batch.progress
    seconds, base = _seconds(batch), known.get("base") or {}
    rows, is_running = int(known.get("rows") or 0), batch.state == states.RUNNING
    scored_now = rows - base.get("rows", 0)
    return Pace(
        stage=_stage(batch),
        percent=batch.progress_percent if is_running else None,
        rows_per_s=scored_now / seconds if is_running and scored_now > 0 and seconds >= TRUSTWORTHY_S else None,
        left=_left(batch, seconds) if is_running else "",
        rows=rows,
        scored=int(known.get("scored") or 0),
        failed=int(known.get("failed") or 0),
        parts=int(known.get("parts") or 0),
        parts_done=int(known.get("parts_done") or 0),
    )


def in_words(seconds: float) -> str:
    """A length of time as people say it."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    if seconds < 3600:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"


def _stage(batch: Batch) -> str:
    if batch.state == states.QUEUED:
        return "Queued: it begins in a moment"
    if batch.state == states.PLANNING:
        planned, size_bytes = batch.progress.get("planned_bytes") or 0, batch.progress.get("size_bytes") or 0
        share = f", {min(100, int(100 * planned / size_bytes))} %" if planned and size_bytes else ""
        return f"Reading the file and cutting it into parts{share}"
    return "Putting the result together" if batch.progress.get("stage") == "finishing" else "Scoring"


def _seconds(batch: Batch) -> float:
    """For how long this attempt has run; the job's own clock goes on between two."""
    if batch.attempt > 1 and batch.started_at:
        return (timezone.now() - batch.started_at).total_seconds()
    return float(batch.progress.get("seconds") or 0)


def _left(batch: Batch, seconds: float) -> str:
    done, all_bytes = batch.progress.get("bytes_done") or 0, batch.progress.get("size_bytes") or 0
    done_now = done - (batch.progress.get("base") or {}).get("bytes_done", 0)
    if seconds < TRUSTWORTHY_S or done_now <= 0 or done >= all_bytes:
        return ""
    return f"about {in_words(seconds * (all_bytes - done) / done_now)} left"
