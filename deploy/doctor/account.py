"""What only a stack on AWS has: credentials, and alarms."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError

from deploy.aws.account import check_account, find_account
from deploy.aws.faults import explain_fault
from deploy.doctor.cloud import Cloud
from deploy.doctor.finding import Fault
from deploy.status import find_alarms


def check_credentials(cloud: Cloud, meant: str | None) -> str:
    """They are there, are taken, and are of the account that is meant."""
    try:
        account = find_account(cloud.target)
        check_account(account, cloud.stack, meant=meant)
    except (BotoCoreError, ClientError) as error:
        raise explain_fault(error, cloud.target) from error
    return f"{account.who}, account {account.number}, {account.region}"


def check_alarms(cloud: Cloud) -> str:
    ringing = find_alarms(cloud.target)
    if ringing:
        first, reason = next(iter(ringing.items()))
        more = f" and {len(ringing) - 1} more" if len(ringing) > 1 else ""
        raise Fault(f"{first}{more} rings: {reason}", "Look at the dashboard, whose address `status` prints.")
    return "none rings"
