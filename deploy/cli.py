"""python -m deploy plan | up | push | site | status | outputs | users | down | doctor | redeploy | manage."""

from __future__ import annotations

import click

from deploy.commands.going_live import down, plan_command, push_command, up
from deploy.commands.laptop import manage, redeploy
from deploy.commands.looking import doctor, outputs, status
from deploy.commands.people import users
from deploy.commands.publishing import site_command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Put Portico's cloud side on a target, look at it, take it away again."""


for command in (plan_command, up, push_command, site_command, status, outputs, users, down, doctor, redeploy, manage):
    main.add_command(command)
