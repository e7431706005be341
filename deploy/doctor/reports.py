"""Which checks there are for each target, in which order, and which needs which."""

from __future__ import annotations

import os
from functools import partial

from deploy.aws.target import aws_target
from deploy.compose import Compose
from deploy.doctor.account import check_alarms, check_credentials
from deploy.doctor.answers import check_portal, check_prediction
from deploy.doctor.bucket import check_cors, check_form, check_round_trip
from deploy.doctor.cloud import Cloud, check_emulator, check_functions, check_localstack, check_outputs, check_stack
from deploy.doctor.engine import (
    Engine,
    check_engine,
    check_leftovers,
    check_programs,
    check_room,
    check_socket,
)
from deploy.doctor.finding import Check
from deploy.doctor.images import check_built, check_running, check_sources
from deploy.doctor.laptop import check_python, check_state_folder
from deploy.doctor.laptop import check_room as check_laptop_room
from deploy.doctor.ports import check_port
from deploy.state import StateFolder
from deploy.targets import embedded_target, local_origins, localstack_target

NOWHERE = "http://127.0.0.1:9"


def embedded_checks(state: StateFolder, environment: str = "local") -> list[Check]:
    """For what `make up` runs."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL") or state.read_endpoint()
    target = embedded_target(endpoint or NOWHERE, environment=environment)
    cloud = Cloud(
        target, deploy="make up", restart=f"end it with Ctrl-C, then mv {state.root} {state.root}.old && make up"
    )
    return [
        Check("Python", check_python),
        Check("state folder", partial(check_state_folder, state)),
        Check("disk space", partial(check_laptop_room, state)),
        Check("emulator", partial(check_emulator, state, endpoint)),
        Check("stack", partial(check_stack, cloud), needs=("emulator",)),
        Check("outputs", partial(check_outputs, cloud), needs=("stack",)),
        Check("functions", partial(check_functions, cloud), needs=("outputs",)),
        Check("bucket", partial(check_round_trip, cloud), needs=("outputs",)),
        Check(
            "prediction",
            partial(
                check_prediction,
                cloud,
                begin_anew=f"mv {state.root} {state.root}.old && make up",
                logs="the lines that `make up` prints",
            ),
            needs=("functions", "bucket"),
        ),
        # The portal takes another port where its own is taken; the stack knows which.
        Check("portal", lambda: check_portal(_first_origin(cloud), start="make up"), needs=("stack",)),
    ]


def localstack_checks(compose: Compose, environment: str = "local") -> list[Check]:
    """For what `docker-compose up` runs."""
    engine = Engine(compose)
    target = localstack_target(
        compose.aws_url, public_url=os.environ.get("PORTICO_PUBLIC_ENDPOINT_URL"), environment=environment
    )
    cloud = Cloud(
        target, deploy=engine.command("run", "--rm", "deploy"), restart=engine.command("restart", "localstack")
    )
    return [
        Check("docker-compose", check_programs),
        Check("engine", partial(check_engine, engine)),
        Check("socket", partial(check_socket, engine), needs=("engine",)),
        Check(
            "port of the portal",
            partial(check_port, engine, "portal", port=compose.portal_port, variable="PORTICO_PORT"),
            needs=("engine",),
        ),
        Check(
            "port of LocalStack",
            partial(check_port, engine, "localstack", port=compose.aws_port, variable="PORTICO_AWS_PORT"),
            needs=("engine",),
        ),
        Check("images", partial(check_built, engine), needs=("engine",)),
        Check("images' sources", partial(check_sources, engine), needs=("images",)),
        Check("LocalStack", partial(check_localstack, engine, target.endpoint_url)),
        *_cloud_checks(cloud, engine, compose),
        Check("disk space", partial(check_room, engine), needs=("engine",)),
        Check("leftovers", partial(check_leftovers, engine), needs=("engine",)),
    ]


def aws_checks(environment: str, *, profile: str | None, region: str | None, account: str | None) -> list[Check]:
    """For a stack on an account."""
    target = aws_target(environment=environment, profile=profile, region=region)
    again = f"python -m deploy up {target.options}"
    cloud = Cloud(target, deploy=again, restart=f"python -m deploy push {target.options} --rebuild && {again}")
    return [
        Check("credentials", partial(check_credentials, cloud, account)),
        Check("stack", partial(check_stack, cloud), needs=("credentials",)),
        Check("outputs", partial(check_outputs, cloud), needs=("stack",)),
        Check("functions", partial(check_functions, cloud), needs=("outputs",)),
        Check("alarms", partial(check_alarms, cloud), needs=("outputs",)),
        Check("bucket", partial(check_round_trip, cloud), needs=("outputs",)),
    ]


def _cloud_checks(cloud: Cloud, engine: Engine, compose: Compose) -> list[Check]:
    up, logs = engine.command("up", "-d"), engine.command("logs", "--tail", "50", "localstack")
    return [
        Check("stack", partial(check_stack, cloud), needs=("LocalStack",)),
        Check("outputs", partial(check_outputs, cloud), needs=("stack",)),
        Check("functions", partial(check_functions, cloud), needs=("outputs",)),
        Check(
            "what runs",
            lambda: check_running(engine, cloud.target, cloud.functions),
            needs=("images", "functions"),
        ),
        Check("bucket", partial(check_round_trip, cloud), needs=("outputs",)),
        Check("upload rule", partial(check_cors, cloud, local_origins(compose.portal_port)), needs=("bucket",)),
        Check(
            "prediction",
            partial(check_prediction, cloud, begin_anew=f"{engine.command('down', '-v')} && {up}", logs=logs),
            needs=("functions", "bucket"),
        ),
        Check("portal", partial(check_portal, compose.portal_url, start=up, engine=engine)),
        Check("upload form", partial(check_form, cloud), needs=("bucket",)),
    ]


def _first_origin(cloud: Cloud) -> str:
    return cloud.parameter("PortalOrigin").partition(",")[0]
