"""What LocalStack loads by name: LAMBDA_RUNTIME_EXECUTOR=image."""

from typing import Any

from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin


class ImageExecutorPlugin(RuntimeExecutorPlugin):
    name = "image"

    def load(self, *args: Any, **kwargs: Any) -> Any:
        # Imported late, as LocalStack does: listing plugins must not load the Lambda service.
        from image_lambda.executor import ImageExecutor

        return ImageExecutor
