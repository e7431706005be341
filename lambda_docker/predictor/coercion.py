"""One JSON or CSV value → one model value, or a message that says what is wrong with it, word for word.

A model value is a float (number, integer), a bool (boolean), one of the choices, a text, or None for missing.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from predictor.errors import BadInput
from predictor.features import Choice, Feature
from predictor.limits import TEXT_MAX_CHARACTERS

MISSING = "a value is needed"

# What reads a row: its values in the features' order.
ReadRow = Callable[[Mapping[str, Any]], list[Choice | None]]

_SHOWN_CHARACTERS = 40
# Every whole number up to here is a float of its own.
_EXACT = 2**53
_LISTED_CHOICES = 12
# A reader of so many features takes Python a millisecond to compile, once.
_WRITTEN_OUT_MAX = 32
_ASK_OTHERWISE = "  return otherwise(row)"
# What a written-out reader asks of a value {v}, by the feature's kind; whether numbers are finite, of their sum.
_CHECKS = {
    "number": (
        " if {v}.__class__ is not float:",
        f"  if {{v}}.__class__ is not int or not -{_EXACT} <= {{v}} <= {_EXACT}:",
        "   return otherwise(row)",
        "  {v} = float({v})",
    ),
    "integer": (
        f" if {{v}}.__class__ is not int or not -{_EXACT} <= {{v}} <= {_EXACT}:",
        _ASK_OTHERWISE,
        " {v} = float({v})",
    ),
    "boolean": (" if {v}.__class__ is not bool:", _ASK_OTHERWISE),
    "choice": (),
}
_BOOLEANS = {"true": True, "false": False, "yes": True, "no": False, "1": True, "0": False, "1.0": True, "0.0": False}


class BadValue(ValueError):
    """This value cannot be used; the message says why, without the feature's name."""


def row_reader(features: Sequence[Feature]) -> ReadRow:
    """What reads the rows of a model that takes these features; keys that are no feature are ignored.

    What it returns raises: BadInput: one message in `fields` for each value that cannot be used
    """
    # Most values are finite numbers where numbers are wanted, or choices as they are written: those take one comparison
    # or two here, where read_value takes six calls. What is looked up for that is looked up once.
    plans = [
        (feature.name, feature.kind == "number", feature.kind in ("number", "integer"), _known_texts(feature), feature)
        for feature in features
    ]

    def read(row: Mapping[str, Any]) -> list[Choice | None]:
        values: list[Choice | None] = []
        problems: dict[str, str] = {}
        for name, takes_fractions, takes_integers, known, feature in plans:
            value: Any = row.get(name)
            kind = value.__class__
            if kind is float and takes_fractions and value - value == 0.0:
                values.append(value)
            elif kind is str and value in known:
                values.append(known[value])
            elif kind is int and takes_integers and -_EXACT <= value <= _EXACT:
                values.append(float(value))
            else:
                try:
                    values.append(read_value(feature, value))
                except BadValue as problem:
                    problems[name] = str(problem)
        if problems:
            said = "; ".join(f"{name}: {message}" for name, message in problems.items())
            raise BadInput(f"Some values cannot be used. {said}.", problems)
        return values

    return read


