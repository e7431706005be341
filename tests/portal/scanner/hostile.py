"""Files that try to do harm, or only look odd; each written here, instruction by instruction.

Every file that would run a command creates the canary if it succeeds.
"""

import builtins
import io
import os
import pickle
import struct
import zlib
from collections.abc import Callable

import joblib
import numpy as np
from sklearn.linear_model import LogisticRegression

PROTO4 = b"\x80\x04"
CANARY = "scanner-canary"
COMMAND = f"touch {CANARY}"


class Calls:
    """Pickles as a call of a function with arguments."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def fit_model():
    rows = np.array([[0.0], [1.0], [2.0], [3.0]])
    return LogisticRegression().fit(rows, [0, 0, 1, 1])


def text(value: str) -> bytes:
    encoded = value.encode()
    return b"X" + struct.pack("<I", len(encoded)) + encoded


def name(module: str, attribute: str) -> bytes:
    return text(module) + text(attribute) + b"\x93"


def model_with(**attributes) -> LogisticRegression:
    model = fit_model()
    vars(model).update(attributes)
    return model


def joblib_bytes(value, **options) -> bytes:
    file = io.BytesIO()
    joblib.dump(value, file, **options)
    return file.getvalue()


MODEL = name("sklearn.linear_model._logistic", "LogisticRegression") + b")\x81"
SYSTEM = name(os.system.__module__, "system")
RUN = SYSTEM + text(COMMAND) + b"\x85R"
NEW_DTYPE = name("numpy", "dtype") + text("f8") + b"\x89\x88\x87R"


def state(key: str, value: bytes) -> bytes:
    return b"}" + text(key) + value + b"sb"


def dtype_state(code: str, flags: int, *, size: int = -1) -> bytes:
    numbers = b"J" + struct.pack("<i", size) + b"J" + struct.pack("<i", -1) + b"J" + struct.pack("<i", flags)
    made = name("numpy", "dtype") + text(code) + b"\x89\x88\x87R"
    return made + b"(K\x03" + text("|") + b"NNN" + numbers + b"tb"


def array_state(cells: bytes, dtype: bytes, side: int) -> bytes:
    made = name("numpy._core.multiarray", "_reconstruct") + name("numpy", "ndarray") + b"K\x00\x85C\x01b\x87R"
    return made + b"(K\x01" + b"J" + struct.pack("<i", side) + b"\x85" + dtype + b"\x89" + cells + b"tb"


NUMPY_TEXT = (
    name("numpy._core.multiarray", "scalar")
    + dtype_state("U8", 8, size=32)
    + b"C\x20"
    + "filename".encode("utf-32-le")
    + b"\x86R"
)


def wrapper(shape: bytes, dtype: bytes) -> bytes:
    made = name("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81}("
    entries = text("subclass") + name("numpy", "ndarray") + text("shape") + shape + text("order") + text("C")
    return made + entries + text("dtype") + dtype + text("allow_mmap") + b"\x88ub"


def deep_marks() -> bytes:
    return PROTO4 + b"(" * 20_000 + b"."


def zip_bomb() -> bytes:
    return zlib.compress(PROTO4 + b"B" + struct.pack("<I", 40_000_000) + bytes(40_000_000) + b".", 9)


def truncated() -> bytes:
    whole = pickle.dumps(fit_model())
    return whole[: len(whole) // 2]


# Name of the attack → its bytes. All are refused.
RUNNING: dict[str, Callable[[], bytes]] = {
    "os.system by REDUCE": lambda: pickle.dumps(Calls(os.system, COMMAND)),
    "os.system in protocol 2": lambda: pickle.dumps(Calls(os.system, COMMAND), protocol=2),
    "os.system in protocol 0": lambda: pickle.dumps(Calls(os.system, COMMAND), protocol=0),
    "os.system in protocol 1": lambda: pickle.dumps(Calls(os.system, COMMAND), protocol=1),
    "eval": lambda: pickle.dumps(Calls(builtins.eval, f"open({CANARY!r}, 'w')")),
    "exec spelt as Python 2": lambda: b"\x80\x02c__builtin__\nexec\n" + text(f"open({CANARY!r}, 'w')") + b"\x85R.",
    "open": lambda: pickle.dumps(Calls(builtins.open, CANARY, "w")),
    "inside an attribute of a model": lambda: pickle.dumps(model_with(C=Calls(os.system, COMMAND))),
    "inside zlib joblib": lambda: joblib_bytes(model_with(C=Calls(os.system, COMMAND)), compress=3),
    "inside gzip joblib": lambda: joblib_bytes(model_with(C=Calls(os.system, COMMAND)), compress=("gzip", 3)),
    "inside an array of objects in joblib": lambda: joblib_bytes(
        model_with(classes_=np.array([Calls(os.system, COMMAND)], dtype=object))
    ),
    "inside an array of objects in xz joblib": lambda: joblib_bytes(
        model_with(classes_=np.array([Calls(os.system, COMMAND)], dtype=object)), compress=("xz", 1)
    ),
    "INST": lambda: b"\x80\x02(" + text(COMMAND) + b"ios\nsystem\n.",
    "OBJ": lambda: PROTO4 + b"(" + SYSTEM + text(COMMAND) + b"o.",
    "names from the memo": lambda: (
        PROTO4 + text("os") + b"\x940" + text("system") + b"\x940h\x00h\x01\x93" + text(COMMAND) + b"\x85R."
    ),
    "dotted name": lambda: PROTO4 + name("sklearn", "base.os.system") + text(COMMAND) + b"\x85R.",
    "dotted name of a listed class": lambda: (
        PROTO4 + name("sklearn.linear_model._logistic", "LogisticRegression.__init__.__globals__") + b"."
    ),
    "attrgetter": lambda: (
        PROTO4
        + name("operator", "attrgetter")
        + text("system")
        + b"\x85R"
        + name("sklearn", "os")
        + b"\x85R"
        + text(COMMAND)
        + b"\x85R."
    ),
    "getattr": lambda: PROTO4 + name("builtins", "getattr") + name("numpy", "ndarray") + text("tofile") + b"\x86R.",
    "copyreg.__newobj__": lambda: PROTO4 + name("copyreg", "__newobj__") + name("subprocess", "Popen") + b"\x85R.",
    "NEWOBJ of Popen": lambda: PROTO4 + name("subprocess", "Popen") + text(COMMAND) + b"\x85\x81.",
    "functools.partial of os.system": lambda: PROTO4 + name("functools", "partial") + SYSTEM + b"\x85R.",
    "exchanged function of a partial": lambda: (
        PROTO4
        + name("functools", "partial")
        + name("sklearn.utils.validation", "check_array")
        + b"\x85R("
        + name("numpy", "mean")
        + b")}Ntb."
    ),
    "defaultdict of os.system": lambda: PROTO4 + name("collections", "defaultdict") + SYSTEM + b"\x85R.",
    "runpy": lambda: PROTO4 + name("runpy", "run_path") + text(CANARY) + b"\x85R.",
    "importlib": lambda: PROTO4 + name("importlib", "import_module") + text("antigravity") + b"\x85R.",
    "numpy.load": lambda: PROTO4 + name("numpy", "load") + text(CANARY) + b"\x85R.",
    "sklearn's download": lambda: PROTO4 + name("sklearn.datasets._openml", "fetch_openml") + text("x") + b"\x85R.",
    "joblib.load": lambda: PROTO4 + name("joblib.numpy_pickle", "load") + text(CANARY) + b"\x85R.",
    "a model, then a command": lambda: pickle.dumps(fit_model()) + pickle.dumps(Calls(os.system, COMMAND)),
    "a command, dropped, then a model": lambda: PROTO4 + RUN + b"0" + MODEL + b".",
    "a command as the key of a dict": lambda: PROTO4 + b"}" + RUN + b"Ks.",
}

MALFORMED: dict[str, Callable[[], bytes]] = {
    "BUILD on a class": lambda: (
        PROTO4 + name("sklearn.linear_model._logistic", "LogisticRegression") + state("C", b"K\x01") + b"."
    ),
    "BUILD on a function": lambda: PROTO4 + name("numpy", "log1p") + state("C", b"K\x01") + b".",
    "BUILD with __class__": lambda: PROTO4 + MODEL + state("__class__", name("numpy", "ndarray")) + b".",
    "BUILD with __setstate__": lambda: PROTO4 + MODEL + state("__setstate__", name("numpy", "log1p")) + b".",
    "BUILD with __reduce__ in slots": lambda: PROTO4 + MODEL + b"N}" + text("__reduce__") + b"K\x01s\x86b.",
    "a value that is called": lambda: PROTO4 + name("numpy", "log1p") + b"K\x01\x85R.",
    "an estimator that is called": lambda: PROTO4 + MODEL[:-2] + b")R.",
    "a result that is called": lambda: PROTO4 + name("sklearn.tree._tree", "Tree") + b")R)R.",
    "NEWOBJ_EX": lambda: PROTO4 + MODEL[:-2] + b")}\x92.",
    "EXT1": lambda: PROTO4 + b"\x82\x01.",
    "EXT4": lambda: PROTO4 + b"\x84\x01\x00\x00\x00.",
    "persistent id": lambda: PROTO4 + b"K\x01Q.",
    "persistent id in text": lambda: PROTO4 + b"Pname\n.",
    "out-of-band buffer": lambda: b"\x80\x05\x97.",
    "DUP": lambda: PROTO4 + MODEL + b"2\x86.",
    "second PROTO": lambda: PROTO4 + b"\x80\x02" + MODEL + b".",
    "two objects at the end": lambda: PROTO4 + MODEL + MODEL + b".",
    "open mark at the end": lambda: PROTO4 + b"(" + MODEL + b".",
    "bytes after the end": lambda: pickle.dumps(fit_model()) + b"more",
    "second compressed stream": lambda: joblib_bytes(fit_model(), compress=3) + zlib.compress(b"."),
    "truncated": truncated,
    "truncated zlib": lambda: joblib_bytes(fit_model(), compress=3)[:-20],
    "damaged zlib": lambda: b"\x78\x9c" + bytes(50),
    "memo never set": lambda: PROTO4 + b"h\x07.",
    "memo far away": lambda: PROTO4 + MODEL + b"r\xff\xff\xff\xff.",
    "empty stack": lambda: PROTO4 + b"R.",
    "LONG4 of two gigabytes": lambda: PROTO4 + b"\x8b\xff\xff\xff\x7f.",
    "BINUNICODE8 of an exabyte": lambda: PROTO4 + b"\x8d" + struct.pack("<Q", 2**60) + b".",
    "BYTEARRAY8 of an exabyte": lambda: b"\x80\x05\x96" + struct.pack("<Q", 2**60) + b".",
    "frame of an exabyte": lambda: PROTO4 + b"\x95" + struct.pack("<Q", 2**60) + b".",
    "deep marks": deep_marks,
    "deep tuples in a set": lambda: PROTO4 + b"\x8f(K\x01" + b"\x85" * 1_000_000 + b"\x90.",
    "opcode flood": lambda: PROTO4 + b"N0" * 60_000 + MODEL + b".",
    "zip bomb": zip_bomb,
    "objects disguised as numbers": lambda: PROTO4 + array_state(b"C\x08" + bytes(8), dtype_state("O8", 0), 1) + b".",
    "numbers disguised as objects": lambda: PROTO4 + array_state(b"](K\x01e", dtype_state("f8", 63), 1) + b".",
    "cells that are too few": lambda: PROTO4 + array_state(b"C\x08" + bytes(8), dtype_state("f8", 0), 9) + b".",
    "dtype with another size": lambda: PROTO4 + dtype_state("V8", 0, size=4096) + b".",
    "dtype whose fields change later": lambda: (
        PROTO4
        + b"}"
        + text("a")
        + dtype_state("f8", 0)
        + b"K\x00\x86s\x940"
        + name("numpy", "dtype")
        + text("V8")
        + b"\x89\x88\x87R"
        + b"(K\x03"
        + text("|")
        + b"N"
        + text("a")
        + b"\x85h\x00K\x08K\x01K\x10tb0"
        + b"h\x00"
        + text("a")
        + dtype_state("f8", 0)
        + b"M\xe8\x03\x86s."
    ),
    "dtype that is shared": lambda: PROTO4 + name("numpy", "dtype") + text("f8") + b"\x89\x89\x87R.",
    "dtype without a state": lambda: PROTO4 + array_state(b"C\x08" + bytes(8), NEW_DTYPE, 1) + b".",
    "huge array in joblib": lambda: (
        PROTO4 + wrapper(b"\x8a\x06" + b"\xff" * 5 + b"\x00\x85", dtype_state("f8", 0)) + b"."
    ),
    "array in joblib cut short": lambda: PROTO4 + wrapper(b"K\x64\x85", dtype_state("f8", 0)) + b"." * 80,
    "huge numpy.ndarray": lambda: PROTO4 + name("numpy", "ndarray") + b"J\xff\xff\xff\x7f\x85R.",
    "huge bytearray": lambda: PROTO4 + name("builtins", "bytearray") + b"J\xff\xff\xff\x7f\x85R.",
    "encode with another codec": lambda: PROTO4 + name("_codecs", "encode") + text("x") + text("idna") + b"\x86R.",
    "unhashable key": lambda: PROTO4 + b"}]K\x01s.",
    "model in a list": lambda: pickle.dumps([fit_model()]),
    "plain number": lambda: pickle.dumps(1),
    "lone array": lambda: pickle.dumps(np.zeros(3)),
    "vectorizer that opens files, in numpy's text": lambda: (
        PROTO4
        + name("sklearn.feature_extraction.text", "CountVectorizer")
        + b")\x81"
        + state("input", NUMPY_TEXT)
        + b"."
    ),
    "attribute named by numpy's text": lambda: PROTO4 + MODEL + b"}" + NUMPY_TEXT + b"K\x01sb.",
    "vectorizer that opens files": lambda: (
        PROTO4
        + name("sklearn.feature_extraction.text", "CountVectorizer")
        + b")\x81"
        + state("input", text("filename"))
        + b"."
    ),
}

# Name → its bytes and a word that the refusal must say.
OTHER_FILES = {
    "empty": (b"", "empty"),
    "HTML": (b"\n<!DOCTYPE html><html></html>", "HTML"),
    "ZIP, damaged": (b"PK\x03\x04" + bytes(40), "ZIP"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(40), "HDF5"),
    "PNG": (b"\x89PNG\r\n\x1a\n" + bytes(40), "PNG"),
    "ONNX": (b"\x08\x08\x12\x08skl2onnx" + bytes(9), "ONNX"),
    "JSON": (b'{"model": 1}', "JSON"),
    "CSV": (b"a,b\n1,2\n", "text"),
    "lz4": (b"\x04\x22\x4d\x18" + bytes(40), "lz4"),
    "gzipped text": (zlib.compress(b"hello, world"), "text"),
    "noise": (b"\xff\x00\x13\x37", "knows"),
}
