"""Archives by family: ZIP files that are not what they say, skops files and MLflow models that reach too far."""

import functools
import gzip
import io
import json
import os
import pickle
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn import pipeline, preprocessing, tree
from skops import io as skops_io

from tests.portal.scanner.hostile import COMMAND, Calls, fit_model, joblib_bytes

Cases = dict[str, Callable[[], bytes]]
Node = dict[str, Any]
SCHEMA = "schema.json"
EVIL = pickle.dumps(Calls(os.system, COMMAND))


def zipped(members: dict[str, bytes], *, method: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression=method) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return file.getvalue()


def members_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {member: archive.read(member) for member in archive.namelist()}


def schema_of(members: dict[str, bytes]) -> Node:
    return json.loads(members[SCHEMA])


def skops_bytes(model: Any) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return skops_io.dumps(model)


@functools.cache
def plain() -> bytes:
    return skops_bytes(fit_model())


def twice(first: dict[str, bytes], second: dict[str, bytes]) -> bytes:
    """One archive in which names may come twice."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for members in (first, second):
            for member, content in members.items():
                archive.writestr(member, content)
    return file.getvalue()


def patched(content: bytes, at: int, number: int, form: str = "<I", *, record: bytes = b"PK\x01\x02") -> bytes:
    """One number of the last such record replaced."""
    place = content.rindex(record) + at
    return content[:place] + struct.pack(form, number) + content[place + struct.calcsize(form) :]


def overlapping() -> bytes:
    """Two entries of the table of contents that are the same bytes of the file."""
    content = zipped({SCHEMA: b"{}", "second.json": b"{}"})
    return patched(content, 42, 0)


def quine_like() -> bytes:
    """An archive in an archive in an archive: nobody unpacks more than one level."""
    content = plain()
    for _ in range(5):
        content = zipped({"model.zip": content})
    return content


ZIPS: Cases = {
    "empty": lambda: zipped({}),
    "nothing known in it": lambda: zipped({"a.txt": b"x"}),
    "a pickle in it": lambda: zipped({"model.pkl": EVIL}),
    "PyTorch": lambda: zipped({"archive/data.pkl": EVIL, "archive/version": b"3"}),
    "Keras": lambda: zipped({"config.json": b"{}", "model.weights.h5": b""}),
    "numpy": lambda: zipped({"a.npy": b""}),
    "Office": lambda: zipped({"[Content_Types].xml": b""}),
    "Java": lambda: zipped({"META-INF/MANIFEST.MF": b""}),
    "cut in the middle": lambda: plain()[: len(plain()) // 2],
    "cut at the end": lambda: plain()[:-1],
    "bytes after the end": lambda: plain() + b"more",
    "comment at the end": lambda: patched(plain(), 20, 4, "<H", record=b"PK\x05\x06") + b"more",
    "second archive behind": lambda: plain() + zipped({"x": b"y"}),
    "pickle before the archive": lambda: pickle.dumps(fit_model()) + plain(),
    "archive behind a hole": lambda: plain()[:4] + b"\x00" * 30 + plain()[4:],
    "overlapping members": overlapping,
    "quine": quine_like,
    "encrypted": lambda: patched(plain(), 8, 1, "<H"),
    "rare compression": lambda: zipped(members_of(plain()), method=zipfile.ZIP_LZMA),
    "declared size too small": lambda: patched(zipped(members_of(plain()), method=zipfile.ZIP_DEFLATED), 24, 5),
    "declared size too large": lambda: patched(zipped(members_of(plain()), method=zipfile.ZIP_DEFLATED), 24, 900_000),
    "declared size beyond all limits": lambda: patched(plain(), 24, 2**32 - 2),
    "another checksum": lambda: patched(plain(), 16, 1),
    "another name in the member's header": lambda: plain().replace(b"schema.json", b"schemA.json", 1),
    "two tables of contents": lambda: plain() + zipped({"x": b"y"})[-68:],
    "entries more than counted": lambda: patched(plain(), 10, 1, "<H", record=b"PK\x05\x06"),
    "spread over disks": lambda: patched(plain(), 4, 1, "<H", record=b"PK\x05\x06"),
    "absolute name": lambda: zipped({**members_of(plain()), "/etc/cron.d/x": b""}),
    "name that climbs": lambda: zipped({**members_of(plain()), "../../x": b""}),
    "name with a drive": lambda: zipped({**members_of(plain()), "C:x": b""}),
    "name with backslashes": lambda: zipped({**members_of(plain()), "..\\x": b""}),
    "name with a null": lambda: zipped({**members_of(plain()), "ab": b""}).replace(b"ab", b"a\x00"),
    "schema twice": lambda: twice(members_of(plain()), {SCHEMA: b"{}"}),
    "member twice": lambda: twice({"a": b"1"}, {"a": b"2", **members_of(plain())}),
}
BOMBS: Cases = {
    "zlib": lambda: zlib.compress(bytes(50_000_000), 9),
    "zlib with a pickle first": lambda: zlib.compress(pickle.dumps(fit_model())[:-1] + b"N0" * 20_000_000, 9),
    "gzip": lambda: gzip.compress(b"\x80\x04" + b"N0" * 25_000_000),
    "bz2": lambda: joblib_bytes(np.zeros(8_000_000), compress=("bz2", 9)),
    "xz": lambda: joblib_bytes(np.zeros(8_000_000), compress=("xz", 6)),
    "lzma": lambda: joblib_bytes(np.zeros(8_000_000), compress=("lzma", 6)),
    "zip": lambda: zipped({SCHEMA: bytes(50_000_000)}, method=zipfile.ZIP_DEFLATED),
    "zip with many members": lambda: zipped({f"{n}": b"" for n in range(66_000)}),
    "zip whose members are all a little too much": lambda: zipped(
        {f"{n}": bytes(4_000_000) for n in range(10)}, method=zipfile.ZIP_DEFLATED
    ),
    "one array of skops loaded a thousand times": lambda: many_loads(),
    "array that says it is a terabyte": lambda: with_array(npy("<f8", (2**37,))),
    "array whose sides wrap around": lambda: with_array(npy("<f8", (2**32, 2**32))),
    "deep schema": lambda: zipped({SCHEMA: b'{"protocol":2,"content":' * 5_000}),
    "deep nodes": lambda: deep_nodes(),
    "many nodes": lambda: with_schema(lambda top: attributes(top).update(x=listed([number(1)] * 120_000))),
    "very long number": lambda: with_schema(lambda top: attributes(top).update(x=plain_value("9" * 100_000))),
    "opcodes": lambda: b"\x80\x04" + b"N0" * 100_000 + b".",
    "memo": lambda: b"\x80\x04" + b"N" + b"\x94" * 200_000 + b".",
    "long integer": lambda: b"\x80\x04\x8b" + struct.pack("<i", 2**31 - 1) + b".",
    "texts": lambda: b"\x80\x04(" + (b"X\x00\x00\x40\x00" + bytes(2**22)) * 9 + b"t.",
    "numbered far": lambda: b"\x80\x04Nr\xff\xff\xff\x7f.",
    "tuples in tuples": lambda: b"\x80\x04)" + b"\x85" * 150_000 + b".",
    "sets of sets": lambda: b"\x80\x04)" + b"\x91" * 1_000 + b".",
}


# Schemas


def with_schema(change: Callable[[Node], Any], *, model: Any = None) -> bytes:
    members = members_of(plain() if model is None else skops_bytes(model))
    schema = schema_of(members)
    changed = change(schema)
    return zipped({**members, SCHEMA: json.dumps(changed if isinstance(changed, dict) else schema).encode()})


def attributes(top: Node) -> Node:
    """The model's attributes; the number of keys is kept right by the one who adds some."""
    return Attributes(top["content"])


