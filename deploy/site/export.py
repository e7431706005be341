"""The page of one stack as a folder of files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.targets import Target


@dataclass(frozen=True)
class Site:
    """What was written.

    Attributes:
        files: names under `folder`, sorted
        headers: of every answer
    """

    folder: Path
    files: tuple[str, ...]
    headers: Mapping[str, str]


def export_site(target: Target, out: Path, models: list[str] | None) -> Site:
    """Raises: DeployError: the stack has no user pool"""
    raise NotImplementedError
