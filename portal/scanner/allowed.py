"""The list of things a model file may name: reads `allowed.json`, which `lambda_docker/allowlist.py` writes."""

import json
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal

Grant = Literal["estimator", "class", "constructor", "value", "reconstructor"]
Pair = tuple[str, str]

LIST = Path(__file__).with_name("allowed.json")
LISTED: dict[str, Grant] = {
    "estimators": "estimator",
    "classes": "class",
    "constructors": "constructor",
    "values": "value",
}


def show(text: str) -> str:
    """A name of the file as it may stand in a sentence: short, and nothing that breaks or hides a line."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:100])


@cache
def load_grants() -> MappingProxyType[Pair, Grant]:
    """(module, name) → what the file may do with it. Exact pairs: no prefix, no dotted name, no module as a whole."""
    listed = json.loads(LIST.read_text(encoding="utf-8"))
    grants: dict[Pair, Grant] = {}
    for part in (listed, *listed["packages"].values()):
        for key, grant in LISTED.items():
            for module, names in part.get(key, {}).items():
                grants.update({(module, name): grant for name in names})
    return MappingProxyType(grants)
