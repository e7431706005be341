"""Tensors of the Open Inference Protocol: from JSON, or from Triton's binary extension, to flat lists and back.

Source: Open Inference Protocol v2, "Tensor Data"; Triton Inference Server, "Binary Tensor Data Extension"
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from predictor.coercion import quoted
from predictor.features import Choice, Feature
from predictor.serving.calls import Refusal

_BYTES = "BYTES"
_NUMPY = {
    "BOOL": "?",
    **{f"UINT{bits}": f"<u{bits // 8}" for bits in (8, 16, 32, 64)},
    **{f"INT{bits}": f"<i{bits // 8}" for bits in (8, 16, 32, 64)},
    **{f"FP{bits}": f"<f{bits // 8}" for bits in (16, 32, 64)},
}


@dataclass(frozen=True, slots=True)
class Tensor:
    """values: flat, row after row; NaN, which is how tensors of numbers write a missing value, is None"""

    name: str
    shape: tuple[int, ...]
    values: list[Any]


def read_tensors(inputs: Any, binary: bytes) -> list[Tensor]:
    """The tensors of a request. Args: binary: what follows the JSON. Raises: Refusal."""
    if not isinstance(inputs, list) or not inputs:
        raise Refusal(400, "`inputs` must be a list of tensors, with at least one.")
    tensors, offset = [], 0
    for entry in inputs:
        if not isinstance(entry, dict):
            raise Refusal(400, "Each of the `inputs` must be an object of name, shape, datatype and data.")
        tensor, size = _read_tensor(entry, binary[offset:])
        tensors.append(tensor)
        offset += size
    if offset != len(binary):
        raise Refusal(400, f"{len(binary)} bytes follow the JSON, and its tensors say {offset}.")
    return tensors


def write_tensor(name: str, shape: list[int], datatype: str, values: list[Any]) -> dict[str, Any]:
    return {"name": name, "shape": shape, "datatype": datatype, "data": values}


def datatype_of(feature: Feature) -> str:
    """What a feature's own tensor holds."""
    if feature.kind == "boolean":
        return "BOOL"
    if feature.kind == "choice":
        return datatype_of_labels(feature.choices or ())
    return _BYTES if feature.kind == "text" else "FP64"


def datatype_of_labels(labels: tuple[Choice, ...]) -> str:
    kinds = set(map(type, labels))
    if kinds == {bool}:
        return "BOOL"
    if kinds == {int}:
        return "INT64"
    return "FP64" if kinds and kinds <= {int, float} else _BYTES


def _read_tensor(entry: Mapping[str, Any], binary: bytes) -> tuple[Tensor, int]:
    """A tensor, and how many of the bytes were its own."""
    name, datatype, shape = entry.get("name"), entry.get("datatype"), entry.get("shape")
    if not isinstance(name, str) or not name:
        raise Refusal(400, "Each of the `inputs` needs a name.")
    if not isinstance(datatype, str) or datatype not in (*_NUMPY, _BYTES):
        known = ", ".join([*_NUMPY, _BYTES])
        raise Refusal(400, f"The datatype of {quoted(name)} must be one of {known}.")
    if not isinstance(shape, list) or not all(type(size) is int and size >= 0 for size in shape):
        raise Refusal(400, f"The shape of {quoted(name)} must be a list of whole numbers.")
    parameters = entry.get("parameters")
    size = parameters.get("binary_data_size") if isinstance(parameters, dict) else None
    if size is None:
        values, size = _flatten(entry.get("data"), name), 0
    elif type(size) is int and 0 <= size <= len(binary):
        values = _read_binary(binary[:size], datatype, name)
    else:
        raise Refusal(400, f"The `binary_data_size` of {quoted(name)} is more than there is behind the JSON.")
    if math.prod(shape) != len(values):
        raise Refusal(400, f"{quoted(name)} has {len(values)} values, and its shape {shape} says {math.prod(shape)}.")
    return Tensor(name, tuple(shape), values), size


def _flatten(data: Any, name: str) -> list[Any]:
    """Nested or flat, row after row. Without recursion: how deep it is nested is up to the caller."""
    if not isinstance(data, list):
        raise Refusal(400, f"The `data` of {quoted(name)} must be a list.")
    while any(isinstance(value, list) for value in data):
        if not all(isinstance(value, list) for value in data):
            raise Refusal(400, f"The `data` of {quoted(name)} is nested unevenly.")
        data = [value for inner in data for value in inner]
    return data


def _read_binary(content: bytes, datatype: str, name: str) -> list[Any]:
    if datatype == _BYTES:
        return _read_texts(content, name)
    kind = np.dtype(_NUMPY[datatype])
    if len(content) % kind.itemsize:
        raise Refusal(400, f"{quoted(name)} has {len(content)} bytes, which is no whole number of {datatype}.")
    values: list[Any] = np.frombuffer(content, kind).tolist()
    return [None if value != value else value for value in values] if datatype.startswith("FP") else values


def _read_texts(content: bytes, name: str) -> list[Any]:
    """Each text has its length before it, in four bytes."""
    texts, place = [], 0
    while place < len(content):
        begin = place + 4
        place = begin + int.from_bytes(content[place:begin], "little")
        if begin > len(content) or place > len(content):
            raise Refusal(400, f"The texts of {quoted(name)} end before their lengths say so.")
        try:
            texts.append(content[begin:place].decode("utf-8"))
        except UnicodeDecodeError:
            raise Refusal(400, f"A text of {quoted(name)} is not UTF-8.") from None
    return texts
