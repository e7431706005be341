"""First shape of the executor."""

import time
from typing import Any

import requests
from localstack.aws.api.lambda_ import PackageType
from localstack.services.lambda_.invocation.docker_runtime_executor import DockerRuntimeExecutor
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InvocationResult
from localstack.utils.container_utils.container_client import ContainerConfiguration
from localstack.utils.docker_utils import DOCKER_CLIENT


class ImageExecutor(DockerRuntimeExecutor):
    @property
    def is_image(self) -> bool:
        return bool(self.function_version.config.package_type == PackageType.Image)

    def start(self, env_vars: dict[str, str]) -> None:
        if not self.is_image:
            return super().start(env_vars)
        config = self.function_version.config
        network, *more = self._get_networks_for_executor()
        image_config = config.image
        container = ContainerConfiguration(
            image_name=config.code.image_uri,
            name=self.container_name,
            env_vars=env_vars,
            network=network,
            command=image_config.command or None if image_config else None,
            entrypoint=image_config.entrypoint or None if image_config else None,
            additional_flags=f"--memory {config.memory_size}m",
        )
        DOCKER_CLIENT.create_container_from_config(container)
        for name in more:
            DOCKER_CLIENT.connect_container_to_network(name, self.container_name)
        DOCKER_CLIENT.start_container(self.container_name)
        self.ip = DOCKER_CLIENT.get_container_ipv4_for_network(self.container_name, network)
        deadline = time.monotonic() + 20
        while True:
            try:
                requests.get(f"http://{self.ip}:8080/", timeout=1)
                return None
            except requests.RequestException:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        if not self.is_image:
            return super().invoke(payload)
        url = f"http://{self.ip}:8080/2015-03-31/functions/function/invocations"
        answer = requests.post(url, data=payload["payload"].encode(), timeout=905)
        return InvocationResult(payload["invoke-id"], answer.content, is_error=not answer.ok, logs=self.get_logs())

    def stop(self) -> None:
        if not self.is_image:
            return super().stop()
        return DOCKER_CLIENT.remove_container(self.container_name, force=True)

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        if function_version.config.package_type != PackageType.Image:
            super().prepare_version(function_version)
