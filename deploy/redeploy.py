"""`make redeploy`: changed function code, live on docker-compose's stack within seconds.

The image is built under the same tag, and the one-shot deploy has LocalStack look the tag up again. Calls that are
under way end on the old image.
"""

from __future__ import annotations

from deploy.compose import Compose
from deploy.console import step
from deploy.errors import DeployError
from deploy.plan import describe_stack
from deploy.targets import localstack_target


def put_live(project: Compose) -> None:
    """Raises: DeployError: LocalStack is not there, the image does not build, the deployment fails"""
    if describe_stack(localstack_target(project.aws_url)) is None:
        raise DeployError("There is no stack yet, only LocalStack. Make it with: docker-compose up -d")
    with step("Building the functions' image", is_announced=False):
        project.build("function", "deploy")
    with step("Putting it live", is_announced=False):
        project.run("run", "--rm", "--no-deps", "-T", "deploy")
