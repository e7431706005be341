"""Makes the published page of a stack: a folder that any server of static files can serve, under any address."""

from __future__ import annotations

import json
import posixpath
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.errors import DeployError
from deploy.outputs import stack_outputs
from deploy.plan import describe_stack
from deploy.site.headers import policy_in_the_page, security_headers
from deploy.state import REPOSITORY
from deploy.targets import Target

PAGE = Path(__file__).with_name("page")
# The portal's, as they are: deploy knows them by their place alone.
PORTAL_FILES = REPOSITORY / "portal" / "static" / "portico"
CONFIG, INDEX = "config.json", "index.html"
_NEEDED = ("UserPoolId", "UserPoolPublicClientId", "UserPoolIssuer", "IdentityPoolId", "ApiUrl", "BucketName")
_BEFORE_THE_POLICY = '<meta charset="utf-8">\n'
_SHARED = re.compile(r"portico/((?:css|js)/[\w-]+\.(?:css|js)|logo\.svg)")
_IMPORTED = re.compile(r"""(?:from|import)\s+["']\./([\w-]+\.js)["']""")


@dataclass(frozen=True)
class Site:
    """A page that was made.

    Attributes:
        files: names under `folder`, with slashes, sorted
        headers: what is to be said with each of them
    """

    folder: Path
    files: tuple[str, ...]
    headers: Mapping[str, str]


def export_site(target: Target, out: Path, models: list[str] | None) -> Site:
    """The page of the target's stack, in the folder `out`; an earlier one there goes.

    Args:   models: slugs of those that it shows; None shows all that are live
    Raises: DeployError: there is no stack, or it lacks what the page asks; the folder holds something else
    """
    return write_site(read_config(target, models), out)


def read_config(target: Target, models: list[str] | None) -> dict[str, Any]:
    """What the page must know of the cloud side: docs/contract.md, section 9. Raises: DeployError."""
    outputs = _page_outputs(target)
    endpoints = _aws_endpoints(target, outputs["BucketName"])
    return {
        "v": 1,
        "region": target.users.meta.region_name,
        "userPoolId": outputs["UserPoolId"],
        "clientId": outputs["UserPoolPublicClientId"],
        "identityPoolId": outputs["IdentityPoolId"],
        "issuerName": outputs["UserPoolIssuer"].removeprefix("https://"),
        "apiUrl": target.api_url(outputs["ApiUrl"]),
        "bucket": outputs["BucketName"],
        "endpoints": endpoints,
        "models": None if models is None else sorted(set(models)),
    }


def write_site(config: Mapping[str, Any], out: Path) -> Site:
    """The page that knows this. The same again gives the same bytes.

    Raises: DeployError: the folder holds something else
    """
    _make_room(out)
    shutil.copytree(PAGE, out, dirs_exist_ok=True)
    for name in shared_files(out):
        (out / "portico" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PORTAL_FILES / name, out / "portico" / name)
    index = out / INDEX
    policy = f'<meta http-equiv="Content-Security-Policy" content="{policy_in_the_page(config)}">'
    head, mark, rest = index.read_text("utf-8").partition(_BEFORE_THE_POLICY)
    index.write_text(f"{head}{mark}  {policy}\n{rest}", "utf-8")
    (out / CONFIG).write_text(json.dumps(config, indent=2) + "\n", "utf-8")
    files = sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())
    return Site(out, tuple(files), headers_of(config))


def headers_of(config: Mapping[str, Any]) -> dict[str, str]:
    """What is said with each file of the page that has this config.json."""
    return security_headers(config, is_https=config["apiUrl"].startswith("https:"))


def shared_files(page: Path) -> list[str]:
    """What the page has of the portal: what its files name, and what those import in turn."""
    found: set[str] = set()
    waiting = [name for text in _texts(page) for name in _SHARED.findall(text)]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        if name.endswith(".js"):
            text = (PORTAL_FILES / name).read_text("utf-8")
            waiting += [posixpath.join("js", imported) for imported in _IMPORTED.findall(text)]
    return sorted(found)


def _texts(page: Path) -> Iterator[str]:
    for path in page.rglob("*"):
        if path.suffix in (".html", ".css", ".js"):
            yield path.read_text("utf-8")


def _page_outputs(target: Target) -> Mapping[str, str]:
    stack = describe_stack(target)
    if stack is None:
        raise DeployError(
            f"There is no stack {target.stack_name} {target.place}. Make it: python -m deploy up {target.options}"
        )
    outputs = stack_outputs(stack)
    if "UserPoolId" not in outputs:
        raise DeployError(
            f"The stack {target.stack_name} has no user pool, and nothing else opens the published page. "
            f"To have one: python -m deploy up {target.options} --cognito"
        )
    missing = _first_missing(outputs)
    if missing:
        raise DeployError(
            f"The stack {target.stack_name} has no {missing}, without which the published page answers nothing. "
            f"Bring it up to date: python -m deploy up {target.options}"
        )
    return outputs


def _first_missing(outputs: Mapping[str, str]) -> str | None:
    return next((name for name in _NEEDED if name not in outputs), None)


def _aws_endpoints(target: Target, bucket: str) -> dict[str, str]:
    """Where browsers reach the services, each with a slash at the end."""
    if target.is_emulated:
        url = f"{(target.public_url or target.endpoint_url).rstrip('/')}/"
        return {"cognitoIdp": url, "cognitoIdentity": url, "s3": f"{url}{bucket}/"}
    # The SDK knows under which domain a partition of AWS lies.
    domain = target.users.meta.endpoint_url.removeprefix("https://cognito-idp.")
    return {
        "cognitoIdp": f"https://cognito-idp.{domain}/",
        "cognitoIdentity": f"https://cognito-identity.{domain}/",
        "s3": f"https://{bucket}.s3.{domain}/",
    }


def _make_room(out: Path) -> None:
    """Remove an earlier page, and nothing else."""
    if out.exists() and not out.is_dir():
        raise DeployError(f"{out} is a file. Name a folder for the page.")
    if not out.exists() or not any(out.iterdir()):
        return
    if not (out / CONFIG).is_file() or not (out / INDEX).is_file():
        raise DeployError(f"The folder {out} holds something else than an earlier page. Name an empty or a new one.")
    shutil.rmtree(out)
