"""Whose containers these are. One machine may run several LocalStacks: none may touch the others' containers."""

import re
import secrets
import socket
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from docker.errors import APIError, NotFound

OWNER_LABEL = "image-lambda.owner"
FUNCTION_LABEL = "image-lambda.function"
COMPOSE = "com.docker.compose."


@dataclass(frozen=True)
class Owner:
    """This LocalStack: the same name again after a restart, so that it finds what its former life left behind."""

    name: str
    project: str
    compose_labels: Mapping[str, str] = field(default_factory=dict)

    def labels(self, function_name: str) -> dict[str, str]:
        return {OWNER_LABEL: self.name, FUNCTION_LABEL: function_name, **self.compose_labels}

    def container_name(self, function_name: str) -> str:
        readable = function_name.removeprefix(f"{self.project}-")
        return re.sub(r"[^a-zA-Z0-9_.-]", "-", f"{self.project}-{readable}-{secrets.token_hex(4)}")


def owner_of(container: Mapping[str, Any] | None) -> Owner:
    """
    Args:    container: what `docker inspect` says of LocalStack's own container; None where it runs in none
    """
    if not container:
        return Owner(name=f"host-{socket.gethostname()}", project="localstack")
    name = container["Name"].lstrip("/")
    labels = container["Config"].get("Labels") or {}
    project, service = labels.get(f"{COMPOSE}project"), labels.get(f"{COMPOSE}service")
    if not project or not service:
        return Owner(name=name, project=name)
    number = labels.get(f"{COMPOSE}container-number", "1")
    return Owner(
        name=f"{project}/{service}/{number}",
        project=project,
        # One-off, as of `docker-compose run`: `down` removes these, and `up`, `ps` and `logs` look past them. Without a
        # configuration's hash Compose v2 would not see them at all.
        compose_labels={
            f"{COMPOSE}project": project,
            f"{COMPOSE}service": service,
            f"{COMPOSE}oneoff": "True",
            f"{COMPOSE}container-number": "1",
            f"{COMPOSE}config-hash": labels.get(f"{COMPOSE}config-hash", ""),
            f"{COMPOSE}version": labels.get(f"{COMPOSE}version", ""),
        },
    )


def network_named(wanted: str, container: Mapping[str, Any]) -> str | None:
    """Of LocalStack's own networks the one of that name, as Compose calls it in its file or with the project in front.

    Args:    container: what `docker inspect` says of LocalStack's own container
    """
    project = (container["Config"].get("Labels") or {}).get(f"{COMPOSE}project")
    networks = container["NetworkSettings"]["Networks"]
    return next((name for name in (f"{project}_{wanted}", wanted) if name in networks), None)


@cache
def this_container() -> Mapping[str, Any] | None:
    """What `docker inspect` says of LocalStack's own container, or None where it runs in none."""
    from localstack.utils.docker_utils import DOCKER_CLIENT

    try:
        attributes: Mapping[str, Any] = DOCKER_CLIENT.client().containers.get(socket.gethostname()).attrs
    except NotFound:
        return None
    return attributes


def this_owner() -> Owner:
    return owner_of(this_container())


def sweep(client: Any, owner: Owner) -> int:
    """Removes every function container of this owner, side by side, and says how many there were."""
    found = client.containers.list(all=True, filters={"label": f"{OWNER_LABEL}={owner.name}"}, ignore_removed=True)
    with ThreadPoolExecutor(max_workers=16) as pool:
        list(pool.map(remove, found))
    return len(found)


def remove(container: Any) -> None:
    """Kills and removes; a container that is gone, or going, is no error."""
    try:
        container.remove(force=True, v=True)
    except NotFound:
        pass
    except APIError as error:
        if error.status_code != 409:  # "removal is already in progress"
            raise
