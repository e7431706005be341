"""A skops file without skops: its schema walked node by node, as skops' loaders would, into the same stand-ins.

skops asks only which types a file names; what a loader then does with them (call them with arguments of the file, fetch
an attribute, open a member) depends on the kind of node. So every kind has its own rule here, and an unknown one none.
Source: skops/io/_audit.py (`get_tree`: one node an id, the first that is read), skops/io/_persist.py.
"""

import json
from collections.abc import Callable
from typing import Any

from portal.scanner.allowed import Pair, load_grants, show
from portal.scanner.archives import Archive
from portal.scanner.compiled import check_random
from portal.scanner.findings import Findings
from portal.scanner.limits import Limits
from portal.scanner.npy import read_npy, read_sparse
from portal.scanner.objects import check_partial, make_instance, set_state
from portal.scanner.reconstructors import BIT_GENERATORS, FACTORIES, PARTIAL_OF, RECONSTRUCTORS, is_global
from portal.scanner.refusals import refuse_global
from portal.scanner.report import RefusedError, refuse_form, refuse_size
from portal.scanner.skops_nodes import Node, is_same, refuse_loader, refuse_node
from portal.scanner.skops_types import (
    DEFAULT_DICT,
    GENERATOR,
    KEY_TYPES,
    LOSS_MODULES,
    MAPPINGS,
    MASKED,
    MAX_POOL,
    NAMED_TUPLES,
    OF_LOADERS,
    PARTIAL,
    PROTOCOLS,
    RANDOM_STATE,
    REDUCED,
    SCALARS,
    SEED_KEYS,
    TREE,
)
from portal.scanner.standins import Array, Blob, Global, Instance

SCHEMA = "schema.json"
MAX_DEPTH = 200
UNFINISHED = object()