def written_out_reader(features: Sequence[Feature], *, otherwise: ReadRow) -> ReadRow:
    """What reads rows as `otherwise` does, in a third of the time, and asks that where a value is not as most are.

    It is a function written for these features. What it says depends on their kinds alone: their names and choices,
    which may be anybody's text, are values that it is given.
    """
    if not 0 < len(features) <= _WRITTEN_OUT_MAX or any(feature.kind == "text" for feature in features):
        return otherwise
    given: dict[str, Any] = {"otherwise": otherwise}
    got, checks, numbers = [], [], []
    for place, feature in enumerate(features):
        given[f"name_{place}"] = feature.name
        cell = f"row[name_{place}]"
        if feature.kind == "choice":
            given[f"known_{place}"] = feature.lookup
            cell = f"known_{place}[{cell}]"
        got.append(f"  v_{place} = {cell}")
        checks += [line.format(v=f"v_{place}") for line in _CHECKS[feature.kind]]
        numbers += [f"v_{place}"] if feature.kind == "number" else []
    values = ", ".join(f"v_{place}" for place in range(len(features)))
    # A sum that is beyond all floats, of numbers that are not, only costs time.
    finite = [f" total = {' + '.join(numbers)}", " if total - total != 0.0:", _ASK_OTHERWISE] if numbers else []
    got = [" try:", *got, " except (KeyError, TypeError):", _ASK_OTHERWISE]
    exec("\n".join(["def read(row):", *got, *checks, *finite, f" return [{values}]"]), given)  # noqa: S102  # our words
    read: ReadRow = given["read"]
    return read


def _known_texts(feature: Feature) -> Mapping[str, Choice]:
    return feature.lookup if feature.kind == "choice" else {}


def read_value(feature: Feature, value: object) -> Choice | None:
    """The model value for one JSON value. Raises: BadValue."""
    if value is None or (isinstance(value, str) and not value.strip() and value not in feature.lookup):
        if not feature.accepts_missing:
            raise BadValue(MISSING)
        return None
    if isinstance(value, list | dict):
        raise BadValue("one value is needed, not a list or an object")
    if feature.kind == "text":
        return read_text(value)
    if feature.kind == "choice":
        return read_choice(feature, value)
    if feature.kind == "boolean":
        return read_boolean(value)
    number = read_number(value)
    if feature.kind == "integer" and not number.is_integer():
        raise BadValue(f"{quoted(value)} is not a whole number")
    return number


def read_number(value: object) -> float:
    """A finite float from a number, a numeric text or a boolean. Raises: BadValue."""
    try:
        # float() also takes "1_000", which no file or form means as a number.
        if isinstance(value, str) and "_" in value:
            raise ValueError
        number = float(value)  # type: ignore[arg-type]  # whatever it is, float() decides
    except (TypeError, ValueError):
        raise BadValue(f"{quoted(value)} is not a number") from None
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise BadValue(f"{quoted(value)} is not a finite number")
    return number


def read_boolean(value: object) -> bool:
    known = _BOOLEANS.get(str(value).strip().lower())
    if known is None:
        raise BadValue(f"{quoted(value)} is neither true nor false")
    return known


def read_text(value: object) -> str:
    text = value if isinstance(value, str) else str(value)
    if len(text) > TEXT_MAX_CHARACTERS:
        raise BadValue(f"the text has {len(text):,} characters; {TEXT_MAX_CHARACTERS:,} are allowed")
    return text


def read_choice(feature: Feature, value: object) -> Choice:
    """One of the choices. Raises: BadValue.

    An unknown one is refused even where the model's encoder would swallow it (handle_unknown="ignore"): a colleague's
    typing error must not be scored silently.
    """
    text = value if isinstance(value, str) else str(value)
    for spelling in (text, text.strip()):
        if spelling in feature.lookup:
            return feature.lookup[spelling]
    raise BadValue(f"{quoted(value)} is not one of the known choices{_name_choices(feature, text)}")


def quoted(value: object) -> str:
    """A value for a sentence: in quotes, and clipped where it is long."""
    text = str(value)
    if len(text) > _SHOWN_CHARACTERS:
        text = text[:_SHOWN_CHARACTERS] + "…"
    return f"'{text}'"


def _name_choices(feature: Feature, text: str) -> str:
    names = [str(choice) for choice in feature.choices or ()]
    if len(names) <= _LISTED_CHOICES:
        return f" ({', '.join(names)})"
    # For few, and not for the others to wait for.
    import difflib

    close = difflib.get_close_matches(text, names, n=3)
    hint = f"; did you mean {' or '.join(close)}?" if close else ""
    return f", of which there are {len(names)}{hint}"
