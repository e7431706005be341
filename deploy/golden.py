"""Golden rows: what the live models answered when they were checked, asked again of changed code.

The rows and the answers lie in each version's manifest in the bucket; the functions themselves compare (`replay`).
Which code has answered them well is noted in the bucket too, so that code is asked once, whatever way it came.
Source: docs/contract.md, section 3
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import metadata
from typing import Any

from botocore.exceptions import ClientError
from rich.table import Table

from deploy.console import console
from deploy.errors import DeployError
from deploy.execute import execute_plan
from deploy.outputs import function_names
from deploy.plan import make_plan
from deploy.targets import Target

NOTED_AT = "deploy/proved.json"
SHOWN = 20
# What a zip runs with is not in it: the libraries of this Python.
LIBRARIES = ("scikit-learn", "numpy", "scipy", "joblib", "pandas")
# Not about the rows: a model that nobody vouches for (the portal's next start signs it), or that is gone.
NOT_ASKED = ("signature_invalid", "unknown_model", "unknown_version")


class RowsMoved(DeployError):
    """Changed code answers otherwise than the code that the models were checked with. Exit code 3."""

    exit_code = 3


@dataclass(frozen=True)
class Moved:
    """One golden row whose answer is another than at the check, or a whole model that does not answer (no row)."""

    model: str
    row: Mapping[str, Any]
    before: str
    now: str


def prove_code(target: Target, outputs: Mapping[str, str]) -> list[Moved]:
    """Ask the golden rows of every live model, unless the code that is live now has answered them before.

    Returns: the rows that moved; none, and the code is noted as proved
    """
    code, proved = _fingerprint(target, outputs), _read_note(target, outputs)
    if code == proved:
        return []
    moved, is_complete = [], True
    for slug in _live_models(target, outputs["BucketName"]):
        found = _replay(target, outputs["PredictFunctionName"], slug)
        is_complete = is_complete and found is not None
        moved += found or []
    if is_complete and not moved:
        target.s3.put_object(Bucket=outputs["BucketName"], Key=NOTED_AT, Body=json.dumps(code).encode())
    return moved


def put_image_back(target: Target, outputs: Mapping[str, str]) -> bool:
    """Let the functions run the image that was proved last. False: there is none, or it is no longer here."""
    proved = _read_note(target, outputs)
    if not proved:
        return False
    if "image" in proved:
        return _put_back_by_stack(target, proved["image"])
    try:
        for name in function_names(outputs):
            target.functions.update_function_code(FunctionName=name, ImageUri=f"sha256:{proved['code']}")
            target.functions.get_waiter("function_updated_v2").wait(FunctionName=name)
    except ClientError:
        return False
    return True


def _put_back_by_stack(target: Target, image: str) -> bool:
    """On AWS the stack names the image by digest: changed beside it, the next `up` would take the new one for live."""
    before = replace(target, image=image)
    try:
        execute_plan(before, make_plan(before), lambda verb, resource, detail: None)
    except DeployError:
        return False
    return True


def show_moved(moved: list[Moved]) -> None:
    """A table for people."""
    table = Table("Model", "Row", "At the check", "Now", title=f"{len(moved)} golden rows moved", title_justify="left")
    for each in moved[:SHOWN]:
        row = ", ".join(f"{name}={value}" for name, value in each.row.items())
        table.add_row(each.model, row if len(row) <= 80 else row[:79] + "…", each.before, each.now)
    console.print(table)
    if len(moved) > SHOWN:
        console.print(f"… and {len(moved) - SHOWN} more.")


def _fingerprint(target: Target, outputs: Mapping[str, str]) -> dict[str, str]:
    """Names the code, and whatever else answers depend on."""
    settings = target.functions.get_function_configuration(FunctionName=outputs["PredictFunctionName"])
    code = {"code": settings["CodeSha256"]}
    if target.image and not target.image_is_tag:
        return code | {"image": target.image}
    return code if target.image else code | {name: metadata.version(name) for name in LIBRARIES}


def _read_note(target: Target, outputs: Mapping[str, str]) -> dict[str, str] | None:
    try:
        noted = target.s3.get_object(Bucket=outputs["BucketName"], Key=NOTED_AT)
    except ClientError:
        return None
    return dict(json.load(noted["Body"]))


def _live_models(target: Target, bucket: str) -> Iterator[str]:
    pages = target.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="models/", Delimiter="/")
    for folder in (entry["Prefix"] for page in pages for entry in page.get("CommonPrefixes", [])):
        if "Contents" in target.s3.list_objects_v2(Bucket=bucket, Prefix=f"{folder}live.json", MaxKeys=1):
            yield folder.split("/")[1]


def _replay(target: Target, function: str, slug: str) -> list[Moved] | None:
    """None: it could not be asked."""
    question = json.dumps({"operation": "replay", "model": slug, "version": None})
    answer = target.functions.invoke(FunctionName=function, Payload=question)
    content = json.load(answer["Payload"])
    if "FunctionError" in answer:
        return [Moved(slug, {}, "answered", f"the function fails: {content.get('errorMessage')}")]
    if content.get("ok"):
        return [
            Moved(slug, each["row"], _words(each["before"]), each.get("error") or _words(each["now"]))
            for each in content["moved"]
        ]
    fault = content.get("error") or {}
    return None if fault.get("code") in NOT_ASKED else [Moved(slug, {}, "answered", str(fault.get("message")))]


def _words(prediction: Mapping[str, Any]) -> str:
    """An answer in one cell: the label or the number, with the probabilities where there are any."""
    value = prediction.get("label") if prediction.get("value") is None else prediction["value"]
    probabilities = prediction.get("probabilities")
    return f"{value} ({', '.join(f'{each:.6g}' for each in probabilities)})" if probabilities else str(value)
