"""What each loader of skops may be given: the types by name, beyond those on the list.

Source: skops/io/_general.py, _numpy.py, _scipy.py, _sklearn.py of skops 0.16 (protocol 2).
"""

from portal.scanner.allowed import Pair

PROTOCOLS = (1, 2)
MAPPINGS: set[Pair] = {
    ("builtins", "dict"),
    ("collections", "OrderedDict"),
    ("collections", "Counter"),
    ("sklearn.utils._bunch", "Bunch"),
}
DEFAULT_DICT: Pair = ("collections", "defaultdict")
PARTIAL: Pair = ("functools", "partial")
TREE: Pair = ("sklearn.tree._tree", "Tree")
NAMED_TUPLES: set[Pair] = {("sklearn.impute._iterative", "_ImputerTriplet")}
MASKED: set[Pair] = {("numpy.ma", "MaskedArray"), ("numpy.ma.core", "MaskedArray")}
RANDOM_STATE: Pair = ("numpy.random.mtrand", "RandomState")
GENERATOR: Pair = ("numpy.random._generator", "Generator")
LOSS_MODULES = ("sklearn._loss._loss", "sklearn.linear_model._sgd_fast")
SEED_KEYS = {"entropy", "spawn_key", "pool_size", "n_children_spawned"}
MAX_POOL = 64

# Types that a file may name for the one loader that checks what it makes of them.
OF_LOADERS = (
    MAPPINGS | MASKED | {DEFAULT_DICT, PARTIAL, RANDOM_STATE, GENERATOR, ("numpy", "dtype"), ("numpy", "ndarray")}
)
OF_LOADERS |= {("builtins", name) for name in ("str", "list", "set", "tuple", "bytes", "bytearray", "slice")}
# Called with the arguments in the file: values without behaviour.
REDUCED: set[Pair] = {("builtins", "frozenset"), ("builtins", "range"), ("builtins", "complex")}

NUMBERS = (
    "bool bool_ float16 float32 float64 longdouble complex64 complex128 int8 int16 int32 int64 uint8 uint16 uint32 "
    "uint64 intc uintc longlong ulonglong str_ bytes_ datetime64 timedelta64"
)
SCALARS: set[Pair] = {("numpy", name) for name in NUMBERS.split()}
# Called with a text, the key's spelling in JSON.
KEY_TYPES = SCALARS | {("builtins", name) for name in ("str", "int", "float", "bool")}
