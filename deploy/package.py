"""The functions' code as a zip: the same files always give the same bytes and the same key."""

import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import DeployError

SOURCE = Path(__file__).parent.parent / "lambda_docker" / "predictor"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest a zip can say
_LEFT_OUT = {"__pycache__"}


@dataclass(frozen=True)
class Package:
    """A zip ready for S3; `key` changes exactly when a file's name or content does."""

    key: str
    body: bytes
    file_count: int


def build_package(source: Path = SOURCE) -> Package:
    """Zip the package folder `source`, under its own name.

    Raises: DeployError: the folder holds no Python file
    """
    files = [path for path in sorted(source.rglob("*")) if path.is_file() and not _LEFT_OUT & set(path.parts)]
    if not any(path.suffix == ".py" for path in files):
        raise DeployError(f"There is no code to package in {source}. Is this a complete checkout?")

    buffer, digest = io.BytesIO(), hashlib.sha256()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in files:
            name, content = path.relative_to(source.parent).as_posix(), path.read_bytes()
            entry = zipfile.ZipInfo(name, date_time=_EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
            # The content is hashed, not the zip: another zlib may pack the same files differently.
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return Package(key=f"functions/{digest.hexdigest()[:32]}.zip", body=buffer.getvalue(), file_count=len(files))
