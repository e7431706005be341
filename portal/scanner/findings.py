"""What all parts of one file have in common: the names they use, reasons against them, and how much was read."""

from portal.scanner.allowed import Pair
from portal.scanner.report import Refusal
from portal.scanner.standins import Dtype, Instance


class Findings:
    def __init__(self) -> None:
        self.globals: set[Pair] = set()
        self.refusals: dict[Pair, Refusal] = {}
        self.opcodes = 0
        self.has_wrapper = False
        # Dicts that numpy keeps by reference, by id; the stand-ins that hold them are kept so that no id is used again.
        self.sealed: dict[int, Dtype] = {}
        # Objects whose numbers compiled code follows, to be looked at when all of them have their state.
        self.compiled: list[Instance] = []
