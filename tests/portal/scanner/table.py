"""Two tables in Markdown: `python -m tests.portal.scanner.table` (minutes; needs what the tests need).

Hostile files by family, and every estimator of scikit-learn by family and form of file.
"""

import pickle
import tempfile
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
from skops import io as skops_io

from portal.scanner.limits import MIB, Limits
from portal.scanner.scan import scan
from tests.portal.scanner.estimators import family_of, fit_any, list_estimators
from tests.portal.scanner.families import FAMILIES

TIGHT = Limits(opcodes=100_000, uncompressed_bytes=32 * MIB)
COMPRESSIONS = ("zlib", "gzip", "bz2", "xz", "lzma")


def write_pickle(protocol: int) -> Callable[[Any, Path], Any]:
    return lambda model, path: path.write_bytes(pickle.dumps(model, protocol=protocol))


def write_joblib(compression: str) -> Callable[[Any, Path], Any]:
    return lambda model, path: joblib.dump(model, path, compress=(compression, 3))


FORMS: dict[str, Callable[[Any, Path], Any]] = {
    **{f"pickle {protocol}": write_pickle(protocol) for protocol in (2, 3, 4, 5)},
    "joblib": joblib.dump,
    **{f"joblib {compression}": write_joblib(compression) for compression in COMPRESSIONS},
    "skops": lambda model, path: path.write_bytes(skops_io.dumps(model)),
}


def count_hostile(folder: Path) -> dict[str, tuple[int, int]]:
    """Family → how many of its files were refused, of how many."""
    counted = {}
    path = folder / "model"
    for family, files in FAMILIES.items():
        refused = 0
        for make in files.values():
            path.write_bytes(make())
            refused += not scan(path, TIGHT).ok
        counted[family] = (refused, len(files))
    return counted


def count_ordinary(folder: Path) -> tuple[dict[str, Counter[str]], list[str]]:
    """Returns: family → form → how many passed ("of": how many there are), and a line for each that did not."""
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    notes = []
    for name, estimator in list_estimators().items():
        family = family_of(estimator)
        counted[family]["of"] += 1
        try:
            model = fit_any(estimator)
        except Exception as fault:
            notes.append(f"{name}: not fitted here ({fault})")
            continue
        for form, write in FORMS.items():
            try:
                write(model, folder / "model")
            except Exception as fault:
                notes.append(f"{name}: {form} does not save it ({fault})")
                continue
            report = scan(folder / "model", Limits())
            counted[family][form] += report.ok
            notes += [f"{name}: {form} is refused ({refusal.what})" for refusal in report.refusals]
    return counted, notes


def main() -> None:
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as name:
        print("| hostile files | refused | of |\n|---|---|---|")
        hostile = count_hostile(Path(name))
        for family, (refused, total) in hostile.items():
            print(f"| {family} | {refused} | {total} |")
        print(f"| **all** | {sum(r for r, _ in hostile.values())} | {sum(t for _, t in hostile.values())} |\n")
        ordinary, notes = count_ordinary(Path(name))
    print(f"| estimators | of | {' | '.join(FORMS)} |\n|---|---|{'---|' * len(FORMS)}")
    for family, counts in sorted(ordinary.items()):
        print(f"| {family} | {counts['of']} | {' | '.join(str(counts[form]) for form in FORMS)} |")
    print("\n" + "\n".join(f"- {note}" for note in notes))


if __name__ == "__main__":
    main()
