"""How commands speak: tidy on a terminal, plain text in a pipe."""

from rich.console import Console

# soft_wrap: a URL or an ARN that is cut into two lines cannot be copied. highlight: colour means something here.
console = Console(highlight=False, soft_wrap=True)
errors = Console(highlight=False, soft_wrap=True, stderr=True)

_COLOURS = {"added": "green", "changed": "yellow", "removed": "red", "failed": "bold red"}
_SIGNS = {"add": "+", "change": "~", "remove": "-"}


def say_change(verb: str, resource: str, kind: str) -> None:
    """One line of a plan: + Bucket  S3 Bucket."""
    colour = _COLOURS.get({"add": "added", "change": "changed", "remove": "removed"}.get(verb, ""), "default")
    console.print(f"  [{colour}]{_SIGNS.get(verb, verb)}[/] {resource:<28} [dim]{kind}[/]")


def say_event(verb: str, resource: str, detail: str) -> None:
    """One finished step of an execution."""
    console.print(f"  [{_COLOURS.get(verb, 'default')}]{verb:<9}[/] {resource:<28} [dim]{detail}[/]")