class Attributes(dict):
    def __init__(self, node: Node) -> None:
        self.node = node

    def update(self, **nodes: Node) -> None:
        for key, node in nodes.items():
            self.node["content"][key] = node
            self.node["key_types"]["content"].append(kind("builtins", "str"))


def node(module: str, name: str, loader: str, **more: Any) -> Node:
    return {"__module__": module, "__class__": name, "__loader__": loader, **more}


def kind(module: str, name: str) -> Node:
    return node(module, name, "TypeNode")


def plain_value(text: str) -> Node:
    return node("builtins", "str", "JsonNode", content=text, is_json=True)


def number(value: int) -> Node:
    return plain_value(str(value))


def listed(items: list[Node], name: str = "list", loader: str = "ListNode") -> Node:
    return node("builtins", name, loader, content=items)


def tupled(*items: Node) -> Node:
    return listed(list(items), "tuple", "TupleNode")


def mapping(keys: Node | None = None, **items: Node) -> Node:
    keys = keys or listed([kind("builtins", "str")] * len(items))
    return node("builtins", "dict", "DictNode", content=items, key_types=keys)


def attribute(value: Node) -> bytes:
    return with_schema(lambda top: attributes(top).update(x=value))


def deep_nodes() -> bytes:
    value = number(1)
    for _ in range(300):
        value = listed([value])
    return attribute(value)


