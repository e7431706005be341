"""From bytes to an estimator, with every way in which that fails told in a sentence.

joblib reads both formats; unpickling runs code, so only bytes whose checksum was checked come here.
"""

import io
import platform
import re
import warnings
from dataclasses import dataclass, field
from typing import Any

from predictor.errors import ModelBroken
from predictor.pandas_path import with_pandas_at_need

_IMPORTED_NAMES = {"sklearn": "scikit-learn", "PIL": "pillow", "cv2": "opencv-python"}


@dataclass(frozen=True, slots=True)
class Loaded:
    """An unpickled object; `fitted_with` is the scikit-learn version that wrote it, where that differs or is known."""

    estimator: Any
    fitted_with: str | None
    warnings: list[str] = field(default_factory=list)


def load(body: bytes) -> Loaded:
    """Unpickle. Raises: ModelBroken: it does not load; the message says why and what its author can do."""
    import joblib
    import sklearn

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")

        def unpickle() -> Any:
            # A second try is to say each warning once.
            caught.clear()
            return joblib.load(io.BytesIO(body))

        try:
            estimator = with_pandas_at_need(unpickle)
        except MemoryError:
            raise ModelBroken("The model needs more memory than this function has. Train a smaller one.") from None
        except ImportError as problem:
            raise ModelBroken(_explain_import(problem)) from problem
        except AttributeError as problem:
            raise ModelBroken(_explain_attribute(problem)) from problem
        except Exception as problem:  # a broken pickle may raise anything at all
            raise ModelBroken(
                "The file does not load as a pickle or joblib file: it is damaged, or of another format. "
                "Save the fitted model again with joblib.dump(model, 'model.joblib')."
            ) from problem
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
    name = _IMPORTED_NAMES.get(root, root)
    return (
        f"The model needs the Python module '{name}', which is not installed here. "
        "Build it from scikit-learn's own parts alone, or ask the operators to add the module to the container."
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
