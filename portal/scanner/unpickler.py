"""A pickle machine that makes nothing: real stack, real memo, stand-ins for everything the file names.

It derives from the standard library's own machine in Python, the one joblib derives from as well, so that both read the
same bytes as the same instructions. Only instructions that Python 3 writes for objects are known; the rest is refused.
"""

import pickle
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from typing import Any

from portal.scanner.allowed import Pair, load_grants
from portal.scanner.arrays import build_array, read_wrapper, take_cells
from portal.scanner.containers import CountedStream
from portal.scanner.dtypes import build_dtype
from portal.scanner.findings import Findings
from portal.scanner.limits import Limits
from portal.scanner.objects import call_global, make_new, set_items, set_state
from portal.scanner.reconstructors import ARGUMENT_PAIRS, RECONSTRUCTORS
from portal.scanner.refusals import refuse_global
from portal.scanner.report import refuse_form, refuse_size
from portal.scanner.standins import Array, ArrayWrapper, Blob, Dtype, Global

WRAPPER = ("joblib.numpy_pickle", "NumpyArrayWrapper")
SMALL_BYTES = 65_536
MAX_FRAME_BYTES = 64 * 1024 * 1024
KNOWN = (
    "PROTO FRAME STOP MARK POP POP_MARK NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 BINFLOAT "
    "BINUNICODE SHORT_BINUNICODE BINUNICODE8 BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8 "
    "EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 EMPTY_LIST APPEND APPENDS EMPTY_DICT SETITEM SETITEMS "
    "EMPTY_SET ADDITEMS FROZENSET BINGET LONG_BINGET BINPUT LONG_BINPUT MEMOIZE "
    "GLOBAL STACK_GLOBAL REDUCE NEWOBJ BUILD"
)
# The machine and its frames have no public name and no type information.
Machine: Any = pickle._Unpickler
Unframer: Any = pickle._Unframer  # type: ignore[attr-defined]
NAMES = {value[0]: name for name, value in vars(pickle).items() if type(value) is bytes and name.isupper()}