def npy(code: Any, shape: tuple[int, ...], cells: bytes = b"", *, header: str | None = None) -> bytes:
    said = header or repr({"descr": code, "fortran_order": False, "shape": shape})
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(said)) + said.encode() + cells


def with_array(content: bytes) -> bytes:
    """The model's first array replaced."""
    members = members_of(plain())
    first = next(member for member in members if member.endswith(".npy"))
    return zipped({**members, first: content})


def array_node(file: str, name: str = "ndarray") -> Node:
    return node("numpy", name, "NdArrayNode", type="numpy", file=file)


def many_loads() -> bytes:
    members = {**members_of(plain()), "big.npy": npy("<f8", (125_000,), bytes(1_000_000))}
    schema = schema_of(members)
    attributes(schema).update(x=listed([array_node("big.npy") for _ in range(1_000)]))
    return zipped({**members, SCHEMA: json.dumps(schema).encode()})


def object_array() -> bytes:
    file = io.BytesIO()
    np.save(file, np.array([Calls(os.system, COMMAND)], dtype=object), allow_pickle=True)
    return file.getvalue()


def same_number_twice() -> bytes:
    harmless, hostile = number(1), node("posix", "system", "FunctionNode")
    return attribute(listed([{**harmless, "__id__": 77}, {**hostile, "__id__": 77}]))


def itself() -> bytes:
    value = listed([])
    value["__id__"] = 78
    value["content"] = [node("builtins", "list", "ListNode", content=[], __id__=78)]
    return attribute(value)


def generator(name: str) -> Node:
    state = mapping(bit_generator=plain_value(json.dumps(name)), state=mapping())
    return node(
        "numpy.random._generator",
        "Generator",
        "RandomGeneratorNode",
        content={"bit_generator": state, "seed_seq": mapping()},
    )


def reduced(module: str, name: str, *arguments: Node) -> Node:
    return node(module, name, "ConstructorFromReduceNode", content=tupled(*arguments))


def partial(function: Node) -> Node:
    content = {"func": function, "args": tupled(), "kwds": mapping(), "namespace": plain_value("null")}
    return node("functools", "partial", "PartialNode", content=content)