class SkopsTree:
    """One skops file, opened as an archive."""

    def __init__(self, archive: Archive, findings: Findings, limits: Limits) -> None:
        self.archive, self.findings, self.limits = archive, findings, limits
        self.made: dict[int, Any] = {}
        self.states: dict[int, Node] = {}
        self.depth = 0
        self.protocol = 0

    def load(self) -> Any:
        """The stand-in of the top object. Raises: RefusedError: what skops does not write"""
        text = self.archive.read(SCHEMA, at_most=self.limits.schema_bytes)
        try:
            schema = json.loads(text)
        except ValueError as fault:
            raise refuse_form("Its schema.json is not JSON.") from fault
        if type(schema) is not dict or type(schema.get("protocol")) is not int:
            raise refuse_form("Its schema.json does not name skops' protocol.")
        self.protocol = schema["protocol"]
        if self.protocol not in PROTOCOLS:
            raise RefusedError(
                f"It was written in protocol {self.protocol} of skops.",
                "Portico reads protocols 1 and 2, which skops has written since 2023.",
                "Save the model again with a current skops: skops.io.dump(model, file).",
            )
        return self.visit(schema)

    def visit(self, node: Any) -> Any:
        """The stand-in of a node: the earlier one where its id has been read before, as skops does."""
        self.findings.opcodes += 1
        if self.findings.opcodes > self.limits.opcodes:
            raise refuse_size(f"It has more than {self.limits.opcodes:,} nodes.")
        if type(node) is not dict:
            raise refuse_node()
        number = node.get("__id__")
        if number is not None and (type(number) is not int or number <= 0):
            raise refuse_node()
        if number in self.made:
            return self.recall(number, node)
        loader = LOADERS.get(node.get("__loader__") or "")
        if loader is None:
            raise refuse_loader(node)
        if number is not None:
            self.made[number], self.states[number] = UNFINISHED, node
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise refuse_size(f"It nests objects more than {MAX_DEPTH} deep.")
        made = loader(self, node)
        self.depth -= 1
        if number is not None:
            self.made[number] = made
        return made

    def recall(self, number: int, node: Node) -> Any:
        made = self.made[number]
        if made is UNFINISHED:
            raise refuse_form("It holds an object inside itself.")
        if node.get("__loader__") != "CachedNode" and not is_same(node, self.states[number]):
            raise refuse_form("It describes two objects under one number.")
        return made

    # Names

    def name_type(self, node: Node) -> Global:
        """The type that the node names, noted; one that is not on the list is refused, and reading goes on."""
        module, name = node.get("__module__"), node.get("__class__")
        if type(module) is not str or type(name) is not str:
            raise refuse_node()
        return self.name_pair((module, name))

    def name_pair(self, pair: Pair) -> Global:
        self.findings.globals.add(pair)
        grant = load_grants().get(pair)
        if grant is None and pair not in OF_LOADERS | REDUCED | SCALARS and pair not in self.findings.refusals:
            self.findings.refusals[pair] = refuse_global(pair)
        return Global(pair, grant)

    def expect(self, node: Node, pairs: set[Pair]) -> Global:
        named = self.name_type(node)
        if named.pair not in pairs and named.pair not in self.findings.refusals:
            raise refuse_form(
                f"It loads {named.dotted} in a way that skops does not ({show(str(node.get('__loader__')))})."
            )
        return named

    # Plain values

    def load_json(self, node: Node) -> Any:
        self.expect(node, {("builtins", "str")})
        if type(node.get("content")) is not str:
            raise refuse_node()
        value = json.loads(node["content"])
        if type(value) not in (type(None), bool, int, float, str):
            raise refuse_node()
        return value

    def load_dict(self, node: Node) -> Any:
        kind = self.expect(node, MAPPINGS)
        key_types = self.visit(node.get("key_types"))
        content = node.get("content")
        if type(content) is not dict or type(key_types) is not list or len(key_types) != len(content):
            raise refuse_node()
        if not all(is_global(key_type, KEY_TYPES) for key_type in key_types):
            raise refuse_form("It makes the keys of a dict by something else than numbers and texts.")
        made: dict[Any, Any] = {}
        for key_type, (key, value) in zip(key_types, content.items(), strict=True):
            is_text = key_type.pair in {("builtins", "str"), ("numpy", "str_")}
            made[key if is_text else (key_type.pair[1], key)] = self.visit(value)
        return (
            made if kind.pair in {("builtins", "dict"), ("collections", "OrderedDict")} else Instance(kind, items=made)
        )

    def load_default_dict(self, node: Node) -> Instance:
        kind = self.expect(node, {DEFAULT_DICT})
        parts = self.parts(node, {"main", "default_factory"})
        main, factory = self.visit(parts["main"]), self.visit(parts["default_factory"])
        if type(main) is not dict or not (factory is None or is_global(factory, FACTORIES)):
            raise refuse_node()
        return Instance(kind, items=main)

    def load_list(self, node: Node) -> list[Any]:
        self.expect(node, {("builtins", "list")})
        return self.visit_all(node)

    def load_set(self, node: Node) -> frozenset[Any]:
        self.expect(node, {("builtins", "set")})
        return frozenset(item for item in self.visit_all(node) if type(item) in (str, int, float, bool, tuple))

    def load_tuple(self, node: Node) -> Any:
        kind = self.expect(node, NAMED_TUPLES | {("builtins", "tuple")})
        items = tuple(self.visit_all(node))
        return items if kind.pair == ("builtins", "tuple") else Instance(kind, items)

    def visit_all(self, node: Node) -> list[Any]:
        if type(node.get("content")) is not list:
            raise refuse_node()
        return [self.visit(item) for item in node["content"]]

    def load_bytes(self, node: Node) -> Blob:
        self.expect(node, {("builtins", "bytes"), ("builtins", "bytearray")})
        stream = self.archive.open(self.member(node))
        stream.skip(stream.expected.size_bytes if stream.expected else 0)
        stream.is_at_end()
        return Blob(stream.total)

    def load_slice(self, node: Node) -> Instance:
        kind = self.expect(node, {("builtins", "slice")})
        parts = self.parts(node, {"start", "stop", "step"})
        if any(type(part) not in (type(None), int, str) for part in parts.values()):
            raise refuse_node()
        return Instance(kind)

    # Names as values

    def load_type(self, node: Node) -> Global:
        return self.name_type(node)

    def load_function(self, node: Node) -> Global:
        """skops fetches the function; what calls it is the model, later."""
        function = self.name_type(node)
        if function.grant not in ("value", None):
            raise refuse_form(f"It takes {function.dotted} for a function.")
        return function

    def load_partial(self, node: Node) -> Instance:
        kind = self.expect(node, {PARTIAL})
        parts = self.parts(node, {"func", "args", "kwds", "namespace"})
        function, arguments, keywords, attributes = (
            self.visit(parts[k]) for k in ("func", "args", "kwds", "namespace")
        )
        if not is_global(function, {PARTIAL_OF}):
            raise refuse_form("It binds arguments to a function, which scikit-learn does with one of its own only.")
        made = Instance(kind, (function,))
        check_partial(made, (function, arguments, keywords, attributes or None))
        return made

    # Objects

    def load_object(self, node: Node) -> Any:
        """An object without its constructor being called, then its state."""
        kind = self.name_type(node)
        if kind.grant not in ("estimator", "class", "constructor", None) or kind.pair == TREE:
            raise refuse_form(f"It makes a {kind.dotted} in a way that skops does not.")
        state = None if node.get("content") is None else self.visit(node["content"])
        return self.fill(make_instance(kind, (), self.findings), state)

    def fill(self, made: Instance, state: Any) -> Instance:
        if state is not None:
            if type(state) not in (dict, tuple):
                raise refuse_form(f"It gives a {made.made_by.dotted} a state that is none.")
            set_state(made, state)
        return made

    def load_reduced(self, node: Node) -> Any:
        kind = self.expect(node, REDUCED)
        arguments = self.visit(node.get("content"))
        rebuild = RECONSTRUCTORS.get(kind.pair)
        if type(arguments) is not tuple or (rebuild is None and kind.pair not in self.findings.refusals):
            raise refuse_node()
        return rebuild(kind, arguments) if rebuild and kind.pair in REDUCED else Instance(kind)

    def load_tree(self, node: Node) -> Instance:
        return self.load_with_arguments(node, self.expect(node, {TREE}))

    def load_loss(self, node: Node) -> Instance:
        kind = self.name_type(node)
        if kind.grant is not None and (kind.grant != "constructor" or kind.pair[0] not in LOSS_MODULES):
            raise refuse_form(f"It calls {kind.dotted} as if it were a loss.")
        return self.load_with_arguments(node, kind)

    def load_with_arguments(self, node: Node, kind: Global) -> Instance:
        reduced = node.get("__reduce__")
        if type(reduced) is not dict:
            raise refuse_node()
        state, arguments = self.visit(node.get("content")), self.visit(reduced.get("args"))
        if type(arguments) is not tuple or not all(type(each) in (int, float, bool, Array) for each in arguments):
            raise refuse_form(f"It calls {kind.dotted} with arguments that no fitted model has.")
        return self.fill(make_instance(kind, arguments, self.findings), state or None)

    # numpy and scipy

    def load_array(self, node: Node) -> Any:
        kind = self.expect(node, SCALARS | {("numpy", "ndarray")})
        if node.get("type") == "numpy":
            made = read_npy(self.archive.open(self.member(node)))
            return made if kind.pair == ("numpy", "ndarray") else Instance(kind)
        if node.get("type") != "json" or kind.pair != ("numpy", "ndarray"):
            raise refuse_node()
        items, shape = self.visit_all(node), self.visit(node.get("shape"))
        if type(shape) is not tuple or any(type(side) is not int or side < 0 for side in shape):
            raise refuse_node()
        if shape and shape[0] != len(items):
            raise refuse_node()
        return Array(is_filled=True, shape=shape, cells=items)

    def load_masked_array(self, node: Node) -> Array:
        self.expect(node, MASKED)
        parts = self.parts(node, {"data", "mask"})
        made = self.visit(parts["data"])
        mask = self.visit(parts["mask"])
        if type(made) is not Array or not (type(mask) is Array or is_scalar(mask)):
            raise refuse_node()
        return Array(is_masked=True, is_filled=True, shape=made.shape, dtype=made.dtype)

    def load_dtype(self, node: Node) -> Instance:
        kind = self.expect(node, {("numpy", "dtype")})
        if type(self.visit(node.get("content"))) is not Array:
            raise refuse_node()
        return Instance(kind)

    def load_random_state(self, node: Node) -> Instance:
        made = make_instance(self.expect(node, {RANDOM_STATE}), (), self.findings)
        state = self.visit(node.get("content"))
        if type(state) is not dict or state.get("bit_generator") != "MT19937":
            raise refuse_node()
        check_random(made, state)
        made.state.update(state)
        return made

    def load_generator(self, node: Node) -> Instance:
        """skops calls the class of numpy.random that a text in the state names."""
        made = make_instance(self.expect(node, {GENERATOR}), (), self.findings)
        parts = self.parts(node, {"bit_generator", "seed_seq"} if self.protocol > 1 else {"bit_generator"})
        state = self.visit(parts["bit_generator"])
        if type(state) is not dict or state.get("bit_generator") not in BIT_GENERATORS:
            raise refuse_form("It asks for a generator of random numbers that numpy does not have.")
        seed = self.visit(parts["seed_seq"]) if "seed_seq" in parts else {}
        if type(seed) is not dict or not set(seed) <= SEED_KEYS or not is_small(seed.get("pool_size", 4)):
            raise refuse_node()
        check_random(made, state)
        made.state.update(state)
        return made

    def load_sparse(self, node: Node) -> Instance:
        kind = self.name_type(node)
        if node.get("type") != "scipy" or (kind.grant and not kind.pair[0].startswith("scipy.sparse.")):
            raise refuse_node()
        content = self.archive.read(self.member(node), at_most=self.limits.uncompressed_bytes)
        made = make_instance(kind, (), self.findings)
        made.state.update(read_sparse(content, self.limits, free_bytes=self.archive.free_bytes))
        return made

    # Parts of nodes

    def member(self, node: Node) -> str:
        if type(node.get("file")) is not str:
            raise refuse_node()
        return str(node["file"])

    def parts(self, node: Node, names: set[str]) -> Node:
        content = node.get("content")
        if type(content) is not dict or not names <= set(content):
            raise refuse_node()
        return content


