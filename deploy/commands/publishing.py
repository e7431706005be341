"""site."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from deploy.aws.hosting import Page, find_page, is_of_amplify, make_page, publish
from deploy.aws.rollout import refuse_losses
from deploy.commands.going_live import show_plan
from deploy.commands.options import introduce, on_target
from deploy.console import console, progress, say_event, step
from deploy.errors import DeployError
from deploy.execute import execute_plan
from deploy.following import settle
from deploy.plan import ANY_ORIGIN, make_plan, read_origin
from deploy.site.export import Site, export_site
from deploy.state import StateFolder
from deploy.targets import Target


@click.command("site")
@on_target
@click.option("--model", "slugs", multiple=True, metavar="SLUG", help="Show this one, and others named so; else all.")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="Only write the page's files, into this folder."
)
@click.option("--yes", is_flag=True, help="AWS: do not ask before the page is published for the first time.")
def site_command(target: Target, slugs: tuple[str, ...], out: Path | None, yes: bool) -> None:
    """Publish the page on which colleagues predict without the portal: docs/published-page.md.

    On AWS, as an app of Amplify Hosting; the stack then lets in that page's origin alone. On the embedded emulator,
    where `make up` serves it. Interrupted, it may be run again: until its end the page is as it was.
    """
    if target.name == "localstack":
        raise DeployError(
            "The published page signs people in with Cognito, which LocalStack does not have in its free edition. "
            "The embedded emulator has: make up."
        )
    introduce(target)
    models = list(slugs) or None
    if out is not None or target.is_emulated:
        show_written(export_site(target, out or StateFolder.from_environment().site, models))
        return
    try:
        with TemporaryDirectory(prefix="portico-site-") as folder:
            publish_on_aws(target, export_site(target, Path(folder, "site"), models), is_sure=yes)
    except KeyboardInterrupt:
        console.print("\nInterrupted. The page is as it was; run the same command again, and it goes on.")
        sys.exit(130)


def publish_on_aws(target: Target, site: Site, *, is_sure: bool) -> None:
    """Raises: DeployError: it was not wanted, or something of it failed"""
    before = find_page(target)
    question = "Publish it in this account, by an app of Amplify Hosting?"
    if before is None and not is_sure and not click.confirm(question):
        raise DeployError("Nothing was published.")
    with step("Preparing the app of Amplify Hosting") as note:
        page = make_page(target, site.headers, before)
        note(page.app)
    origin = let_in(target, page)
    if page.is_connected:
        console.print(
            f"The app {page.app} is built from its repository: each push to {page.branch} publishes the page. So does "
            "“Redeploy this version” in Amplify's console, without which changed headers are not sent."
        )
    else:
        with progress("Publishing the page") as advance:
            publish(target, page, site, advance)
    console.print(f"The page is at [bold]{origin}/[/]")


def let_in(target: Target, page: Page) -> str:
    """Have the API and the bucket let in browsers that come from the page, and from nowhere else but the portal.

    Returns: the page's origin
    """
    settle(target, say_event)
    given = read_origin(target)
    if given != ANY_ORIGIN and not is_of_amplify(given):
        console.print(f"The API lets in {given}, as it was told, and not {page.origin}.")
        return given
    plan = make_plan(replace(target, chosen_parameters={**target.chosen_parameters, "ApiCorsOrigin": page.origin}))
    if plan.is_empty:
        return page.origin
    console.print(f"The stack lets in {page.origin}:")
    show_plan(plan)
    refuse_losses(target, plan, may_lose=False)
    execute_plan(target, plan, say_event)
    return page.origin


def show_written(site: Site) -> None:
    size = sum((site.folder / name).stat().st_size for name in site.files)
    console.print(f"The page is in {site.folder}: {len(site.files)} files, {size:,} bytes.", markup=False)
