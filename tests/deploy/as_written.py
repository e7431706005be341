"""Outputs as they were written down: tests/deploy/golden/*.txt, compared exactly once what differs by chance is named.

PORTICO_WRITE_GOLDEN=1 writes them anew; look at the difference before it is committed.
"""

import os
import re
from pathlib import Path

FOLDER = Path(__file__).parent / "golden"
WRITE = bool(os.environ.get("PORTICO_WRITE_GOLDEN"))

_BY_CHANCE = (
    (r"http://127\.0\.0\.1:\d+", "http://EMULATOR"),
    (r"sha256:[0-9a-f]{64}", "sha256:DIGEST"),
    (r"content-[0-9a-f]{32}", "content-HASH"),
    (r"functions/[0-9a-f]{32}\.zip  \(\d+ files, [\d,]+ bytes\)", "functions/HASH.zip  (N files, N bytes)"),
    (r"-[0-9A-F]{13}\b", "-SUFFIX"),
    (r"ApiDeployment[0-9a-f]{8}\b", "ApiDeployment#"),
    (r"us-east-1_[A-Za-z0-9]+", "us-east-1_POOL"),
    (r"us-east-1:[0-9a-f-]{36}", "us-east-1:IDENTITIES"),
    (r"(CLIENT_ID +)[A-Za-z0-9]{20,}", r"\1CLIENT"),
    (r"(- )[0-9a-f-]{36}( +KMS Key)", r"\1KEY\2"),
    (r"key/[0-9a-f-]{36}", "key/KEY"),
    (r"portico-probe-bucket-[a-z0-9]+", "BUCKET"),
    (r"execute-api/[a-z0-9]+/", "execute-api/API/"),
    (r"(https://)[a-z0-9]+(\.execute-api)", r"\1API\2"),
    (r"\b\d{4}-\d\d-\d\d \d\d:\d\d UTC", "WHEN UTC"),
    (r"since \d{4}-\d\d-\d\d", "since DAY"),
    (r"\b\d+\.\d s\b", "0.0 s"),
)


def normalise(text: str) -> str:
    for pattern, name in _BY_CHANCE:
        text = re.sub(pattern, name, text, flags=re.MULTILINE)
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def assert_as_written(name: str, text: str) -> None:
    """The text is the one in golden/<name>.txt, but for what differs by chance."""
    file, found = FOLDER / f"{name}.txt", normalise(text)
    if WRITE:
        file.write_text(found, "utf-8")
    assert file.is_file(), f"{file} is not there: PORTICO_WRITE_GOLDEN=1 writes it"
    assert found == file.read_text("utf-8")
