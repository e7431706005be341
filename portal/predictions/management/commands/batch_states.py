"""Draws the life of a batch from its table."""

from typing import Any

from django.core.management.base import BaseCommand

from portal.predictions import states


class Command(BaseCommand):
    help = "Print the states of a batch, and what leads from one to the next, as a Mermaid diagram."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(draw_states())


def draw_states() -> str:
    """The table as Mermaid's stateDiagram-v2."""
    # In Mermaid a semicolon ends the statement.
    lines = [f"    {old} --> {new}: {why.replace(';', ',')}" for (old, new), why in states.BATCH_CHANGES.items()]
    ends = [f"    {state} --> [*]" for state in states.FINISHED]
    return "\n".join(["stateDiagram-v2", f"    [*] --> {states.UPLOADING}: a file is announced", *lines, *ends])
