"""Functions that a model file may call while loading, each with a check of its arguments and a stand-in as result.

Everything here is what numpy, scikit-learn and the standard library themselves write when they pickle their objects;
any other way to call the same function is refused.
"""

from collections.abc import Callable
from typing import Any

from portal.scanner.arrays import fill_array
from portal.scanner.dtypes import make_dtype
from portal.scanner.report import RefusedError, refuse_form
from portal.scanner.standins import Array, Blob, Dtype, Global, Instance, count_bytes

Pair = tuple[str, str]
Rebuild = Callable[[Global, tuple[Any, ...]], Any]

SMALL_BYTES = 65_536
BIT_GENERATORS = {
    "MT19937": "_mt19937",
    "PCG64": "_pcg64",
    "PCG64DXSM": "_pcg64",
    "Philox": "_philox",
    "SFC64": "_sfc64",
}
BIT_GENERATOR_PAIRS = {(f"numpy.random.{module}", name) for name, module in BIT_GENERATORS.items()}
MASKED = {("numpy.ma", "MaskedArray"), ("numpy.ma.core", "MaskedArray")}
SEED_SEQUENCE = ("numpy.random.bit_generator", "SeedSequence")
# The one function that scikit-learn's gradient boosting binds arguments to, for data frames with categories.
PARTIAL_OF = ("sklearn.utils.validation", "check_array")
# Types that are named as an argument of a function below and of nothing else.
ARGUMENT_PAIRS = BIT_GENERATOR_PAIRS | MASKED | {SEED_SEQUENCE}
FACTORIES = {("builtins", name) for name in ("int", "float", "list", "dict", "set")} | {("collections", "OrderedDict")}


def is_global(value: Any, pairs: set[Pair]) -> bool:
    return type(value) is Global and value.pair in pairs


def rebuild_array(made_by: Global, arguments: tuple[Any, ...]) -> Array:
    """An empty array whose shape and cells come with its state: _reconstruct(ndarray, (0,), b"b")."""
    kind, shape, code = arguments
    if not is_global(kind, {("numpy", "ndarray")}) or shape != (0,) or code not in (b"b", "b"):
        raise refuse_call(made_by)
    return Array()


def rebuild_masked_array(made_by: Global, arguments: tuple[Any, ...]) -> Array:
    kind, base, shape, code = arguments
    if not is_global(kind, MASKED) or not is_global(base, {("numpy", "ndarray")}):
        raise refuse_call(made_by)
    if shape != (0,) or code not in (b"b", "b"):
        raise refuse_call(made_by)
    return Array(is_masked=True)


def rebuild_array_from_buffer(made_by: Global, arguments: tuple[Any, ...]) -> Array:
    """Pickle protocol 5: _frombuffer(bytes, dtype, shape, order)."""
    cells, dtype, shape, order = arguments
    if type(dtype) is not Dtype or not dtype.is_sealed or dtype.has_object or order not in ("C", "F"):
        raise refuse_call(made_by)
    array = Array()
    fill_array(array, shape=shape, dtype=dtype, cells=cells)
    return array


def rebuild_scalar(made_by: Global, arguments: tuple[Any, ...]) -> Instance:
    dtype, cell = arguments
    if type(dtype) is not Dtype or not dtype.is_sealed or dtype.has_object or count_bytes(cell) != dtype.itemsize:
        raise refuse_call(made_by)
    return Instance(made_by)


def rebuild_dtype(_made_by: Global, arguments: tuple[Any, ...]) -> Dtype:
    return make_dtype(arguments)


def rebuild_bytes(made_by: Global, arguments: tuple[Any, ...]) -> bytes | Blob:
    """Bytes as protocol 2 writes them: encode(text, "latin1"); empty ones are bytes()."""
    if arguments == () and made_by.pair == ("builtins", "bytes"):
        return b""
    if made_by.pair == ("builtins", "bytearray") and len(arguments) == 1 and count_bytes(arguments[0]) is not None:
        return Blob(count_bytes(arguments[0]) or 0)
    text, encoding = arguments
    if type(text) is not str or encoding not in ("latin1", "latin-1") or made_by.pair == ("builtins", "bytes"):
        raise refuse_call(made_by)
    encoded = text.encode("latin-1")
    return encoded if len(encoded) <= SMALL_BYTES else Blob(len(encoded), encoded)


def rebuild_numbers(made_by: Global, arguments: tuple[Any, ...]) -> Instance:
    """slice(…), range(…), complex(…): numbers and nothing else."""
    if not 1 <= len(arguments) <= 3 or any(type(argument) not in (int, float, type(None)) for argument in arguments):
        raise refuse_call(made_by)
    return Instance(made_by)


def rebuild_set(made_by: Global, arguments: tuple[Any, ...]) -> set[Any] | frozenset[Any]:
    """Protocols 2 and 3: set([…]), frozenset([…])."""
    (items,) = arguments
    if type(items) is not list:
        raise refuse_call(made_by)
    return set(items) if made_by.pair[1] == "set" else frozenset(items)


