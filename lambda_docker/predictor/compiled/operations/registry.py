"""All operations, by the document's names and by the estimators that they write: for where models are checked."""

from predictor.compiled.operations import NAMES_BY_MODULE, load
from predictor.compiled.terms import Operation

OPERATIONS: dict[str, Operation] = {
    operation.name: operation for module in NAMES_BY_MODULE for operation in load(module)
}
BY_CLASS: dict[str, Operation] = {name: operation for operation in OPERATIONS.values() for name in operation.classes}