class InertUnpickler(Machine):
    """Reads one pickle from the stream. Nested ones are those inside joblib's arrays of objects."""

    def __init__(self, stream: CountedStream, findings: Findings, limits: Limits, *, is_nested: bool = False) -> None:
        super().__init__(stream)
        self.stream, self.findings, self.limits, self.is_nested = stream, findings, limits, is_nested
        self.has_started = False

    def load(self) -> Any:
        """The stand-in of the top object.

        Raises: RefusedError and whatever a damaged pickle makes the machine stumble over
        """
        self._unframer = Unframer(self._file_read, self._file_readline)
        self.read, self.readline = self._unframer.read, self._unframer.readline
        self.metastack: list[list[Any]] = []
        self.stack: list[Any] = []
        self.append = self.stack.append
        self.proto = 0
        while True:
            code = self.read(1)
            if not code:
                raise refuse_form("It is cut short: it ends before its last instruction.")
            self.count_opcode(code[0])
            if code == pickle.STOP:
                return self.finish()
            self.dispatch[code[0]](self)

    def count_opcode(self, code: int) -> None:
        self.findings.opcodes += 1
        if self.findings.opcodes > self.limits.opcodes:
            raise refuse_size(f"It has more than {self.limits.opcodes:,} instructions.")
        if code not in self.dispatch:
            name = NAMES.get(code, f"0x{code:02x}")
            raise refuse_form(f"It uses the pickle instruction {name}, which Python 3 does not write for a model.")
        if self.has_started == (code == pickle.PROTO[0]):
            raise refuse_form("It does not name its pickle protocol once, at its beginning.")
        self.has_started = True

    def finish(self) -> Any:
        if len(self.stack) != 1 or self.metastack or self.has_frame_left():
            raise refuse_form("It ends with more than one object.")
        return self.stack[0]

    def has_frame_left(self) -> bool:
        frame = self._unframer.current_frame
        return bool(frame and frame.read(1))

    # Names

    def find_class(self, module: str, name: str) -> Any:
        """A stand-in for the name; one that is not on the list is noted and reading goes on, to note them all."""
        pair = (module, name)
        if self.proto < 3 or self.is_nested:
            pair = self.translate(pair)
        self.findings.globals.add(pair)
        if pair == WRAPPER and not self.is_nested:
            return Global(pair, "class")
        if pair in RECONSTRUCTORS:
            return Global(pair, "reconstructor")
        if pair in ARGUMENT_PAIRS:
            return Global(pair, "value")
        grant = load_grants().get(pair)
        if grant is None and pair not in self.findings.refusals:
            self.findings.refusals[pair] = refuse_global(pair)
        return Global(pair, grant)

    def translate(self, pair: Pair) -> Pair:
        """Python 2's spelling of a name, as the loader reads it for protocol 2."""
        translated = NAME_MAPPING.get(pair) or (IMPORT_MAPPING.get(pair[0], pair[0]), pair[1])
        if self.is_nested and self.proto >= 3 and translated != pair:
            raise refuse_form("It spells a name as Python 2 did inside an array.")
        return translated

    # Making and filling objects

    def load_newobj(self) -> None:
        arguments, kind = self.stack.pop(), self.stack.pop()
        if type(kind) is Global and kind.pair == WRAPPER and arguments == ():
            self.append(ArrayWrapper())
        else:
            self.append(make_new(kind, arguments, self.findings))

    def load_reduce(self) -> None:
        arguments = self.stack.pop()
        self.stack[-1] = call_global(self.stack[-1], arguments, self.findings)

    def load_build(self) -> None:
        state = self.stack.pop()
        target = self.stack[-1]
        if type(target) is Array:
            build_array(target, state)
        elif type(target) is Dtype:
            build_dtype(target, state)
            if target.fields is not None:
                self.findings.sealed[id(target.fields)] = target
        elif type(target) is ArrayWrapper:
            self.stack[-1] = self.read_array(target, state)
        else:
            set_state(target, state)

    def read_array(self, wrapper: ArrayWrapper, state: Any) -> Array:
        """joblib reads the array's bytes here, straight from the file."""
        if wrapper.is_read or self.has_frame_left():
            raise refuse_form("It announces an array in a way that joblib does not.")
        wrapper.is_read = True
        self.findings.has_wrapper = True
        dtype, shape, is_padded = read_wrapper(state)
        if dtype.has_object:
            inner = InertUnpickler(self.stream, self.findings, self.limits, is_nested=True).load()
            if type(inner) is not Array or inner.cells is None:
                raise refuse_form("It announces an array of objects, and something else follows.")
            return inner
        if is_padded:
            self.stream.skip(self.stream.read(1)[0])
        array = Array()
        take_cells(array, self.stream, shape=shape, dtype=dtype)
        return array

    def load_append(self) -> None:
        item = self.stack.pop()
        self.target_of(list).append(item)

    def load_appends(self) -> None:
        items = self.pop_mark()
        self.target_of(list).extend(items)

    def load_setitem(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self.set_items([key, value])

    def load_setitems(self) -> None:
        self.set_items(self.pop_mark())

    def set_items(self, items: list[Any]) -> None:
        """A dict that describes a numpy cell may not change after it was checked."""
        if id(self.stack[-1]) in self.findings.sealed:
            raise refuse_form("It changes the description of a numpy array after it was used.")
        set_items(self.stack[-1], items)

    def load_additems(self) -> None:
        items = self.pop_mark()
        self.target_of(set).update(items)

    def target_of(self, kind: type) -> Any:
        if type(self.stack[-1]) is not kind:
            raise refuse_form(f"It adds to a {kind.__name__} that is none.")
        return self.stack[-1]

    # Sizes

    def load_mark(self) -> None:
        if len(self.metastack) >= self.limits.depth:
            raise refuse_size(f"It nests objects more than {self.limits.depth} deep.")
        super().load_mark()

    def load_frame(self) -> None:
        size = int.from_bytes(self.read(8), "little")
        if size > MAX_FRAME_BYTES:
            raise refuse_size("It has a frame larger than Python writes.")
        self._unframer.load_frame(size)

    def load_long1(self) -> None:
        self.append(int.from_bytes(self.read_exactly(self.read(1)[0]), "little", signed=True))

    def load_put_at(self, index: int) -> None:
        if index > self.findings.opcodes:
            raise refuse_size("It numbers its objects higher than it has any.")
        self.memo[index] = self.stack[-1]

    def load_binput(self) -> None:
        self.load_put_at(self.read(1)[0])

    def load_long_binput(self) -> None:
        self.load_put_at(int.from_bytes(self.read_exactly(4), "little"))

    def load_text(self, size: int) -> None:
        if size > self.limits.text_bytes and (self.proto > 2 or size > self.limits.uncompressed_bytes):
            raise refuse_size("It holds a text larger than any model needs.")
        self.append(str(self.read_exactly(size), "utf-8", "surrogatepass"))

    def load_binunicode(self) -> None:
        self.load_text(int.from_bytes(self.read_exactly(4), "little"))

    def load_binunicode8(self) -> None:
        self.load_text(int.from_bytes(self.read_exactly(8), "little"))

    def load_blob(self, size: int) -> None:
        """Large bytes are held only until it is known what they fill: the memo would keep them to the end. The very
        large are counted and dropped; only numbers that no compiled code follows may come in them.
        """
        if size > self.limits.uncompressed_bytes:
            raise refuse_size("It holds bytes larger than any model needs.")
        if size > self.limits.held_bytes:
            for at in range(0, size, SMALL_BYTES):
                self.read_exactly(min(SMALL_BYTES, size - at))
            self.append(Blob(size))
            return
        content = self.read_exactly(size)
        self.append(content if size <= SMALL_BYTES else Blob(size, content))

    def load_binbytes(self) -> None:
        self.load_blob(int.from_bytes(self.read_exactly(4), "little"))

    def load_binbytes8(self) -> None:
        self.load_blob(int.from_bytes(self.read_exactly(8), "little"))

    def read_exactly(self, size: int) -> bytes:
        piece: bytes = self.read(size)
        if len(piece) != size:
            raise refuse_form("It is cut short.")
        return piece


def own_dispatch() -> dict[int, Any]:
    """Instruction → method, for the known ones: this class's own where it has one, else the standard library's."""
    base = Machine.dispatch
    dispatch = {}
    for name in KNOWN.split():
        code = getattr(pickle, name)[0]
        dispatch[code] = getattr(InertUnpickler, base[code].__name__)
    dispatch[pickle.BYTEARRAY8[0]] = InertUnpickler.load_binbytes8
    return dispatch


InertUnpickler.dispatch = own_dispatch()