def rebuild_mapping(made_by: Global, arguments: tuple[Any, ...]) -> Instance:
    if len(arguments) > 1 or not all(
        type(argument) is dict or is_global(argument, FACTORIES) for argument in arguments
    ):
        raise refuse_call(made_by)
    return Instance(made_by)


def rebuild_bit_generator(made_by: Global, arguments: tuple[Any, ...]) -> Instance:
    (kind,) = arguments
    if not is_global(kind, BIT_GENERATOR_PAIRS) and not (type(kind) is str and kind in BIT_GENERATORS):
        raise refuse_call(made_by)
    return Instance(made_by)


def rebuild_generator(made_by: Global, arguments: tuple[Any, ...]) -> Instance:
    """RandomState and Generator: around a bit generator, or its name; numpy before 1.24 adds its constructor."""
    kind, *constructor = arguments
    is_made = type(kind) is Instance and kind.made_by.pair == ("numpy.random._pickle", "__bit_generator_ctor")
    if not is_made and not (type(kind) is str and kind in BIT_GENERATORS):
        raise refuse_call(made_by)
    if not all(is_global(each, {("numpy.random._pickle", "__bit_generator_ctor")}) for each in constructor):
        raise refuse_call(made_by)
    return Instance(made_by)


def rebuild_compiled(made_by: Global, arguments: tuple[Any, ...]) -> Instance:
    """Cython's own helper: __pyx_unpickle_Name(Name, checksum, state), of the same module."""
    kind, checksum, state = arguments
    name = made_by.pair[1].removeprefix("__pyx_unpickle_")
    if not is_global(kind, {(made_by.pair[0], name)}) or type(checksum) is not int or state not in (None, ()):
        raise refuse_call(made_by)
    return Instance(made_by)


def rebuild_empty(made_by: Global, arguments: tuple[Any, ...]) -> Instance:
    """newObj(cls): a distance or a search tree, empty; of the same module."""
    (kind,) = arguments
    if type(kind) is not Global or kind.grant != "constructor" or kind.pair[0] != made_by.pair[0]:
        raise refuse_call(made_by)
    return Instance(kind)


def rebuild_partial(made_by: Global, arguments: tuple[Any, ...]) -> Instance:
    if len(arguments) != 1 or not is_global(arguments[0], {PARTIAL_OF}):
        raise refuse_call(made_by)
    return Instance(made_by, arguments)


RECONSTRUCTORS: dict[Pair, Rebuild] = {
    ("numpy", "dtype"): rebuild_dtype,
    ("numpy.ma.core", "_mareconstruct"): rebuild_masked_array,
    ("_codecs", "encode"): rebuild_bytes,
    ("builtins", "bytes"): rebuild_bytes,
    ("builtins", "bytearray"): rebuild_bytes,
    ("builtins", "slice"): rebuild_numbers,
    ("builtins", "range"): rebuild_numbers,
    ("builtins", "complex"): rebuild_numbers,
    ("builtins", "set"): rebuild_set,
    ("builtins", "frozenset"): rebuild_set,
    ("collections", "OrderedDict"): rebuild_mapping,
    ("collections", "defaultdict"): rebuild_mapping,
    ("collections", "Counter"): rebuild_mapping,
    ("functools", "partial"): rebuild_partial,
    ("numpy.random._pickle", "__bit_generator_ctor"): rebuild_bit_generator,
    ("numpy.random._pickle", "__randomstate_ctor"): rebuild_generator,
    ("numpy.random._pickle", "__generator_ctor"): rebuild_generator,
    ("numpy.random.bit_generator", "__pyx_unpickle_SeedSequence"): rebuild_compiled,
    ("sklearn._loss._loss", "__pyx_unpickle_CyHalfMultinomialLoss"): rebuild_compiled,
}
# numpy 2 has an underscore where numpy 1 had none; scikit-learn 1.1 moved its distances.
for room in ("numpy._core", "numpy.core"):
    RECONSTRUCTORS[(f"{room}.multiarray", "_reconstruct")] = rebuild_array
    RECONSTRUCTORS[(f"{room}.multiarray", "scalar")] = rebuild_scalar
    RECONSTRUCTORS[(f"{room}.numeric", "_frombuffer")] = rebuild_array_from_buffer
for room in ("neighbors._kd_tree", "neighbors._ball_tree", "neighbors._dist_metrics", "metrics._dist_metrics"):
    RECONSTRUCTORS[(f"sklearn.{room}", "newObj")] = rebuild_empty

MAPPINGS = {pair for pair, rebuild in RECONSTRUCTORS.items() if rebuild is rebuild_mapping} | {
    ("sklearn.utils._bunch", "Bunch"),
    ("sklearn.utils", "Bunch"),
}
RANDOM = {pair for pair, rebuild in RECONSTRUCTORS.items() if rebuild in (rebuild_bit_generator, rebuild_generator)}
# What these make takes a state of its own afterwards.
WITH_STATE = {
    pair
    for pair, rebuild in RECONSTRUCTORS.items()
    if rebuild in (rebuild_bit_generator, rebuild_generator, rebuild_compiled)
}


def refuse_call(made_by: Global) -> RefusedError:
    return refuse_form(f"It calls {made_by.dotted} with arguments that no fitted model has.")