COMMAND_NODE = plain_value(json.dumps(COMMAND))
SYSTEM = node("posix", "system", "FunctionNode")
FETCH = node("operator", "methodcaller", "OperatorFuncNode", attrs=tupled(COMMAND_NODE))
SKOPS: Cases = {
    "function of os": lambda: attribute(SYSTEM),
    "function of os as a type": lambda: attribute(kind("os", "system")),
    "object of subprocess": lambda: attribute(node("subprocess", "Popen", "ObjectNode", content=mapping())),
    "called with arguments": lambda: attribute(reduced("subprocess", "Popen", COMMAND_NODE)),
    "listed class called with arguments": lambda: attribute(
        reduced("sklearn.linear_model._logistic", "LogisticRegression", number(1))
    ),
    "open called with arguments": lambda: attribute(reduced("io", "open", COMMAND_NODE)),
    "type of the list called": lambda: attribute(reduced("builtins", "str", COMMAND_NODE)),
    "operator": lambda: attribute(FETCH),
    "attrgetter": lambda: attribute({**FETCH, "__class__": "attrgetter"}),
    "method": lambda: attribute(node("builtins", "str", "MethodNode", content={"func": "format", "obj": COMMAND_NODE})),
    "method of the model": lambda: with_schema(
        lambda top: attributes(top).update(
            x=node(
                top["__module__"],
                top["__class__"],
                "MethodNode",
                content={"func": "fit", "obj": json.loads(json.dumps(top))},
            )
        )
    ),
    "partial of os.system": lambda: attribute(partial(SYSTEM)),
    "partial of a listed function": lambda: attribute(partial(node("numpy", "log1p", "FunctionNode"))),
    "class as a function": lambda: attribute(
        node("sklearn.linear_model._logistic", "LogisticRegression", "FunctionNode")
    ),
    "keys made by a function": lambda: attribute(mapping(listed([SYSTEM]), a=number(1))),
    "keys made by a listed class": lambda: attribute(
        mapping(listed([kind("sklearn.feature_extraction.text", "CountVectorizer")]), a=number(1))
    ),
    "fewer kinds of keys than keys": lambda: attribute(mapping(listed([]), a=number(1))),
    "dict of another class": lambda: attribute({**mapping(), "__module__": "os", "__class__": "_Environ"}),
    "list of another class": lambda: attribute({**listed([]), "__module__": "subprocess", "__class__": "Popen"}),
    "list of a listed class": lambda: attribute(
        {**listed([]), "__module__": "sklearn.pipeline", "__class__": "Pipeline"}
    ),
    "tuple of another class": lambda: attribute({**tupled(), "__module__": "os", "__class__": "system"}),
    "factory of a default dict": lambda: attribute(
        node("collections", "defaultdict", "DefaultDictNode", content={"main": mapping(), "default_factory": SYSTEM})
    ),
    "factory that is a partial": lambda: attribute(
        node(
            "collections",
            "defaultdict",
            "DefaultDictNode",
            content={"main": mapping(), "default_factory": partial(SYSTEM)},
        )
    ),
    "loss that is no loss": lambda: attribute(
        node("subprocess", "Popen", "LossNode", content=mapping(), __reduce__={"args": tupled(COMMAND_NODE)})
    ),
    "loss that is a listed class": lambda: attribute(
        node("sklearn.pipeline", "Pipeline", "LossNode", content=mapping(), __reduce__={"args": tupled(COMMAND_NODE)})
    ),
    "tree of another class": lambda: attribute(
        node("subprocess", "Popen", "TreeNode", content=mapping(), __reduce__={"args": tupled(COMMAND_NODE)})
    ),
    "tree without its arguments": lambda: attribute(
        node("sklearn.tree._tree", "Tree", "ObjectNode", content=mapping())
    ),
    "forest of another package": lambda: attribute(node("quantile_forest", "QuantileForest", "QuantileForestNode")),
    "reduce node": lambda: attribute(node("os", "system", "ReduceNode")),
    "cached node of nothing": lambda: attribute(
        {"__module__": None, "__class__": None, "__loader__": "CachedNode", "__id__": 9}
    ),
    "unknown loader": lambda: attribute(node("builtins", "str", "EvalNode", content="1")),
    "no loader": lambda: attribute({"__module__": "os", "__class__": "system"}),
    "loader that is a list": lambda: attribute(node("builtins", "str", ["JsonNode"])),  # type: ignore[arg-type]
    "class with dots": lambda: attribute(node("sklearn.base", "warnings.sys", "TypeNode")),
    "module of a module": lambda: attribute(node("sklearn.utils.os", "system", "TypeNode")),
    "hidden attribute": lambda: with_schema(lambda top: attributes(top).update(__class__=number(1))),
    "attribute named by a number": lambda: with_schema(lambda top: rename_key(top)),
    "state that is a list": lambda: with_schema(lambda top: top.update(content=listed([number(1)]))),
    "vectorizer of file names": lambda: skops_bytes(vectorizer_of_files()),
    "function transformer with os.system": lambda: skops_bytes(preprocessing.FunctionTransformer(os.system)),
    "two objects under one number": same_number_twice,
    "object inside itself": itself,
    "number that is true": lambda: attribute({**number(1), "__id__": True}),
    "bit generator that is none": lambda: attribute(generator("seed")),
    "bit generator with dots": lambda: attribute(generator("mtrand.os")),
    "random state of another class": lambda: attribute(node("os", "system", "RandomStateNode", content=mapping())),
    "protocol 0": lambda: with_schema(lambda top: {**top, "protocol": 0}),
    "protocol 3": lambda: with_schema(lambda top: {**top, "protocol": 3}),
    "protocol true": lambda: with_schema(lambda top: {**top, "protocol": True}),
    "no protocol": lambda: with_schema(lambda top: {k: v for k, v in top.items() if k != "protocol"}),
    "schema that is a list": lambda: zipped({SCHEMA: b"[]"}),
    "schema that is no JSON": lambda: zipped({SCHEMA: b"{"}),
    "model in a list": lambda: skops_bytes([fit_model()]),
    "lone array": lambda: skops_bytes(np.zeros(3)),
    "array that climbs out": lambda: attribute(array_node("../x.npy")),
    "array that is missing": lambda: attribute(array_node("missing.npy")),
    "array that is the schema": lambda: attribute(array_node(SCHEMA)),
    "array that is a pickle": lambda: with_array(EVIL),
    "array of objects": lambda: with_array(object_array()),
    "array of objects in a record": lambda: with_array(npy([("a", "|O")], (1,), bytes(8))),
    "array that is an archive": lambda: with_array(zipped({"a.npy": object_array()})),
    "array of another version": lambda: with_array(npy("<f8", (1,), bytes(8)).replace(b"\x01\x00", b"\x09\x00", 1)),
    "array with too few cells": lambda: with_array(npy("<f8", (9,), bytes(8))),
    "array with too many cells": lambda: with_array(npy("<f8", (1,), bytes(16))),
    "array with code in its header": lambda: with_array(npy("", (), header="__import__('os').system('x')")),
    "array with a deep header": lambda: with_array(npy("", (), header="(" * 5_000)),
    "array with a negative side": lambda: with_array(npy("<f8", (-1,))),
    "array with a foreign type": lambda: with_array(npy("<f8,os", (1,), bytes(8))),
    "array of a class that is none": lambda: attribute(
        {**array_node("x.npy"), "__module__": "os", "__class__": "system"}
    ),
    "cut array": lambda: with_array(npy("<f8", (9,), bytes(72))[:-3]),
}


