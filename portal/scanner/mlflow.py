"""A folder that MLflow wrote, zipped: which one of its members may be loaded, and what MLflow says about the model.

Only that member is ever loaded, without MLflow: neither code nor requirements that the folder brings along count.
`MLmodel` is read line by line for the few entries that matter; whatever else YAML can say is not interpreted.
Source: mlflow/sklearn/__init__.py (`save_model`) and mlflow/models/model.py of MLflow 2.9 to 3.18.
"""

import re
from dataclasses import dataclass

from portal.scanner.archives import Archive, is_safe_name
from portal.scanner.report import RefusedError, refuse_archive, refuse_size

DESCRIPTION = "MLmodel"
EXAMPLES = ("input_example.json", "serving_input_example.json")
MAX_ATTACHMENT = 256 * 1024
ENTRY = re.compile(r"(?P<indent> *)(?P<key>[A-Za-z_][\w.-]*):(?: +(?P<value>\S.*?))? *")
QUOTED = re.compile(r"'(?P<single>[^'\\]*)'|\"(?P<double>[^\"\\]*)\"|(?P<plain>[\w./][\w./ -]*)")
EMPTY = {"", "null", "~", "''", '""'}


@dataclass(frozen=True)
class MlflowModel:
    """`member` is the path of the model's own file in the archive."""

    member: str
    attachments: dict[str, str]


def find_description(archive: Archive) -> str | None:
    """The path of MLmodel, at the top or in a folder there; None if there is none. Raises: RefusedError: several"""
    found = [name for name in archive.members if name.split("/")[-1] == DESCRIPTION and name.count("/") <= 1]
    if len(found) > 1:
        raise RefusedError(
            "It holds several MLflow models.",
            "A version of a model in Portico is one model.",
            "Zip the folder of one model, the one with its MLmodel file, and upload that.",
        )
    return found[0] if found else None


def read_model(archive: Archive, description: str) -> MlflowModel:
    """Raises: RefusedError: not a scikit-learn model, or one that needs code of its own"""
    folder = description.removesuffix(DESCRIPTION)
    text = read_text(archive, description)
    flavors = read_flavors(text)
    if "sklearn" not in flavors:
        raise refuse_flavor(flavors)
    for flavor in flavors.values():
        if flavor.get("code", "") not in EMPTY:
            raise RefusedError(
                "It brings code of its own along (code_paths).",
                "Portico loads the model alone, and runs no code that comes with it.",
                "Save it without code_paths; if the model needs that code, ask the administrator to add its package.",
            )
    path = unquote(flavors["sklearn"].get("pickled_model", ""))
    if path is None or not is_safe_name(path) or f"{folder}{path}" not in archive.members:
        raise refuse_archive("Its MLmodel does not name a file of the archive as its scikit-learn model.")
    examples = {name: f"{folder}{name}" for name in EXAMPLES if f"{folder}{name}" in archive.members}
    texts = {name: read_text(archive, member) for name, member in examples.items() if is_short(archive, member)}
    return MlflowModel(member=f"{folder}{path}", attachments={DESCRIPTION: text, **texts})


def read_flavors(text: str) -> dict[str, dict[str, str]]:
    """Name of each flavor → its plain entries, as written: the block `flavors:` of MLmodel, two spaces a level."""
    flavors: dict[str, dict[str, str]] = {}
    is_inside, current = False, None
    for line in text.splitlines():
        entry = ENTRY.fullmatch(line)
        if line[:1] not in (" ", "", "#"):
            if entry and entry["key"] == "flavors" and (is_inside or flavors or entry["value"]):
                raise refuse_archive("Its MLmodel does not list its flavors as MLflow does.")
            is_inside = bool(entry and entry["key"] == "flavors")
        elif is_inside and entry and len(entry["indent"]) == 2:
            current = flavors.setdefault(entry["key"], {})
            if current or entry["value"]:
                raise refuse_archive("Its MLmodel does not list its flavors as MLflow does.")
        elif is_inside and entry and len(entry["indent"]) == 4 and current is not None:
            if entry["key"] in current:
                raise refuse_archive(f"Its MLmodel says {entry['key'][:60]} twice.")
            current[entry["key"]] = entry["value"] or ""
    return flavors


def unquote(value: str) -> str | None:
    found = QUOTED.fullmatch(value)
    return next((part for part in found.groups() if part is not None), None) if found else None


def is_short(archive: Archive, member: str) -> bool:
    """Examples of many rows are left out: a form needs one."""
    return archive.members[member].file_size <= MAX_ATTACHMENT


def read_text(archive: Archive, member: str) -> str:
    if not is_short(archive, member):
        raise refuse_size(f"Its {member[:100]} is larger than {MAX_ATTACHMENT // 1024} KiB.")
    try:
        return archive.read(member, at_most=MAX_ATTACHMENT).decode("utf-8")
    except UnicodeDecodeError as fault:
        raise refuse_archive(f"Its {member[:100]} is not text in UTF-8.") from fault


def refuse_flavor(flavors: dict[str, dict[str, str]]) -> RefusedError:
    names = ", ".join(sorted(set(flavors) - {"python_function"}))[:100] or "a Python function of its own"
    return RefusedError(
        f"It is an MLflow model of another kind: {names}.",
        "Portico loads MLflow models of the scikit-learn flavor, those that mlflow.sklearn.save_model writes.",
        "Save the fitted estimator with mlflow.sklearn.save_model, zip that folder, and upload it.",
    )
