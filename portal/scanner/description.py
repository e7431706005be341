"""What a scanned model is, read off its stand-ins: its class, its steps, what it was fitted with and on."""

from typing import Any

from portal.scanner.standins import Array, Instance

PIPELINE = ("sklearn.pipeline", "Pipeline")
MAX_NAMES = 2_000
MAX_LENGTH = 200
MAX_NESTING = 8


def describe_model(top: Instance) -> dict[str, Any]:
    """The report's words about the model; None or empty where the file does not say."""
    names = find_feature_names(top)
    return {
        "estimator": top.made_by.pair[1],
        "steps": tuple({"name": name[:MAX_LENGTH], "class": step.made_by.pair[1]} for name, step in list_steps(top)),
        "fitted_with": find_version(top),
        "n_features": find_attribute(top, "n_features_in_", int),
        "feature_names": names,
    }


def list_steps(model: Instance) -> list[tuple[str, Instance]]:
    if model.made_by.pair != PIPELINE or type(model.state.get("steps")) is not list:
        return []
    pairs = [pair for pair in model.state["steps"] if type(pair) is tuple and len(pair) == 2]
    return [(name, step) for name, step in pairs if type(name) is str and type(step) is Instance]


def find_attribute(model: Instance, name: str, kind: type) -> Any:
    """The attribute of the model, or of its first step that has it: a pipeline keeps what it saw in its steps."""
    inner = model
    for _ in range(MAX_NESTING):
        if type(inner.state.get(name)) is kind:
            return inner.state[name]
        steps = list_steps(inner)
        if not steps:
            return None
        inner = steps[0][1]
    return None


def find_version(model: Instance) -> str | None:
    version = find_attribute(model, "_sklearn_version", str)
    return version[:40] if version else None


def find_feature_names(model: Instance) -> tuple[str, ...] | None:
    array = find_attribute(model, "feature_names_in_", Array)
    if array is None or not array.cells or len(array.cells) > MAX_NAMES:
        return None
    if any(type(name) is not str for name in array.cells):
        return None
    return tuple(name[:MAX_LENGTH] for name in array.cells)
