"""What the pickle machine may do with objects: make them, call for them, fill them; each only as far as granted."""

from typing import Any

from portal.scanner.allowed import show
from portal.scanner.compiled import TREE, check_random, check_tree, is_followed
from portal.scanner.findings import Findings
from portal.scanner.reconstructors import MAPPINGS, RANDOM, RECONSTRUCTORS, WITH_STATE
from portal.scanner.report import RefusedError, refuse_form
from portal.scanner.standins import Blob, Global, Instance

NAMED_TUPLE = ("sklearn.impute._iterative", "_ImputerTriplet")
PARTIAL = ("functools", "partial")
TEXT_MODULE = "sklearn.feature_extraction.text"
# What the compiled libraries of boosters are given when an object gets its state.
HANDLES: dict[tuple[str, str], set[type]] = {
    ("lightgbm.basic", "_handle"): {str, type(None)},
    ("lightgbm.basic", "handle"): {str, type(None)},
    ("xgboost.core", "handle"): {Blob, bytes, bytearray, type(None)},
    ("catboost.core", "__model"): {Blob, bytes},
}


def make_new(kind: Any, arguments: Any, findings: Findings) -> Instance:
    """NEWOBJ: an object without its constructor being called."""
    check_callee(kind, arguments)
    if kind.grant in ("estimator", "class") and (arguments == () or kind.pair == NAMED_TUPLE):
        return make_instance(kind, arguments, findings)
    if kind.grant is None:
        return Instance(kind)
    raise refuse_form(f"It makes a {kind.dotted} in a way that scikit-learn does not.")


def make_instance(kind: Global, arguments: tuple[Any, ...], findings: Findings) -> Instance:
    made = Instance(kind, arguments)
    note_compiled(made, findings)
    return made


def note_compiled(made: Any, findings: Findings) -> None:
    if type(made) is Instance and is_followed(made.made_by.pair):
        findings.compiled.append(made)


def call_global(function: Any, arguments: Any, findings: Findings) -> Any:
    """REDUCE: the result of calling a name."""
    check_callee(function, arguments)
    rebuild = RECONSTRUCTORS.get(function.pair)
    if rebuild is not None:
        made = rebuild(function, arguments)
        note_compiled(made, findings)
        return made
    if function.grant == "constructor":
        return make_instance(function, arguments, findings)
    if function.grant is None:
        return Instance(function, arguments)
    raise refuse_form(f"It calls {function.dotted}, which may be mentioned in a model but not called while it loads.")


def check_callee(function: Any, arguments: Any) -> None:
    if type(function) is not Global:
        raise refuse_form("It calls something that it has made itself.")
    if type(arguments) is not tuple:
        raise refuse_form(f"It calls {function.dotted} without a list of arguments.")


def set_state(target: Any, state: Any) -> None:
    """BUILD: give an object its state."""
    if type(target) is not Instance:
        raise refuse_form("It changes something that is not an object of its own, such as a class or a function.")
    made_by = target.made_by
    if made_by.grant is None:
        return
    if made_by.pair == PARTIAL:
        check_partial(target, state)
    elif made_by.pair in RANDOM:
        check_random(target, state)
    elif made_by.grant not in ("estimator", "class", "constructor") and made_by.pair not in WITH_STATE:
        raise refuse_form(f"It gives a state to what {made_by.dotted} has made.")
    for part in state if type(state) is tuple else (state,):
        if type(part) is dict:
            check_attributes(made_by, part)
            target.state.update(part)
    if made_by.pair == TREE:
        # At once, so that the nodes of a large forest need not all be held.
        check_tree(target)
    elif type(state) is tuple and made_by.grant == "constructor":
        target.numbers = state


def check_attributes(made_by: Global, attributes: dict[Any, Any]) -> None:
    # A key that only equals a text, such as numpy's kind of text, would pass by the checks below.
    if any(type(name) is not str for name in attributes):
        raise refuse_form(f"It names an attribute of a {made_by.dotted} by something that is not plain text.")
    check_handles(made_by, attributes)
    hidden = [name for name in attributes if name.startswith("__") and (made_by.pair[0], name) not in HANDLES]
    if hidden:
        raise refuse_form(f"It replaces {show(hidden[0])} of a {made_by.dotted}, a part of how Python itself works.")
    if made_by.pair[0] == TEXT_MODULE and attributes.get("input", "content") != "content":
        raise RefusedError(
            f"Its {made_by.pair[1]} takes the names of files instead of texts.",
            "Whoever asks for a prediction could make it open files on the machine that runs the model.",
            'Fit it with input="content", the default, and pass the texts themselves.',
        )


def check_handles(made_by: Global, attributes: dict[str, Any]) -> None:
    """Boosters keep their trees as one text or as bytes, which their library reads; a number would be an address."""
    for name, value in attributes.items():
        kinds = HANDLES.get((made_by.pair[0], name))
        if kinds is not None and type(value) not in kinds:
            raise refuse_form(f"Its {made_by.dotted} keeps its trees as something else than text or bytes.")


def check_partial(target: Instance, state: Any) -> None:
    """functools.partial's state names its function once more: it must be the one it was made with, and no other."""
    if type(state) is not tuple or len(state) != 4:
        raise refuse_form("It binds arguments to a function in a way that Python does not.")
    function, arguments, keywords, attributes = state
    if type(function) is not Global or function.pair != target.arguments[0].pair:
        raise refuse_form("It exchanges the function that arguments are bound to.")
    if arguments != () or type(keywords) is not dict or attributes is not None:
        raise refuse_form("It binds arguments to a function in a way that scikit-learn does not.")


def set_items(target: Any, items: list[Any]) -> None:
    """SETITEM(S): keys and values in turn, into a plain dict or one of the few mappings on the list."""
    if len(items) % 2:
        raise refuse_form("It has a key without a value.")
    if type(target) is Instance and (target.made_by.pair in MAPPINGS or target.made_by.grant is None):
        into = target.items
    elif type(target) is dict:
        into = target
    else:
        raise refuse_form("It sets items of something that has none.")
    for position in range(0, len(items), 2):
        into[items[position]] = items[position + 1]