Loader = Callable[[SkopsTree, Node], Any]
LOADERS: dict[str, Loader] = {
    "JsonNode": SkopsTree.load_json,
    "DictNode": SkopsTree.load_dict,
    "DefaultDictNode": SkopsTree.load_default_dict,
    "ListNode": SkopsTree.load_list,
    "SetNode": SkopsTree.load_set,
    "TupleNode": SkopsTree.load_tuple,
    "BytesNode": SkopsTree.load_bytes,
    "BytearrayNode": SkopsTree.load_bytes,
    "SliceNode": SkopsTree.load_slice,
    "TypeNode": SkopsTree.load_type,
    "FunctionNode": SkopsTree.load_function,
    "PartialNode": SkopsTree.load_partial,
    "ObjectNode": SkopsTree.load_object,
    "ConstructorFromReduceNode": SkopsTree.load_reduced,
    "TreeNode": SkopsTree.load_tree,
    "LossNode": SkopsTree.load_loss,
    "NdArrayNode": SkopsTree.load_array,
    "MaskedArrayNode": SkopsTree.load_masked_array,
    "DTypeNode": SkopsTree.load_dtype,
    "RandomStateNode": SkopsTree.load_random_state,
    "RandomGeneratorNode": SkopsTree.load_generator,
    "SparseMatrixNode": SkopsTree.load_sparse,
}


def is_scalar(value: Any) -> bool:
    return type(value) is Instance and value.made_by.pair in SCALARS


def is_small(value: Any) -> bool:
    return type(value) is int and 0 <= value <= MAX_POOL
