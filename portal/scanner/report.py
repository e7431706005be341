"""What a scan answers, and how it says no."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any


@dataclass(frozen=True)
class Refusal:
    """One reason against a file, in sentences for the person who uploaded it."""

    what: str
    why: str
    remedy: str


class RefusedError(Exception):
    """The scan stops here: what follows in the file cannot be read without trusting what came before."""

    def __init__(self, what: str, why: str, remedy: str) -> None:
        super().__init__(what)
        self.refusal = Refusal(what, why, remedy)


@dataclass(frozen=True, kw_only=True)
class ScanReport:
    """The outcome. `format` says which loader may open the file: the other one would read other instructions in it.

    `member` and `member_format`: the model inside an MLflow archive. `trusted`: the types that a skops file names.
    `attachments`: small texts beside an MLflow model, by file name.
    """

    ok: bool
    format: str | None = None
    compression: str | None = None
    protocol: int | None = None
    size_bytes: int = 0
    uncompressed_bytes: int = 0
    sha256: str | None = None
    estimator: str | None = None
    steps: tuple[dict[str, str], ...] = ()
    fitted_with: str | None = None
    n_features: int | None = None
    feature_names: tuple[str, ...] | None = None
    globals: tuple[str, ...] = ()
    member: str | None = None
    member_format: str | None = None
    trusted: tuple[str, ...] = ()
    attachments: dict[str, str] = field(default_factory=dict)
    refusals: tuple[Refusal, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, answer: dict[str, Any]) -> "ScanReport":
        """A report as it was stored, also by an earlier release, which did not know all fields.

        Raises: KeyError, TypeError: not a report
        """
        known = {each.name: answer[each.name] for each in fields(cls) if each.name in answer or each.name == "ok"}
        for name in {"steps", "globals", "trusted"} & set(known):
            known[name] = tuple(known[name])
        if known.get("feature_names") is not None:
            known["feature_names"] = tuple(known["feature_names"])
        known["refusals"] = tuple(Refusal(**refusal) for refusal in known.get("refusals", ()))
        return cls(**known)


def refuse_form(what: str) -> RefusedError:
    """The file is not what scikit-learn, numpy or joblib write; who or what made it otherwise does not matter."""
    return RefusedError(
        what,
        "Files that scikit-learn, numpy, joblib and skops write never look like this: it is damaged or made by hand.",
        "Save the fitted model again with pickle.dump, joblib.dump or skops.io.dump, and upload that file.",
    )


def refuse_archive(what: str) -> RefusedError:
    return RefusedError(
        what,
        "Archives that skops, MLflow and ZIP programs write never look like this: it is damaged or made by hand.",
        "Save the fitted model again with skops.io.dump or mlflow.sklearn.save_model, and upload that file.",
    )


def refuse_size(what: str) -> RefusedError:
    return RefusedError(
        what,
        "A file that asks for more than any ordinary model needs could exhaust the machine that opens it.",
        "If the model is really this large, make it smaller (fewer or shallower trees, a smaller vocabulary).",
    )
