"""The verbs that make and unmake a stack: deploy, destroy."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from muster import telling
from muster.commands import app, fail_if_unwell
from muster.commands.remote import Stack, push_settings
from muster.errors import BadSettings
from muster.terminal import say, say_table

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@app.command()
def deploy(
    context: typer.Context,
    stack: Stack = "muster",
    param: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Of the template; repeatable.")
    ] = None,
    clone: Annotated[Path | None, typer.Option(help="Folder of Muster's repository.")] = None,
    push: Annotated[bool, typer.Option("--push", help="Then put the settings there.")] = False,
    prices: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Your prices, like infra/prices.json.")
    ] = None,
    yes: Yes = False,
) -> None:
    """Check account, mail, quotas and sizes, say what it costs, then build and deploy with SAM."""
    from muster.account import built, checks, deploying
    from muster.account.aws import outputs

    place = deploying.clone(clone)
    plan = checks.plan(stack, _pairs(param or []), _settings_if_any(context))
    findings = [*_own_findings(context), *checks.before_build(plan)]
    telling.findings(findings, False)
    fail_if_unwell(findings)
    _say_costs(plan.settings, place, prices or place / "infra" / "prices.json")
    _agree(f"Build and deploy the stack {stack}?", "yes", yes)
    sizes = built.check_sizes(deploying.build(place, plan))
    say("Sizes: " + ", ".join(f"{name} {size >> 20} MB" for name, size in sizes.items()))
    deploying.deploy(place, plan)
    for name, value in outputs(stack).items():
        say(f"{name}: {value}")
    if push:
        push_settings(context, stack)


@app.command()
def destroy(
    stack: Stack = "muster",
    with_lake: Annotated[
        bool, typer.Option("--with-lake", help="Delete the lake too, with all of its versions.")
    ] = False,
    with_secrets: Annotated[
        bool, typer.Option("--with-secrets", help="Delete the secrets under /STACK/ too.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Remove a stack and its site; the lake stays unless you say otherwise."""
    from muster.account import destroying

    leaving = destroying.planned(stack, with_lake=with_lake, with_secrets=with_secrets)
    say(f"This deletes the stack {stack} and for good: " + ", ".join(leaving.buckets))
    if not with_lake:
        say(f"The lake stays: s3://{leaving.lake}")
    if not with_secrets:
        say(f"The secrets under /{stack}/ stay")
    _agree("Type the name of the stack to delete it", stack, yes)
    destroying.destroy(leaving, say)


def _pairs(words: list[str]) -> dict[str, str]:
    for word in words:
        if not word.partition("=")[0].isalnum() or "=" not in word:
            raise BadSettings(f"--param {word!r}: write KEY=VALUE, e.g. Timezone=Europe/Berlin")
    return dict(word.split("=", 1) for word in words)


def _settings_if_any(context: typer.Context) -> Any:
    from muster.project import SETTINGS_FILE, read_settings

    return read_settings(context.obj) if (context.obj / SETTINGS_FILE).is_file() else None


def _own_findings(context: typer.Context) -> list[Any]:
    from muster.commands import opened
    from muster.pipeline.doctor import Finding, checkup_of_settings
    from muster.project import SETTINGS_FILE

    if not (context.obj / SETTINGS_FILE).is_file():
        return [Finding("settings", True, "none here yet: muster init, then muster config push")]
    return list(checkup_of_settings(opened(context)))


def _say_costs(settings: Any, place: Path, prices: Path) -> None:
    from muster.account import costs
    from muster.settings import Settings

    listed, measured = costs.price_list(prices), place / "infra" / "measured.json"
    lines = costs.month(settings or Settings(community="?"), listed, measured)
    rows = [(one.what, f"{one.amount:,.0f}", one.unit, f"{one.listed:.2f}", f"{one.paid:.2f}")
            for one in lines if one.listed >= 0.005]  # fmt: skip
    say(f"About what a month costs, in {listed.currency} ({listed.origin}); more: docs/costs.md")
    say_table(("what", "amount", "of", "list price", "after what is free"), rows)
    say(f"together {sum(one.paid for one in lines):.2f}, if nothing else is in the account")


def _agree(question: str, answer: str, yes: bool) -> None:
    """Go on only if a person agrees; without a person only with ``--yes``."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise BadSettings("nobody is here to be asked: add --yes")
    if typer.prompt(f"{question} ({answer})", default="", show_default=False) != answer:
        raise typer.Exit(1)
