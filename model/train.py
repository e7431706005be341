"""Fit the sample models and write what the portal loads: `python -m model.train --out DIR [--only SLUG]`.

The same seeds, the same split, no dates in any file: the same versions of the libraries give the same bytes.
"""

import argparse
import json
import pickle
import time
from pathlib import Path
from typing import Any

import joblib

from model.pictures import draw_pictures
from model.quality import Split, measure_quality, split_rows
from model.sample import Sample
from model.samples import SAMPLES
from model.settings_file import write_settings


def main(arguments: list[str] | None = None) -> None:
    slugs = [sample.slug for sample in SAMPLES]
    parser = argparse.ArgumentParser(prog="python -m model.train", description="Fit the sample models.")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to; one subfolder a sample")
    parser.add_argument("--only", choices=slugs, help="fit this sample only")
    options = parser.parse_args(arguments)
    for sample in SAMPLES:
        if options.only in (None, sample.slug):
            started = time.perf_counter()
            sentence = train_sample(sample, options.out / sample.slug)
            print(f"{sample.slug}: {time.perf_counter() - started:.1f} s. {sentence}", flush=True)


def train_sample(sample: Sample, folder: Path) -> str:
    """Fit one sample and write its folder: model, settings.json, training.csv, to_score.csv, pictures.

    Returns: a sentence with the quality on the held-out rows
    """
    folder.mkdir(parents=True, exist_ok=True)
    split = split_rows(sample)
    estimator = sample.build().fit(split.train, split.train_target)
    save_model(sample, estimator, folder)
    quality = measure_quality(sample, estimator, split)
    pictures = draw_pictures(sample, estimator=estimator, split=split, folder=folder)
    settings = write_settings(sample, split=split, estimator=estimator, quality=quality.sentence, pictures=pictures)
    (folder / "settings.json").write_text(json.dumps(settings, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    write_tables(sample, split, folder)
    return quality.sentence


def save_model(sample: Sample, estimator: Any, folder: Path) -> None:
    path = folder / sample.file_name
    if sample.file_name == "model.joblib":
        joblib.dump(estimator, path, compress=3)
        return
    with path.open("wb") as file:
        pickle.dump(estimator, file)


def write_tables(sample: Sample, split: Split, folder: Path) -> None:
    """training.csv: features and target. to_score.csv: the held-out rows, each with an id, without the target."""
    training = split.train.assign(**{str(split.train_target.name): split.train_target})
    training.to_csv(folder / "training.csv", index=False, lineterminator="\n")
    to_score = split.held_out.copy()
    to_score.insert(0, sample.id_column, [f"{sample.id_column[0].upper()}{row:04d}" for row in split.held_out.index])
    to_score.to_csv(folder / "to_score.csv", index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
