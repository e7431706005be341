"""Draws the life of a version from its table."""

from typing import Any

from django.core.management.base import BaseCommand

from portal.registry import states


class Command(BaseCommand):
    help = "Print the states of a version, and what leads from one to the next, as a Mermaid diagram."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(draw_states())


def draw_states() -> str:
    """The table as Mermaid's stateDiagram-v2."""
    # In Mermaid a semicolon ends the statement.
    lines = [f"    {old} --> {new}: {why.replace(';', ',')}" for (old, new), why in states.LEGAL.items()]
    lasts = [state for state, _ in states.CHOICES if not any(old == state for old, _ in states.LEGAL)]
    ends = [f"    {state} --> [*]" for state in lasts]
    return "\n".join(["stateDiagram-v2", f"    [*] --> {states.UPLOADED}: a file comes in", *lines, *ends])
