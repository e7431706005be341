"""Hostile pickles by family: tricks of single instructions, pickles in pickles, what waits for a prediction, cuts."""

import functools
import operator
import os
import pickle
import struct
import subprocess
import zlib
from collections.abc import Callable

import joblib
import numpy as np
from sklearn import feature_extraction, linear_model, metrics, model_selection, neighbors, pipeline, preprocessing, svm

from tests.portal.scanner.hostile import (
    CANARY,
    COMMAND,
    MODEL,
    PROTO4,
    RUN,
    SYSTEM,
    Calls,
    dtype_state,
    fit_model,
    joblib_bytes,
    model_with,
    name,
    state,
    text,
    wrapper,
)

Cases = dict[str, Callable[[], bytes]]
FOREIGN = Calls(os.system, COMMAND)
LOGISTIC = ("sklearn.linear_model._logistic", "LogisticRegression")
FRAMED_RUN = b"\x95" + struct.pack("<Q", len(RUN)) + RUN
POPEN = name("subprocess", "Popen")
NEWOBJ_EX = b"\x92"


def hide(payload: bytes) -> bytes:
    """A model whose attribute C is what the payload leaves on the stack."""
    return PROTO4 + MODEL + state("C", payload) + b"."


def globals_line(module: str, attribute: str) -> bytes:
    return f"c{module}\n{attribute}\n".encode()


