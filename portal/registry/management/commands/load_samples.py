"""Puts the sample models through the same door as any upload: scan, verify, settings, live."""

import json
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.accounts.models import User
from portal.errors import PorticoError
from portal.registry import actions, training_data
from portal.registry.actions import NewModel
from portal.registry.models import Model
from portal.registry.pictures import NewPicture

SUFFIXES = (".pkl", ".joblib", ".skops", ".zip")


class Command(BaseCommand):
    help = (
        "Upload the samples that `python -m model.train` wrote and make them live. Those already there are left alone."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="what `python -m model.train --out` was given")

    def handle(self, *args: Any, folder: Path, **options: Any) -> None:
        owner = User.objects.filter(is_superuser=True).order_by("pk").first()
        if owner is None:
            raise CommandError("There is nobody to own the samples. Run `manage.py first_login` first.")
        samples = sorted(path.parent for path in folder.glob("*/settings.json"))
        if not samples:
            raise CommandError(f"{folder} holds no samples. Run `python -m model.train --out {folder}` first.")
        for sample in samples:
            started = time.monotonic()
            outcome = self._load(sample, owner)
            self.stdout.write(f"{sample.name}: {outcome} ({time.monotonic() - started:.1f} s)")

    def _load(self, sample: Path, owner: User) -> str:
        given = json.loads((sample / "settings.json").read_text("utf-8"))
        model = Model.objects.filter(slug=given["slug"]).first()
        if model and model.live_version:
            return "already there"
        target = given.get("target") or {}
        facts = {
            "summary": given.get("summary", ""),
            "target_label": target.get("label", ""),
            "target_unit": target.get("unit", ""),
        }
        try:
            new_model = NewModel(name=given["name"], slug=given["slug"], facts=facts)
            return self._upload(sample, model or new_model, given, owner)
        except PorticoError as error:
            raise CommandError(f"{sample.name}: {error.user_message}") from error

    def _upload(self, sample: Path, model: Model | NewModel, given: dict[str, Any], owner: User) -> str:
        path = next(path for path in sorted(sample.iterdir()) if path.suffix in SUFFIXES)
        with (sample / "training.csv").open("rb") as file:
            training = training_data.read(file)
        given["classes"] = dict(given.get("classes") or [])
        with path.open("rb") as file:
            version = actions.upload_version(
                model,
                file,
                file_name=path.name,
                by=owner,
                notes=given.get("notes", ""),
                training=training,
                given=given,
                new_pictures=[
                    NewPicture((sample / picture["file"]).read_bytes(), title=picture["title"], alt=picture["alt"])
                    for picture in given.get("pictures", [])
                ],
            )
        actions.check(version, by=owner)
        if not version.has_passed:
            raise CommandError(f"{sample.name} was rejected: {' '.join(version.refusals)}")
        actions.make_live(version, by=owner)
        return f"version {version.number} is live"
