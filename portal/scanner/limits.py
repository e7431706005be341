"""How much of everything a scan may use before the file is refused."""

from dataclasses import asdict, dataclass
from typing import Any

MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Hard limits. Measured: a forest of 500 trees on 5,000 rows takes 0.1 million opcodes and 0.4 s; a vocabulary of
    one million words takes 3 million opcodes and 3.5 s.
    """

    uncompressed_bytes: int = 1024 * MIB
    opcodes: int = 10_000_000
    depth: int = 5_000
    text_bytes: int = 64 * MIB
    schema_bytes: int = 128 * MIB
    held_bytes: int = 256 * MIB
    memory_bytes: int = 1536 * MIB
    cpu_s: int = 30
    wall_clock_s: float = 60.0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
