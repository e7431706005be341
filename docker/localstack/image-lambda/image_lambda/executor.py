"""LocalStack's side: one execution environment of a function whose package is an image.

Zip functions go to LocalStack's own executor. An environment outlives its container: after a time-out or a crash, or
when somebody killed the container, the next invocation gets a fresh one, as Lambda resets an environment.
"""

import logging
import threading
import time

from localstack import config as settings
from localstack.aws.api.lambda_ import PackageType
from localstack.runtime import events
from localstack.services.lambda_ import provider
from localstack.services.lambda_.invocation.docker_runtime_executor import DockerRuntimeExecutor
from localstack.services.lambda_.invocation.executor_endpoint import StatusErrorException
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InvocationResult
from localstack.services.lambda_.invocation.logs import QUEUE_SHUTDOWN, LogHandler, LogItem
from localstack.utils.docker_utils import DOCKER_CLIENT

from image_lambda import answers, images
from image_lambda.answers import Answer
from image_lambda.owner import this_owner
from image_lambda.sandbox import NotReached, Recipe, Sandbox, StartFailed

LOG = logging.getLogger(__name__)

# For a runtime client inside the container that speaks to LocalStack itself; images bring AWS's emulator instead.
NOT_FOR_IMAGES = ("LOCALSTACK_RUNTIME_ID", "LOCALSTACK_RUNTIME_ENDPOINT", "LOCALSTACK_MAX_PAYLOAD_SIZE")
# A little before LocalStack's own limit, whose error does not say why.
START_MARGIN_S = 2


def is_image(function_version: FunctionVersion) -> bool:
    return bool(function_version.config.package_type == PackageType.Image)


class ImageExecutor(DockerRuntimeExecutor):
    def __init__(self, id: str, function_version: FunctionVersion) -> None:
        super().__init__(id, function_version)
        self._environment: dict[str, str] = {}
        self._sandbox: Sandbox | None = None
        self._lock = threading.Lock()
        self._is_busy = self._is_stopped = False

    # ------------------------------------------------------------ what LocalStack calls

    @classmethod
    def validate_environment(cls) -> bool:
        images.install(provider)
        return bool(super().validate_environment())

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        if is_image(function_version):
            images.pin(function_version)
        else:
            super().prepare_version(function_version)

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        images.forget(function_version)
        super().cleanup_version(function_version)

    def start(self, env_vars: dict[str, str]) -> None:
        if not is_image(self.function_version):
            super().start(env_vars)
            return
        self._environment = {key: str(value) for key, value in env_vars.items() if key not in NOT_FOR_IMAGES}
        self._fresh_sandbox()

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        if not is_image(self.function_version):
            return super().invoke(payload)
        with self._lock:
            self._is_busy = True
        try:
            return self._invoke(payload["payload"].encode(), payload["invoke-id"], payload["trace-id"])
        finally:
            with self._lock:
                self._is_busy = False
                is_stopped = self._is_stopped
            if is_stopped:
                self._drop_sandbox()

    def stop(self) -> None:
        """Idle, updated, deleted or shut down. A running invocation ends first, unless LocalStack itself is ending."""
        if not is_image(self.function_version):
            super().stop()
            return
        with self._lock:
            self._is_stopped = True
            if self._is_busy and not events.infra_stopping.is_set():
                return
        self._drop_sandbox()

    def get_logs(self) -> str:
        if not is_image(self.function_version):
            return str(super().get_logs())
        return self._sandbox.output.last_lines() if self._sandbox else "There is no container."

    # ------------------------------------------------------------ how it is done

    def _invoke(self, payload: bytes, request_id: str, trace_id: str) -> InvocationResult:
        started = time.perf_counter()
        answer, lines = self._ask(payload, request_id=request_id, trace_id=trace_id)
        if answer.is_fatal:
            self._drop_sandbox()
        log = answers.frame_log(
            lines,
            answer,
            request_id=request_id,
            milliseconds=(time.perf_counter() - started) * 1000,
            memory_mb=self.function_version.config.memory_size,
        )
        if self._is_stopped:
            self._store(log)
        return InvocationResult(request_id, answer.payload, is_error=answer.is_error, logs=log)

    def _ask(self, payload: bytes, *, request_id: str, trace_id: str) -> tuple[Answer, list[str]]:
        """Asks the container that is there; one that turns out to be gone is replaced, with nobody the wiser."""
        try:
            if self._sandbox:
                return self._sandbox.invoke(payload, request_id=request_id, trace_id=trace_id)
        except NotReached:
            LOG.info("The container of %s is gone; a fresh one takes its place.", self.function_version.qualified_arn)
        return self._fresh_sandbox().invoke(payload, request_id=request_id, trace_id=trace_id)

    def _fresh_sandbox(self) -> Sandbox:
        self._drop_sandbox()
        if events.infra_stopping.is_set():
            raise self._failed("LocalStack is shutting down.")
        try:
            limit_s = max(settings.LAMBDA_RUNTIME_ENVIRONMENT_TIMEOUT - START_MARGIN_S, 1)
            sandbox = Sandbox(DOCKER_CLIENT.client(), self._recipe(), start_timeout_s=limit_s)
        except (StartFailed, images.ImageAway) as error:
            raise self._failed(str(error)) from error
        self._sandbox = sandbox
        # Stopped meanwhile, when there was nothing to remove yet.
        if events.infra_stopping.is_set() or (self._is_stopped and not self._is_busy):
            self._drop_sandbox()
            raise self._failed("It was stopped while it started.")
        return sandbox

    def _recipe(self) -> Recipe:
        config, owner = self.function_version.config, this_owner()
        name = self.function_version.id.function_name
        network, *more_networks = self._get_networks_for_executor()
        return Recipe(
            name=owner.container_name(name),
            image=images.pinned(self.function_version),
            environment=self._environment,
            network=network,
            more_networks=tuple(more_networks),
            memory_mb=config.memory_size,
            storage_mb=config.ephemeral_storage.size,
            timeout_s=config.timeout,
            command=(config.image_config and config.image_config.command) or None,
            entrypoint=(config.image_config and config.image_config.entrypoint) or None,
            directory=(config.image_config and config.image_config.working_directory) or None,
            labels=owner.labels(name),
        )

    def _drop_sandbox(self) -> None:
        sandbox, self._sandbox = self._sandbox, None
        if sandbox:
            sandbox.remove()

    def _failed(self, reason: str) -> StatusErrorException:
        name = self.function_version.id.function_name
        message = f"Function {name} could not be started. {reason}"
        LOG.error("%s", message)
        self._store(message + "\n")
        return StatusErrorException(message, payload=answers.error_payload("Runtime.ExitError", message))

    def _store(self, log: str) -> None:
        """Writes to CloudWatch Logs at once, where LocalStack's own writer has stopped or gets nothing to write."""
        group = self._environment.get("AWS_LAMBDA_LOG_GROUP_NAME")
        if not group:
            return
        handler = LogHandler(self.function_version.config.role, self.function_version.id.region)
        handler.log_queue.put(LogItem(group, self._environment["AWS_LAMBDA_LOG_STREAM_NAME"], log))
        handler.log_queue.put(QUEUE_SHUTDOWN)
        handler.run_log_loop()
