"""From bytes to an estimator, with every way in which that fails told in a sentence.

joblib reads pickles as well as its own files; unpickling runs code, so only bytes whose checksum was checked come here.
"""

import io
import platform
import re
import warnings
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from predictor.errors import ModelBroken
from predictor.limits import in_megabytes, limit
from predictor.pandas_path import with_pandas_at_need

FORMATS = ("pickle", "joblib", "skops", "mlflow")

# What zipfile raises of a damaged or encrypted file, or of one packed in a way that it cannot read.
_ZIP_PROBLEMS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)
# What can be added to the image by name: lambda_docker/extras.
_EXTRAS = {"lightgbm": "LightGBM", "xgboost": "XGBoost", "catboost": "CatBoost"}
_IMPORTED_NAMES = {"sklearn": "scikit-learn", "PIL": "pillow", "cv2": "opencv-python"}


@dataclass(frozen=True, slots=True)
class Loaded:
    """A loaded object; `fitted_with` is the scikit-learn version that wrote it, where that differs or is known."""

    estimator: Any
    fitted_with: str | None
    warnings: list[str] = field(default_factory=list)


def load(
    body: bytes,
    *,
    format: str,
    member: str | None = None,
    member_format: str | None = None,
    trusted: Sequence[str] = (),
) -> Loaded:
    """Load a model.

    Args:   format: one of FORMATS; member, member_format: for mlflow, the file in the zip that holds the model, and its
            own format; trusted: for skops, the names of all types beyond skops' own that may be loaded
    Raises: ModelBroken: it does not load; the message says why and what its author can do
    """
    if format == "mlflow":
        # None and a zip within a zip are refused as unknown.
        body, format = read_member(body, member), "" if member_format == "mlflow" else member_format or ""
    reader = _READERS.get(format)
    if reader is None:
        raise ModelBroken(f"Models of the format '{format[:40]}' cannot be loaded here.")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")

        def read() -> Any:
            # A second try is to say each warning once.
            caught.clear()
            return reader(body, trusted)

        estimator = _explain_failures(read, format=format)
    return _with_words(estimator, caught)


def read_member(body: bytes, name: str | None) -> bytes:
    """One file out of a zip, unpacked to no more than a model may have. Raises: ModelBroken."""
    allowed = limit("PORTICO_MODEL_MAX_BYTES")
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            # Two entries of one name: what was looked at may have been the other one.
            if [entry.filename for entry in archive.infolist()].count(name or "") != 1:
                raise ModelBroken(f"The zip file must hold one file '{name}'. Zip the model's folder again.")
            with archive.open(str(name)) as stream:
                content = stream.read(allowed + 1)
    except _ZIP_PROBLEMS as problem:
        raise ModelBroken("The zip file is damaged or encrypted. Zip the model's folder again.") from problem
    if len(content) > allowed:
        raise ModelBroken(f"The model's file in the zip unpacks to more than {in_megabytes(allowed)}.")
    return content


def _read_with_joblib(body: bytes, _: Sequence[str]) -> Any:
    import joblib

    return joblib.load(io.BytesIO(body))


def _read_with_skops(body: bytes, trusted: Sequence[str]) -> Any:
    # Here: it imports the whole of scikit-learn, which the other formats' starts need not wait for.
    import skops.io  # type: ignore[import-untyped]

    unknown = sorted(set(skops.io.get_untrusted_types(data=body)) - set(trusted))
    if unknown:
        raise ModelBroken(
            f"The file names types that nobody has allowed: {', '.join(unknown[:5])}. Build the model from "
            "scikit-learn's own parts, or ask the operators to add these types to the list of allowed ones."
        )
    return skops.io.loads(body, trusted=list(trusted))


_READERS: dict[str, Callable[[bytes, Sequence[str]], Any]] = {
    "pickle": _read_with_joblib,
    "joblib": _read_with_joblib,
    "skops": _read_with_skops,
}


