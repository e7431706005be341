"""A small file scored in one go, for the original tool's batchPrediction."""

from predictor import bucket, keys
from predictor.batch.planning import HEADER_ONLY, layout_of
from predictor.batch.scoring import Scorer, header_line
from predictor.batch.writing import Written
from predictor.errors import BadRequest, BatchRefused, ObjectMissing, ObjectTooLarge
from predictor.features import Output
from predictor.limits import in_megabytes, limit
from predictor.loaded_model import LoadedModel

LINK_SECONDS = 300


def score_file(key: str, model: LoadedModel) -> tuple[str, str]:
    """Score the file at `key` into <stem>_predictions.csv beside it; the bucket and a link to the result.

    Raises: BadRequest: no such file, or too large; BatchRefused: it cannot be scored
    """
    allowed = limit("PORTICO_INLINE_BATCH_MAX_BYTES")
    try:
        body = bucket.read(key, limit_bytes=allowed).body
    except ObjectMissing:
        raise BadRequest("There is no file of that fileKey.") from None
    except ObjectTooLarge as problem:
        raise BadRequest(
            f"The file has {in_megabytes(problem.size_bytes)}; this call scores up to {in_megabytes(allowed)}. "
            "Split it, or use the batch page, which takes larger ones."
        ) from None
    result = keys.inline_result(key)
    bucket.write(result, _score(body, model), content_type="text/csv; charset=utf-8")
    return bucket.name(), bucket.download_link(result, seconds=LINK_SECONDS)


def _score(body: bytes, model: LoadedModel) -> bytes:
    layout, text = layout_of(body, features=model.features, wanted=_columns_of(model.output))
    scorer = Scorer(model, layout)
    lines: list[Written] = [header_line(text[: layout.header_bytes], layout)]
    lines += scorer.score(text[layout.header_bytes :], is_last=True)
    if not scorer.tally.rows:
        raise BatchRefused(HEADER_ONLY)
    return b"".join(lines)


def _columns_of(output: Output) -> list[tuple[str, str]]:
    """The original's one column, and the error; before them the prediction, where one probability does not say it."""
    last = [("predicted_probability_1", f"probability {len(output.classes or ()) - 1}")] if output.probabilities else []
    if output.type == "binary" and last:
        return [*last, ("error", "error")]
    return [("prediction", "prediction"), *last, ("error", "error")]
