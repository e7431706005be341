"""What the functions' image is built from, as a name: the same content is not built and pushed twice."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from docker.utils.build import exclude_paths

from deploy.errors import DeployError

FOLDER = Path(__file__).parent.parent.parent / "lambda_docker"
PLATFORM = "linux/amd64"
CONTENT_TAG = "content-"


@dataclass(frozen=True)
class Source:
    """A folder with a Dockerfile, and what the build is told.

    Attributes:
        arguments: the Dockerfile's ARGs
    """

    folder: Path = FOLDER
    arguments: Mapping[str, str] = field(default_factory=dict)
    platform: str = PLATFORM

    @classmethod
    def from_environment(cls) -> Source:
        """As docker-compose.yml has it: PORTICO_BASE and PORTICO_EXTRAS, where they are set."""
        given = {"BASE": os.environ.get("PORTICO_BASE"), "EXTRAS": os.environ.get("PORTICO_EXTRAS")}
        return cls(arguments={name: value for name, value in given.items() if value})

    @property
    def tag(self) -> str:
        """Changes exactly when a file that the build may read does, its right to run, or what the build is told.

        Raises: DeployError: there is nothing to build
        """
        dockerfile = self.folder / "Dockerfile"
        if not dockerfile.is_file():
            raise DeployError(f"There is no Dockerfile in {self.folder}. Is this a complete checkout?")
        digest = hashlib.sha256(repr((self.platform, sorted(self.arguments.items()))).encode())
        for name in sorted(exclude_paths(str(self.folder), self._left_out())):
            path = self.folder / name
            if path.is_file():
                content = path.read_bytes()
                digest.update(f"{name}\0{os.access(path, os.X_OK)}\0{len(content)}\0".encode() + content)
        return f"{CONTENT_TAG}{digest.hexdigest()[:32]}"

    def _left_out(self) -> list[str]:
        ignored = self.folder / ".dockerignore"
        lines = ignored.read_text("utf-8").splitlines() if ignored.is_file() else []
        return [line.strip() for line in lines if line.strip() and not line.startswith("#")]
