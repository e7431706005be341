"""What LocalStack loads: the executor by its name (LAMBDA_RUNTIME_EXECUTOR=image), and hooks around its life."""

import logging
import os
from typing import Any

from localstack import config
from localstack.runtime import hooks
from localstack.runtime.exceptions import LocalstackExit
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin

LOG = logging.getLogger(__name__)

NAME = "image"
READY_PATH = "/_localstack/init/ready"


class ImageExecutorPlugin(RuntimeExecutorPlugin):
    name = NAME

    def load(self, *args: Any, **kwargs: Any) -> Any:
        # Imported late, as LocalStack does: listing plugins must not load the Lambda service.
        from image_lambda.executor import ImageExecutor

        return ImageExecutor


def is_chosen() -> bool:
    return bool(config.LAMBDA_RUNTIME_EXECUTOR == NAME)


# Early: what a killed LocalStack left behind goes before anything new is made.
@hooks.on_infra_start(should_load=is_chosen, priority=100)
def remove_leftover_functions() -> None:
    _sweep("left behind by an earlier run")


# Early: before anyone asks LocalStack for its address. Functions may then live in a network of their own, one without
# a way out for instance, and reach LocalStack there.
@hooks.on_infra_start(should_load=is_chosen, priority=100)
def choose_network() -> None:
    from image_lambda.owner import network_named, this_container

    wanted = os.environ.get("IMAGE_LAMBDA_NETWORK")
    if not wanted:
        return
    network = network_named(wanted, this_container() or {"Config": {}, "NetworkSettings": {"Networks": {}}})
    if network is None:
        raise LocalstackExit(f"image-lambda: LocalStack's container is in no network {wanted}.\n", code=1)
    config.MAIN_DOCKER_NETWORK = config.LAMBDA_DOCKER_NETWORK = network


# Early: before the Lambda service is made.
@hooks.on_infra_start(should_load=is_chosen, priority=100)
def steady_environments() -> None:
    from image_lambda.environments import install

    install()


# Before LocalStack's own way of stopping, which takes one container after the other and five seconds at most.
@hooks.on_infra_shutdown(should_load=is_chosen, priority=100)
def remove_functions() -> None:
    _sweep("at the end")


# A health check asks every few seconds whether the ready hooks are done: nobody wants to read that.
@hooks.on_infra_start(should_load=is_chosen)
def quiet_health_check() -> None:
    log = logging.getLogger("localstack.request.http")
    log.addFilter(lambda record: READY_PATH not in record.getMessage())


def _sweep(why: str) -> None:
    from docker.errors import DockerException
    from localstack.utils.container_utils.container_client import ContainerException
    from localstack.utils.docker_utils import DOCKER_CLIENT

    from image_lambda.owner import sweep, this_owner

    try:
        count = sweep(DOCKER_CLIENT.client(), this_owner())
    except (DockerException, ContainerException) as error:
        LOG.warning("Function containers were not looked for: %s", error)
        return
    if count:
        LOG.info("Removed %s function container(s) %s", count, why)
