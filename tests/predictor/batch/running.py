"""What the batch tests share: a file of penguins, a batch run on it, and scikit-learn's own answers beside it."""

from tests.predictor.factories import SPECIES, BatchRun, penguins

HEADER = b"bill_length_mm,body_mass_g,sex\n"
FEATURES = ["bill_length_mm", "body_mass_g", "sex"]


def penguin_csv(rows: int = 40, **options: object) -> bytes:
    return penguins(rows, seed=5).to_csv(index=False, **options).encode()


def run_batch(content: bytes, **options: object) -> BatchRun:
    batch = BatchRun(content, **options)
    batch.run()
    return batch


def summarise(content: bytes) -> dict:
    return BatchRun(content).run()


def assert_equals_scikit_learn(batch: BatchRun, model, **options: object) -> None:
    table, expected = batch.table(**options), penguins(40, seed=5)[FEATURES]
    assert table["prediction"].tolist() == model.predict(expected).tolist()
    assert (
        table[[f"probability_{name}" for name in SPECIES]].to_numpy().tolist() == model.predict_proba(expected).tolist()
    )
