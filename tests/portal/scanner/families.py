"""All hostile files by family."""

from collections.abc import Callable

from tests.portal.scanner.hostile import MALFORMED, OTHER_FILES, RUNNING
from tests.portal.scanner.hostile_archives import BOMBS, MLFLOW, SKOPS, ZIPS
from tests.portal.scanner.hostile_numbers import NUMBERS
from tests.portal.scanner.hostile_pickles import AT_PREDICTION, CUT, NESTED, OPCODES, TRAILING

# Family → name of the file → its bytes.
FAMILIES: dict[str, dict[str, Callable[[], bytes]]] = {
    "runs code while it is loaded": RUNNING,
    "tricks of single instructions": OPCODES,
    "pickle in a pickle, after or inside an array": NESTED,
    "waits for a prediction": AT_PREDICTION,
    "numbers that compiled code follows": NUMBERS,
    "bombs": BOMBS,
    "malformed": MALFORMED,
    "cut short": CUT,
    "more after the end": TRAILING,
    "another kind of file": {kind: lambda content=content: content for kind, (content, _word) in OTHER_FILES.items()},
    "ZIP archives": ZIPS,
    "skops": SKOPS,
    "MLflow": MLFLOW,
}
CASES = [(family, name) for family, files in FAMILIES.items() for name in files]