def _explain_failures(read: Callable[[], Any], *, format: str) -> Any:
    """What `read()` returns. Raises: ModelBroken, for whatever `read` raises."""
    try:
        return with_pandas_at_need(read)
    except ModelBroken:
        raise
    except MemoryError:
        raise ModelBroken("The model needs more memory than this function has. Train a smaller one.") from None
    except ImportError as problem:
        raise ModelBroken(_explain_import(problem)) from problem
    except AttributeError as problem:
        raise ModelBroken(_explain_attribute(problem)) from problem
    except Exception as problem:  # a broken file may raise anything at all
        named, again = (
            ("a skops", "skops.io.dump(model, 'model.skops')")
            if format == "skops"
            else ("a pickle or joblib", "joblib.dump(model, 'model.joblib')")
        )
        raise ModelBroken(
            f"The file does not load as {named} file: it is damaged, or of another format. "
            f"Save the fitted model again with {again}."
        ) from problem


def _with_words(estimator: Any, caught: list[warnings.WarningMessage]) -> Loaded:
    import sklearn

    older = [
        str(found.message.original_sklearn_version)
        for found in caught
        if hasattr(found.message, "original_sklearn_version")
    ]
    fitted_with = older[0] if older else _own_version(estimator, sklearn.__version__)
    return Loaded(estimator=estimator, fitted_with=fitted_with, warnings=_in_plain_words(caught, older))


def versions(fitted_with: str | None) -> dict[str, str | None]:
    """The versions that serve, and the one that the model was fitted with."""
    import numpy
    import sklearn

    return {
        "python": platform.python_version(),
        "scikit-learn": sklearn.__version__,
        "numpy": numpy.__version__,
        "fitted_with": fitted_with,
    }


def _own_version(estimator: Any, current: str) -> str | None:
    """scikit-learn warns of any other version than its own, so silence means the same one."""
    return current if hasattr(estimator, "get_params") else None


def _in_plain_words(caught: list[warnings.WarningMessage], older: list[str]) -> list[str]:
    import sklearn

    said = []
    if older:
        said.append(
            f"It was fitted with scikit-learn {older[0]} and is served by {sklearn.__version__}. Compare some "
            "predictions with those you know, or fit it again with the newer version."
        )
    others = {
        str(found.message).strip().splitlines()[0]
        for found in caught
        if not hasattr(found.message, "original_sklearn_version") and str(found.message).strip()
    }
    return said + [f"Loading it warned: {message}" for message in sorted(others)[:5]]


def _explain_import(problem: ImportError) -> str:
    import sklearn

    module = problem.name or ""
    root = module.split(".")[0]
    if root in ("sklearn", "numpy", "scipy", "joblib") or not root:
        return (
            f"The model was saved by a version of {_IMPORTED_NAMES.get(root, root or 'scikit-learn')} that differs "
            f"too much from the one here (scikit-learn {sklearn.__version__}): {problem}. "
            "Fit and save it again with this version."
        )
    if root in _EXTRAS:
        return (
            f"The model needs {_EXTRAS[root]}, which is not installed here. It is an optional part of Portico: "
            f"ask the administrator to add it by starting Portico with PORTICO_EXTRAS={root}."
        )
    name = _IMPORTED_NAMES.get(root, root)
    return (
        f"The model needs the Python module '{name}', which is not installed here. Build it from scikit-learn's own "
        "parts alone, or ask the administrator to add that package's wheel to lambda_docker/wheels."
    )


def _explain_attribute(problem: AttributeError) -> str:
    import sklearn

    name, module = _read_attribute(str(problem))
    if module in ("__main__", "__mp_main__", "builtins"):
        return (
            f"The model uses '{name}', which was defined in the notebook or script that saved it "
            "and is not in the file. Use scikit-learn's own transformers instead, and save the model again."
        )
    if module and not module.startswith(("sklearn", "numpy", "scipy")):
        return (
            f"The model uses '{name}' of the module '{module}', which the version installed here "
            "does not have. Build it from scikit-learn's own parts alone."
        )
    return (
        f"The model was saved by a version of scikit-learn that differs too much from {sklearn.__version__}. "
        "Fit and save it again with this version."
    )


def _read_attribute(message: str) -> tuple[str, str]:
    """The attribute that is lacking and its module, from either unpickler's message; empty where it says neither."""
    for pattern in (
        r"Can't get attribute '(?P<name>[^']+)' on <module '(?P<module>[^']+)'",
        r"module '(?P<module>[^']+)' has no attribute '(?P<name>[^']+)'",
    ):
        found = re.search(pattern, message)
        if found:
            return found["name"], found["module"]
    return "", ""
