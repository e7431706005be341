"""Uploads a model from the command line, through the same door as the console: for training scripts and schedules."""

import os
import sys
import tempfile
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.accounts.models import User
from portal.errors import BadInput, PorticoError
from portal.registry import actions, training_data
from portal.registry.actions import NewModel
from portal.registry.models import Model, ModelVersion
from portal.registry.training_data import TrainingData

STANDARD_INPUT = Path("-")


class Command(BaseCommand):
    help = (
        "Upload FILE as a new version of a model, have it checked, and with --live make it answer. "
        "A model that does not exist yet is made. Exit code 1 where the file is refused."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file",
            type=Path,
            help="a pickle, joblib or skops file, or a zipped MLflow model; - reads it from standard input",
        )
        parser.add_argument("--model", required=True, metavar="SLUG", help="the model's short name")
        parser.add_argument("--name", help="what colleagues see; for a model that does not exist yet")
        parser.add_argument("--notes", default="", help="what changed, where the data comes from, how good it is")
        parser.add_argument("--training", type=Path, metavar="CSV", help="gives ranges, choices, examples; not kept")
        parser.add_argument(
            "--by", default="", metavar="USERNAME", help="who uploads; the first administrator otherwise"
        )
        parser.add_argument("--live", action="store_true", help="make it live if it passes the check")

    def handle(self, *args: Any, file: Path, model: str, live: bool, **options: Any) -> None:
        by = self._find_user(options["by"], is_to_be_live=live)
        try:
            training = self._read_training(options["training"])
            with self._open(file) as stream:
                found = self._find_or_name(model, name=options["name"])
                file_name = "standard input" if file == STANDARD_INPUT else file.name
                self.stdout.write(f"Uploading {file_name} …")
                version = actions.upload_version(
                    found, stream, file_name=file_name, by=by, notes=options["notes"], training=training
                )
            actions.check(version, by=by, tell=lambda words: self.stdout.write(f"{words} …"))
            self._report(version)
            if live:
                actions.make_live(version, by=by)
                self.stdout.write(f"Version {version.number} of {model} is live.")
        except BadInput as error:
            raise CommandError(error.fields.get("training") or error.user_message) from error
        except PorticoError as error:
            raise CommandError(error.user_message) from error

    def _find_user(self, username: str, *, is_to_be_live: bool) -> User:
        if username:
            user = User.objects.filter(username=username, is_active=True).first()
            if user is None or not user.has_perm("registry.add_modelversion"):
                raise CommandError(f"There is nobody named {username} who may upload models.")
            if is_to_be_live and not user.has_perm("registry.activate_modelversion"):
                raise CommandError(f"{username} may upload models, but not make them live.")
            return user
        first = User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
        if first is None:
            raise CommandError("There is nobody yet who could own the model. Run `manage.py first_login` first.")
        return first

    def _open(self, file: Path) -> IO[bytes]:
        try:
            stream = _spool(sys.stdin.buffer) if file == STANDARD_INPUT else file.open("rb")
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        size_bytes = stream.seek(0, os.SEEK_END)
        if not 0 < size_bytes <= settings.PORTICO_MODEL_MAX_BYTES:
            stream.close()
            limit = settings.PORTICO_MODEL_MAX_BYTES // 1024**2
            raise CommandError(f"{file} has {size_bytes:,} bytes; Portico takes from 1 byte to {limit} MB.")
        stream.seek(0)
        return stream

    def _read_training(self, path: Path | None) -> TrainingData | None:
        if path is None:
            return None
        try:
            with path.open("rb") as file:
                return training_data.read(file)
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.") from error

    def _find_or_name(self, slug: str, *, name: str | None) -> Model | NewModel:
        found = Model.objects.filter(slug=slug).first()
        if found:
            return found
        try:
            Model._meta.get_field("slug").run_validators(slug)
        except ValidationError as error:
            raise CommandError(f"“{slug}” is no short name. {' '.join(error.messages)}") from error
        return NewModel(name=name or slug.replace("-", " ").capitalize(), slug=slug)

    def _report(self, version: ModelVersion) -> None:
        if not version.has_passed:
            reasons = "\n".join(f"  {reason}" for reason in version.refusals)
            raise CommandError(f"Version {version.number} was rejected:\n{reasons}")
        self.stdout.write(f"Version {version.number} passed the check.")
        flags = [flag["message"] for flag in version.manifest.get("flags", [])]
        for words in [*version.manifest.get("warnings", []), *flags]:
            self.stdout.write(f"  {words}")


def _spool(source: IO[bytes]) -> IO[bytes]:
    """A file of what a pipe gives; one that gives more than Portico takes is not read to its end."""
    spool = tempfile.TemporaryFile()  # noqa: SIM115 -- closed by the one who asked
    left = settings.PORTICO_MODEL_MAX_BYTES + 1
    while left > 0 and (chunk := source.read(min(left, 1024**2))):
        left -= spool.write(chunk)
    return spool