# Each leaves os.system's result, or the means to it, on the stack.
OPCODES: Cases = {
    "GLOBAL in protocol 4": lambda: hide(globals_line("os", "system") + text(COMMAND) + b"\x85R"),
    "GLOBAL of posix": lambda: hide(globals_line("posix", "system") + text(COMMAND) + b"\x85R"),
    "GLOBAL of nt": lambda: hide(globals_line("nt", "system") + text(COMMAND) + b"\x85R"),
    "STACK_GLOBAL from bytes": lambda: hide(b"C\x02osC\x06system\x93" + text(COMMAND) + b"\x85R"),
    "STACK_GLOBAL from parts of a tuple": lambda: hide(
        text("os")
        + text("system")
        + b"\x86\x940h\x00"
        + text("os")
        + text("system")
        + b"\x93"
        + text(COMMAND)
        + b"\x85R"
    ),
    "STACK_GLOBAL from a called text": lambda: hide(
        name("builtins", "str") + text("os") + b"\x85R" + text("system") + b"\x93" + text(COMMAND) + b"\x85R"
    ),
    "name put into the memo and taken twice": lambda: hide(SYSTEM + b"\x940h\x00" + text(COMMAND) + b"\x85R"),
    "name put at a far number": lambda: hide(SYSTEM + b"q\x050h\x05" + text(COMMAND) + b"\x85R"),
    "memo overwritten": lambda: hide(
        name("numpy", "log1p") + b"q\x000" + SYSTEM + b"q\x000h\x00" + text(COMMAND) + b"\x85R"
    ),
    "LONG_BINPUT beyond all objects": lambda: hide(SYSTEM + b"r\x00\x00\x00\x70"),
    "PUT in text": lambda: hide(SYSTEM + b"p0\n"),
    "GET in text": lambda: hide(SYSTEM + b"\x940g0\n"),
    "POP past the mark": lambda: PROTO4 + b"(0" + RUN + b"0" + MODEL + b".",
    "POP_MARK of a command": lambda: PROTO4 + b"(" + RUN + b"1" + MODEL + b".",
    "command between PROTO and MARK": lambda: PROTO4 + RUN + b"(" + MODEL + b"1.",
    "DUP of a name": lambda: hide(SYSTEM + b"2" + text(COMMAND) + b"\x85R"),
    "EXT2": lambda: hide(b"\x83\x01\x00"),
    "persistent id around a command": lambda: hide(RUN + b"Q"),
    "INST of Popen": lambda: hide(b"(" + text(COMMAND) + b"isubprocess\nPopen\n"),
    "OBJ of Popen": lambda: hide(b"(" + POPEN + text(COMMAND) + b"o"),
    "NEWOBJ_EX of Popen": lambda: hide(POPEN + text(COMMAND) + b"\x85}" + NEWOBJ_EX),
    "NEWOBJ_EX of a listed class": lambda: hide(name(*LOGISTIC) + b")}" + NEWOBJ_EX),
    "NEWOBJ with arguments": lambda: hide(name(*LOGISTIC) + text("x") + b"\x85\x81"),
    "REDUCE of a listed class": lambda: hide(name(*LOGISTIC) + b")R"),
    "REDUCE of a listed function": lambda: hide(name("numpy", "log1p") + b"K\x01\x85R"),
    "REDUCE of what was made": lambda: hide(MODEL + b")R"),
    "REDUCE with a list of arguments": lambda: hide(SYSTEM + b"]" + text(COMMAND) + b"aR"),
    "BUILD of a module": lambda: hide(name("sys", "modules") + state("os", b"K\x01")),
    "BUILD of a function's globals": lambda: hide(
        name("sklearn.utils.validation", "check_array") + state("__globals__", b"}")
    ),
    "BUILD of __class__": lambda: PROTO4 + MODEL + state("__class__", POPEN) + b".",
    "BUILD of __reduce__": lambda: PROTO4 + MODEL + state("__reduce__", SYSTEM) + b".",
    "BUILD of slots": lambda: PROTO4 + MODEL + b"N}" + text("__class__") + POPEN + b"s\x86b.",
    "SETITEM on sys.modules": lambda: hide(name("sys", "modules") + text("os") + b"K\x01s"),
    "SETITEM on a model": lambda: PROTO4 + MODEL + text("C") + b"K\x01s.",
    "APPEND to a model": lambda: PROTO4 + MODEL + b"K\x01a.",
    "APPEND to a bytearray": lambda: hide(b"\x96" + struct.pack("<Q", 1) + b"xK\x01a"),
    "ADDITEMS to a dict": lambda: hide(b"}(K\x01\x90"),
    "frame that hides a command": lambda: PROTO4 + FRAMED_RUN + b"0" + MODEL + b".",
    "frame inside a frame": lambda: (
        PROTO4 + b"\x95" + struct.pack("<Q", 9 + len(RUN)) + FRAMED_RUN + b"0" + MODEL + b"."
    ),
    "frame longer than the file": lambda: PROTO4 + b"\x95" + struct.pack("<Q", 10_000) + RUN + b".",
    "protocol 6": lambda: b"\x80\x06" + MODEL + b".",
    "protocol 255": lambda: b"\x80\xff" + MODEL + b".",
    "second PROTO lowers the protocol": lambda: PROTO4 + b"\x80\x02" + globals_line("__builtin__", "eval") + b".",
    "no PROTO": lambda: RUN + b".",
    "Python 2's spelling": lambda: b"\x80\x02" + globals_line("commands", "getoutput") + text(COMMAND) + b"\x85R.",
    "name with a line break": lambda: hide(name("os\n", "system")),
    "name with a null": lambda: hide(name("os\x00", "system")),
    "empty name": lambda: hide(name("os", "")),
    "empty module": lambda: hide(name("", "system")),
    "name in letters that look alike": lambda: hide(name("sklearn.linear_model._logistic", "LogisticRegressi\u043en")),
    "module from above": lambda: hide(name("sklearn.linear_model._logistic..os", "system")),
    "submodule as a name": lambda: hide(name("sklearn.utils", "parallel")),
    "module of a listed module": lambda: hide(name("sklearn.base", "warnings")),
    "imported name of a listed module": lambda: hide(name("sklearn.utils.validation", "joblib")),
    "wildcard's old hole": lambda: hide(name("sklearn.externals.joblib", "load")),
    "numpy's exec": lambda: hide(name("numpy.testing._private.utils", "runstring")),
    "numpy's file": lambda: hide(name("numpy", "memmap")),
    "scipy's distributions": lambda: hide(name("scipy.stats._distn_infrastructure", "rv_frozen") + b")\x81"),
    "NEXT_BUFFER": lambda: b"\x80\x05\x97" + MODEL + b".",
    "READONLY_BUFFER": lambda: b"\x80\x05" + MODEL + b"\x98.",
    "FLOAT in text": lambda: hide(b"F1.0\n"),
    "INT in text": lambda: hide(b"I1\n"),
    "STRING in text": lambda: hide(b"S'x'\n"),
    "UNICODE in text": lambda: hide(b"Vx\n"),
    "LONG in text": lambda: hide(b"L1L\n"),
    "DICT with a command as key": lambda: hide(b"(" + RUN + b"K\x01d"),
    "LIST with a command": lambda: hide(b"(" + RUN + b"l"),
    "unknown instruction": lambda: hide(b"\xff"),
}

