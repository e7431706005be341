"""Nodes of a skops schema: whether two are the same, and what is said about those that cannot be."""

from typing import Any

from portal.scanner.allowed import show
from portal.scanner.report import RefusedError, refuse_form

Node = dict[str, Any]
# Known to skops, and never safe: they fetch an attribute by its name, or call what they fetched.
REFUSED_LOADERS = {
    "MethodNode": "a method of an object",
    "OperatorFuncNode": "a function that fetches or calls a method by its name",
    "QuantileForestNode": "a part of the package quantile-forest",
}


def is_same(one: Any, other: Any) -> bool:
    """Do two nodes describe the same? Of parts that were made for the description alone, numbers and files are new."""
    if type(one) is dict and type(other) is dict:
        return set(one) == set(other) and all(is_same(one[key], other[key]) for key in set(one) - {"__id__", "file"})
    if type(one) is list and type(other) is list:
        return len(one) == len(other) and all(map(is_same, one, other))
    return type(one) is type(other) and (one == other or one != one)


def refuse_node() -> RefusedError:
    return refuse_form("Its schema.json describes an object in a way that skops does not.")


def refuse_loader(node: Node) -> RefusedError:
    name = show(str(node.get("__loader__")))
    if name not in REFUSED_LOADERS:
        return refuse_form(f"It asks for {name}, a way of loading that Portico does not know.")
    return RefusedError(
        f"It holds {REFUSED_LOADERS[name]} ({name}).",
        "A file that does this can reach any code that the objects in it have.",
        "Leave methods and functions of your own out of the model, or apply them to the data before it.",
    )
