"""A fitted pipeline written out as plain tables, and walked by the standard library alone.

    writing     estimator → document, in the process that checks a model; imports numpy
    reading     document → Walker; the standard library, in microseconds, on the predict function's hot path
    written_out logistic models of few columns, as one expression that answers usual rows
    parity      the gate: a document is used only where it answers as scikit-learn does
    thresholds  the numbers that it tries most of all
    operations  one module each: what it writes of an estimator, and how that is walked

The document is docs/compiled.md's. May import features and errors; nothing here imports scikit-learn.
"""