NESTED: Cases = {
    "pickle.loads of bytes": lambda: pickle.dumps(model_with(C=Calls(pickle.loads, pickle.dumps(FOREIGN)))),
    "pickle inside joblib's object array": lambda: joblib_bytes(model_with(classes_=np.array([FOREIGN], dtype=object))),
    "two arrays deep": lambda: joblib_bytes(
        model_with(classes_=np.array([np.array([FOREIGN], dtype=object), 1], dtype=object))
    ),
    "after the first array": lambda: joblib_bytes(model_with(a=np.zeros(9), b=FOREIGN)),
    "after ten arrays": lambda: joblib_bytes(model_with(**{f"a{n}": np.zeros(n) for n in range(10)}, b=FOREIGN)),
    "between two arrays": lambda: joblib_bytes(model_with(a=np.zeros(9), b=FOREIGN, c=np.ones(9))),
    "array bytes that look like a pickle, then one": lambda: joblib_bytes(
        model_with(a=np.frombuffer(PROTO4 + RUN + b".   ", dtype=np.uint8), b=FOREIGN)
    ),
    "array that declares more than it has": lambda: (
        PROTO4 + MODEL + state("a", wrapper(b"K\x09\x85", dtype_state("u1", 0)))[:-2] + RUN + b"sb."
    ),
    "array that declares less than it has": lambda: (
        PROTO4 + MODEL + b"}" + text("a") + wrapper(b"K\x01\x85", dtype_state("u1", 0)) + b"\x00" + RUN + b"ssb."
    ),
    "object array followed by no pickle": lambda: (
        PROTO4 + MODEL + state("a", wrapper(b"K\x01\x85", dtype_state("O8", 63)) + b"junk") + b"."
    ),
    "object array whose pickle is a command": lambda: (
        PROTO4 + MODEL + state("a", wrapper(b"K\x01\x85", dtype_state("O8", 63)) + PROTO4 + RUN + b".") + b"."
    ),
    "wrapper with another subclass": lambda: (
        PROTO4
        + MODEL
        + state(
            "a", wrapper(b"K\x00\x85", dtype_state("u1", 0)).replace(name("numpy", "ndarray"), name("numpy", "memmap"))
        )
        + b"."
    ),
    "wrapper in a nested pickle": lambda: joblib_bytes(np.array([fit_model()], dtype=object)),
    "second stream after STOP": lambda: pickle.dumps(fit_model()) + pickle.dumps(FOREIGN),
    "second joblib after STOP": lambda: joblib_bytes(fit_model()) + joblib_bytes(FOREIGN),
    "zlib inside zlib": lambda: zlib.compress(zlib.compress(pickle.dumps(FOREIGN))),
    "state of a state": lambda: pickle.dumps(model_with(a={"b": [{"c": (1, FOREIGN)}]})),
    "key of a dict of a set": lambda: pickle.dumps(model_with(a={("x", FOREIGN): 1})),
    "cloudpickle of a function": lambda: hide(name("cloudpickle.cloudpickle", "_make_function")),
    "dill of a function": lambda: hide(name("dill._dill", "_create_function")),
    "marshal of code": lambda: hide(name("marshal", "loads") + b"C\x01\x00\x85R"),
    "torch's loader": lambda: hide(name("torch.storage", "_load_from_bytes") + b"C\x01\x00\x85R"),
    "pandas' loader": lambda: hide(name("pandas.io.pickle", "read_pickle") + text("/tmp/x") + b"\x85R"),  # noqa: S108
    "numpy's scalar of an object": lambda: hide(
        name("numpy._core.multiarray", "scalar") + dtype_state("O8", 63) + b"C\x08" + bytes(8) + b"\x86R"
    ),
}


def vectorizer(**options) -> feature_extraction.text.TfidfVectorizer:
    return feature_extraction.text.TfidfVectorizer(**options).fit(["a few words"])


def transformer(function, **options) -> preprocessing.FunctionTransformer:
    return preprocessing.FunctionTransformer(function, **options)


