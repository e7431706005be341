"""How commands speak: tidy on a terminal, plain text in a pipe."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

Note = Callable[[str], None]
Step = Callable[[str], AbstractContextManager[Note]]

# soft_wrap: a URL or an ARN that is cut into two lines cannot be copied. highlight: colour means something here.
console = Console(highlight=False, soft_wrap=True)
errors = Console(highlight=False, soft_wrap=True, stderr=True)

_COLOURS = {"added": "green", "changed": "yellow", "replaced": "yellow", "removed": "red", "failed": "bold red"}
_SIGNS = {"add": "+", "change": "~", "replace": "±", "remove": "-"}
_DONE = {"add": "added", "change": "changed", "replace": "replaced", "remove": "removed"}


def say_change(verb: str, resource: str, kind: str) -> None:
    """One line of a plan: + Bucket  S3 Bucket."""
    colour = _COLOURS.get(_DONE.get(verb, ""), "default")
    line = f"{resource:<28} [dim]{kind}[/]" if kind else resource
    console.print(f"  [{colour}]{_SIGNS.get(verb, verb)}[/] {line}")


def say_loss(resource: str, kind: str, data: str, *, how: str, keeps_old: bool) -> None:
    """One line of a plan that takes data away; `how` is "replaced", "perhaps replaced" or "removed"."""
    sign = _SIGNS["remove" if how == "removed" else "replace"]
    lost = "out of the stack, though still in the account" if keeps_old else "lost"
    console.print(f"  [bold red]{sign} {resource:<28} {kind}, {how.upper()}; {lost}: {data}[/]")


def summarise_changes(verbs: Iterable[str]) -> str:
    """3 added, 1 changed."""
    counts = Counter(verbs)
    return ", ".join(f"{counts[verb]} {word}" for verb, word in _DONE.items() if counts[verb]) + "."


def say_event(verb: str, resource: str, detail: str) -> None:
    """One finished step of an execution."""
    console.print(f"  [{_COLOURS.get(verb, 'default')}]{verb:<9}[/] {resource:<28} [dim]{detail}[/]")


def say_finding(outcome: str, name: str, what: str, mend: str) -> None:
    """One line of doctor's report; how to mend it stands below."""
    sign = {"ok": "[green]✓[/]", "failed": "[bold red]✗[/]"}.get(outcome, "[dim]–[/]")
    # As wide as the longest name: "port of LocalStack".
    console.print(f"{sign} {name:<18}  {escape(what)}", style="dim" if outcome == "skipped" else None)
    if mend:
        console.print(f"  {'':<18}  → {escape(mend)}")


@contextmanager
def step(title: str, *, is_announced: bool = True) -> Iterator[Note]:
    """Say what is being done, and how long it took; a failed step is named before its reason is.

    What the body notes, by calling what it is given, stands behind the time.
    """
    notes: list[str] = []
    started = time.monotonic()
    if is_announced:
        console.print(f"[dim]•[/] {title} …")
    try:
        yield notes.append
    except Exception:
        console.print(f"[bold red]✗[/] {title} [dim]{time.monotonic() - started:.1f} s[/]")
        raise
    said = "".join(f"  {escape(note)}" for note in notes)
    console.print(f"[green]✓[/] {title} [dim]{time.monotonic() - started:.1f} s{said}[/]")


@contextmanager
def progress(title: str) -> Iterator[Callable[[int, int, str], None]]:
    """A step with a bar on a terminal; in a pipe, its name and its time."""
    columns = (TextColumn("  {task.description}"), BarColumn(), TaskProgressColumn())
    with step(title), Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:
        task = shown.add_task("", total=None)

        def advance(done: int, total: int, what: str) -> None:
            shown.update(task, completed=done, total=total, description=escape(what))

        yield advance