def rename_key(top: Node) -> None:
    attributes(top).update(**{"1": number(1)})
    top["content"]["key_types"]["content"][-1] = kind("builtins", "int")


def vectorizer_of_files() -> Any:
    from sklearn.feature_extraction.text import CountVectorizer

    return pipeline.make_pipeline(CountVectorizer(input="filename"), tree.DecisionTreeClassifier())


# MLflow

FLAVOR = "flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n"
FLAVOR += "  sklearn:\n    code: null\n    pickled_model: {0}\n"
FLAVOR += "    serialization_format: cloudpickle\n    sklearn_version: 1.9.1\nmlflow_version: 3.17.2\n"


def mlflow_bytes(text: str = "", *, member: str = "model.pkl", content: bytes | None = None, **more: bytes) -> bytes:
    text = text or FLAVOR.format(member)
    model = pickle.dumps(fit_model()) if content is None else content
    return zipped(
        {"MLmodel": text.encode(), member: model, **{key.replace("__", "/"): value for key, value in more.items()}}
    )


MLFLOW: Cases = {
    "pickle with a command": lambda: mlflow_bytes(content=EVIL),
    "skops with a command": lambda: mlflow_bytes(member="model.skops", content=SKOPS["function of os"]()),
    "joblib with a command": lambda: mlflow_bytes(content=joblib_bytes(Calls(os.system, COMMAND), compress=3)),
    "path that climbs": lambda: mlflow_bytes(FLAVOR.format("../../etc/passwd")),
    "absolute path": lambda: mlflow_bytes(FLAVOR.format("/etc/passwd")),
    "path to nothing": lambda: mlflow_bytes(FLAVOR.format("other.pkl")),
    "path that is an anchor": lambda: mlflow_bytes(FLAVOR.format("*model")),
    "path with a tag": lambda: mlflow_bytes(FLAVOR.format("!!python/object/apply:os.system ['x']")),
    "path in several lines": lambda: mlflow_bytes(FLAVOR.format("|\n      model.pkl")),
    "no path": lambda: mlflow_bytes(FLAVOR.replace("    pickled_model: {0}\n", "")),
    "path twice": lambda: mlflow_bytes(FLAVOR.format("model.pkl\n    pickled_model: other.pkl"), other=b""),
    "flavor twice": lambda: mlflow_bytes(FLAVOR.format("model.pkl") + "flavors:\n  sklearn:\n    pickled_model: x\n"),
    "flavors in one line": lambda: mlflow_bytes("flavors: {sklearn: {pickled_model: model.pkl}}\n"),
    "PyTorch": lambda: mlflow_bytes("flavors:\n  pytorch:\n    model_data: data\n"),
    "Keras": lambda: mlflow_bytes("flavors:\n  keras:\n    data: data\n  python_function:\n    env: x\n"),
    "Python function only": lambda: mlflow_bytes("flavors:\n  python_function:\n    python_model: python_model.pkl\n"),
    "no flavor": lambda: mlflow_bytes("mlflow_version: 3.1\n"),
    "empty": lambda: mlflow_bytes("\n"),
    "code of its own": lambda: mlflow_bytes(
        FLAVOR.format("model.pkl").replace("code: null", "code: code"), code__x=b"x"
    ),
    "code of its Python function": lambda: mlflow_bytes(
        FLAVOR.format("model.pkl").replace(
            "loader_module: mlflow.sklearn", "loader_module: mlflow.sklearn\n    code: code"
        )
    ),
    "two models": lambda: mlflow_bytes(other__MLmodel=b"flavors:\n"),
    "two models in folders": lambda: zipped({"a/MLmodel": b"", "b/MLmodel": b""}),
    "model that is a bomb": lambda: mlflow_bytes(content=zlib.compress(b"\x80\x04" + b"N0" * 20_000_000)),
    "model that is a ZIP bomb": lambda: mlflow_bytes(content=BOMBS["zip"]()),
    "model that is a ZIP of a pickle": lambda: mlflow_bytes(content=zipped({"model.pkl": EVIL})),
    "model that is cut": lambda: mlflow_bytes(content=pickle.dumps(fit_model())[:-9]),
    "model that is text": lambda: mlflow_bytes(content=b"hello"),
    "model that is empty": lambda: mlflow_bytes(content=b""),
    "description too long": lambda: mlflow_bytes(FLAVOR.format("model.pkl") + "# " + "x" * 300_000),
    "description that is no text": lambda: zipped({"MLmodel": b"\xff\xfe", "model.pkl": b""}),
    "description in UTF-16": lambda: zipped({"MLmodel": FLAVOR.encode("utf-16"), "model.pkl": b""}),
}