# What these hold is called, opened or looked up when somebody asks for a prediction.
AT_PREDICTION: Cases = {
    "function transformer with os.system": lambda: pickle.dumps(transformer(os.system)),
    "function transformer with eval": lambda: pickle.dumps(transformer(eval)),
    "function transformer with open": lambda: pickle.dumps(transformer(open)),
    "function transformer with numpy.load": lambda: pickle.dumps(transformer(np.load)),
    "function transformer with numpy.save": lambda: pickle.dumps(transformer(np.save)),
    "function transformer with a partial": lambda: pickle.dumps(transformer(functools.partial(os.system, COMMAND))),
    "function transformer with a partial of check_array": lambda: (
        PROTO4 + name("functools", "partial") + SYSTEM + b"\x85R(" + SYSTEM + b")}Ntb."
    ),
    "function transformer with an attrgetter": lambda: pickle.dumps(transformer(operator.attrgetter("x"))),
    "function transformer with a methodcaller": lambda: pickle.dumps(
        transformer(operator.methodcaller("tofile", CANARY))
    ),
    "function transformer with a bound method": lambda: pickle.dumps(transformer(pipeline.Pipeline([]).set_params)),
    "function transformer with getattr": lambda: pickle.dumps(transformer(getattr)),
    "function transformer's inverse": lambda: pickle.dumps(transformer(None, inverse_func=os.system)),
    "function transformer's names": lambda: pickle.dumps(transformer(None, feature_names_out=os.system)),
    "callable metric of neighbours": lambda: pickle.dumps(neighbors.KNeighborsClassifier(metric=os.system)),
    "callable weights of neighbours": lambda: pickle.dumps(neighbors.KNeighborsClassifier(weights=os.system)),
    "callable kernel": lambda: pickle.dumps(svm.SVC(kernel=os.system)),
    "analyzer": lambda: pickle.dumps(feature_extraction.text.CountVectorizer(analyzer=os.system)),
    "preprocessor": lambda: pickle.dumps(vectorizer().set_params(preprocessor=os.system)),
    "tokenizer": lambda: pickle.dumps(vectorizer().set_params(tokenizer=os.system)),
    "tokenizer that is a method of str": lambda: pickle.dumps(vectorizer().set_params(tokenizer=str.split)),
    "vectorizer of file names": lambda: pickle.dumps(vectorizer().set_params(input="filename")),
    "vectorizer of files": lambda: pickle.dumps(vectorizer().set_params(input="file")),
    "hashing vectorizer of file names": lambda: pickle.dumps(
        feature_extraction.text.HashingVectorizer(input="filename")
    ),
    "vectorizer of file names in a pipeline in joblib": lambda: joblib_bytes(
        pipeline.make_pipeline(vectorizer().set_params(input="filename"), linear_model.LogisticRegression())
    ),
    "vectorizer of file names in numpy's words": lambda: pickle.dumps(
        vectorizer().set_params(input=np.str_("filename"))
    ),
    "vectorizer whose input comes with a second state": lambda: (
        PROTO4
        + name("sklearn.feature_extraction.text", "CountVectorizer")
        + b")\x81"
        + state("input", text("content"))
        + state("input", text("filename"))
        + b"."
    ),
    "scorer with a foreign function": lambda: pickle.dumps(
        model_selection.GridSearchCV(svm.SVC(), {}, scoring=metrics.make_scorer(os.system))
    ),
    "pipeline with joblib.Memory": lambda: pickle.dumps(
        pipeline.Pipeline([("m", fit_model())], memory=joblib.Memory(None, verbose=0))
    ),
    "threshold with a foreign metric": lambda: pickle.dumps(
        model_selection.TunedThresholdClassifierCV(fit_model(), scoring=subprocess.check_output)
    ),
    "predict replaced": lambda: pickle.dumps(model_with(predict=os.system)),
    "predict replaced by a listed function, then called as a class": lambda: pickle.dumps(
        model_with(predict=functools.partial(np.save, CANARY))
    ),
    "descriptor in an attribute": lambda: pickle.dumps(model_with(coef_=property)),
    "generator of random numbers beyond its table": lambda: pickle.dumps(
        model_with(random_state=Calls(np.random.RandomState, 1))
    ),
}

LEGITIMATE = {
    "pickle": lambda: pickle.dumps(fit_model()),
    "pickle 2": lambda: pickle.dumps(fit_model(), protocol=2),
    "joblib": lambda: joblib_bytes(fit_model()),
    "joblib zlib": lambda: joblib_bytes(fit_model(), compress=3),
    "joblib gzip": lambda: joblib_bytes(fit_model(), compress=("gzip", 3)),
    "joblib bz2": lambda: joblib_bytes(fit_model(), compress=("bz2", 3)),
    "joblib xz": lambda: joblib_bytes(fit_model(), compress=("xz", 1)),
    "joblib lzma": lambda: joblib_bytes(fit_model(), compress=("lzma", 1)),
}


def cut(kind: str, share: float) -> bytes:
    whole = LEGITIMATE[kind]()
    return whole[: int(len(whole) * share)] if share < 1 else whole[:-1]


CUT: Cases = {
    f"{kind}, cut at {share:.0%}": functools.partial(cut, kind, share)
    for kind in LEGITIMATE
    for share in (0.01, 0.1, 0.35, 0.6, 0.9, 1)
}
TRAILING: Cases = {
    f"{kind}, then more": functools.partial(lambda k: LEGITIMATE[k]() + b"\x00more", kind) for kind in LEGITIMATE
}
