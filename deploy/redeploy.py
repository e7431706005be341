"""`make redeploy`: changed function code, live on docker-compose's stack within seconds.

The image is built under the same tag, and the one-shot deploy has LocalStack look the tag up again. Calls under way end
on the old image.
"""

from __future__ import annotations

import json

from deploy.compose import Compose
from deploy.console import step
from deploy.errors import DeployError
from deploy.execute import read_outputs
from deploy.plan import describe_stack
from deploy.targets import Target, localstack_target

# Answered with a refusal in words: whoever answers so has been loaded whole.
_QUESTION = json.dumps({"operation": "describe", "model": "redeploy"}).encode()

# Without the rest of the service's command: here an image whose answers moved is a failure.
_UP = ("python", "-m", "deploy", "up", "--target", "localstack")


def put_live(project: Compose) -> None:
    """Raises: DeployError: LocalStack is not there, the image does not build or run, the deployment fails, or live
    models' golden rows are answered otherwise: then the image before is back
    """
    target = localstack_target(project.aws_url)
    if describe_stack(target) is None:
        raise DeployError("There is no stack yet, only LocalStack. Make it with: docker-compose up -d")
    with step("Building the functions' image", is_announced=False):
        project.build("function", "deploy")
    with step("Putting it live", is_announced=False):
        project.run("run", "--rm", "--no-deps", "-T", "deploy", *_UP)
    with step("Asking the new function", is_announced=False):
        _ask(target)


def _ask(target: Target) -> None:
    name = read_outputs(target)["PredictFunctionName"]
    answer = target.functions.invoke(FunctionName=name, Payload=_QUESTION)
    if "FunctionError" in answer:
        said = json.loads(answer["Payload"].read()).get("errorMessage")
        raise DeployError(f"{name} is live and does not run: {said} See its log: docker-compose logs localstack")
