"""Answers to a few questions → a commented ``muster.yaml`` that loads."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from textwrap import fill
from typing import Annotated, Any

from pydantic import AfterValidator, TypeAdapter, ValidationError

from muster.errors import BadSettings
from muster.goals.target import RELATIVE
from muster.kpis import catalogue
from muster.kpis.catalogue import COMMUNITIES
from muster.names import nearest
from muster.project import SETTINGS_FILE, credentials_of, options_of, platform_names
from muster.results import Kpi, StartingGoal
from muster.settings import Source
from muster.settings_file import parse
from muster.settings_problems import first_problem
from muster.settings_types import Address, Zone

TEXT = """\
# What Muster reads and measures. Every key: muster schema --settings
# Secrets are never written here, only where they are: env:NAME, ssm:/path, secretsmanager:name

community: {community}
timezone: {timezone}          # periods and business hours are local to it
currency: {currency}
language: {language}                 # the main one; each message's own is told or detected
# sentiment: comprehend      # moods: vader (English, free; the default), comprehend (AWS), none

business_hours:              # measures answers in and out of hours
  - hours:
      mon-fri: ["09:00-17:00"]     # several ranges a day are fine: ["08:00-12:00", "13:00-18:00"]
    # country: DE                  # takes out public holidays
    # region: BE

sources:
  - name: {name}
    platform: {platform}
{source}
# staff:                     # beside those the platform itself marks as staff
#   - {{source: {name}, account: anna, valid_from: 2026-01-01}}

brand_terms: [{community}]      # how people write your name; counts mentions

windows: {{answer: 24h, resolution: 7d, reopen: 14d, quiet: 72h}}
reply_limit: 4               # staff messages an issue should take at most

# A start for a community of this type ({type}); what each goal is good for is required.
goals:
{goals}
reports:
  - name: weekly
    recipients: [{recipient}]
    kpis:                    # in this order; without the list all that have data
{kpis}
    # send_at: mon 07:30         # in AWS; your own machine: cron and muster run --send
    # language: de               # words, numbers and dates; en-US, de-CH
    # alerts: all                # a mail between reports for what may not wait
    # chat: [env:TEAM_CHAT]      # Slack, Teams, Discord …: docs/mailing.md

# mail: smtp                 # without it, mails stay in ./outbox; in AWS: ses
# smtp: {{host: mail.example.org, user: muster, password: env:MAIL_PASSWORD}}

lake: {lake}                 # a folder, or s3://bucket/prefix
"""
TOKEN_HINT = "    # token: env:{variable}      # see: muster doctor\n"


NOTE = "    # "
SOURCE_KEYS = ("account", "base_url", "token")
REFERENCES = "env:NAME, ssm:/path, secretsmanager:name (empty if none)"
QUESTIONS = {
    "community": "What is the community called?",
    "type": "What is it for? ({types}; empty: support)",
    "platform": "Which platform is the first source? ({platforms})",
    "account": "Our account or space there (empty if none)",
    "base_url": "Address of the instance (empty for the platform's own)",
    "token": f"Where is its secret? {REFERENCES}",
    "timezone": "Time zone (IANA, e.g. Europe/Berlin)",
    "recipient": "Who gets the weekly report? (mail address)",
}
PLAIN = re.compile(r"\d{4}-\d\d-\d\d|(https?://|env:|\./|s3://)?[A-Za-z][\w/@.+-]*( [\w/@.+-]+)*")
REQUIRED = ("community", "platform")
ASKED_AGAIN = 2


def _is_platform(name: str) -> str:
    if name not in platform_names():
        raise ValueError(f"no platform {name!r}: {nearest(name, platform_names())}")
    return name


def _is_type(name: str) -> str:
    if name not in COMMUNITIES:
        raise ValueError(f"no type {name!r}: {nearest(name, COMMUNITIES)}")
    return name


KINDS = {
    "community": str,
    "type": Annotated[str, AfterValidator(_is_type)],
    "platform": Annotated[str, AfterValidator(_is_platform)],
    "timezone": Zone,
    "recipient": Address,
}


def complete(
    given: Mapping[str, str | None], today: date, ask: Callable[[str], str] | None
) -> dict[str, str]:
    """The answers, asked for with ``ask`` where none is given; ``BadSettings`` if it cannot ask."""
    missing = [name for name in REQUIRED if not given.get(name)]
    if missing and ask is None:
        flags = ", ".join(f"--{name}" for name in missing)
        raise BadSettings(f"init cannot ask here: say it with {flags}")
    answers = {name: value for name, value in given.items() if value is not None}
    choices = {"platforms": ", ".join(platform_names()), "types": ", ".join(COMMUNITIES)}
    for name, question in QUESTIONS.items() if missing and ask else ():
        if name not in answers and ask:
            asked = _asked(name, answers.get("platform")) or question.format(**choices)
            answers[name] = _answer(ask, asked, name, answers.get("platform"))
    defaults = {"timezone": "UTC", "name": answers["platform"], "recipient": "you@example.org"}
    defaults |= {"type": COMMUNITIES[0], "currency": "EUR", "language": "en"}
    defaults |= {"today": today.isoformat()}
    return defaults | {name: value for name, value in answers.items() if value}


def _answer(ask: Callable[[str], str], question: str, name: str, platform: str | None) -> str:
    """What is answered; asked for again, with the reason, where it cannot be taken."""
    answer = ask(question)
    for _ in range(ASKED_AGAIN):
        if not (trouble := _trouble(name, answer, platform)):
            break
        answer = ask(f"{trouble}\n{question}")
    return answer


def _trouble(name: str, answer: str, platform: str | None) -> str:
    """Why an answer cannot be taken; nothing if it can. The answer itself may be a secret."""
    kind: Any = KINDS.get(name)
    is_required = name in REQUIRED
    if name in SOURCE_KEYS:
        field = options_of(platform or "").model_fields[name]
        kind, is_required = Annotated[field.annotation, field], field.is_required()
    if not answer:
        return "This is needed." if is_required else ""
    try:
        TypeAdapter(kind).validate_python(answer)
    except ValidationError as error:
        return first_problem(error, Source)[1]
    return ""


def _asked(name: str, platform: str | None) -> str:
    """The question for a key in the platform's own words, if it has some for it."""
    if name not in SOURCE_KEYS or platform not in platform_names():
        return ""
    if name == "token":
        wanted = credentials_of(platform)
        return f"Its secret: {wanted} Where is it? {REFERENCES}" if wanted else ""
    field = options_of(platform).model_fields[name]
    meaning = field.description or ""
    if not field.is_required():
        return f"{meaning} (empty if none)" if meaning and name == "account" else ""
    return f"{meaning or name} (required)"


def write(folder: Path, answers: Mapping[str, str]) -> Path:
    """Write ``muster.yaml`` into ``folder`` and return its path; an existing one is never touched.

    ``answers`` is what :func:`complete` returns. Raises ``BadSettings`` if they do not load.
    """
    path = folder / SETTINGS_FILE
    quoted = {name: _scalar(value) for name, value in answers.items()}
    parts = {"source": _source_lines(quoted), **_start(answers)}
    text = TEXT.format(**quoted, **parts)
    try:
        parse(text, "muster.yaml", options_of)
    except BadSettings as error:
        why = re.sub(r"^muster.yaml:\d+: ", "", str(error))
        raise BadSettings(f"nothing was written: {why}") from error
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise BadSettings(f"{path} is there already: edit it, or choose another folder") from error
    except OSError as error:
        raise BadSettings(f"{path} cannot be written: {error.strerror}") from error
    return path


def next_step(answers: Mapping[str, str], muster: str) -> str:
    """What to type once it is written; a source that only files feed has nothing to fetch."""
    if answers["platform"] == "file":
        return (
            f"{muster} import messages FILE --source {answers['name']} (messages or another table "
            f"of docs/tables.md), then {muster} measure and {muster} report"
        )
    return f"{muster} doctor, then {muster} run"


def _start(answers: Mapping[str, str]) -> dict[str, str]:
    """The goals and KPIs that the catalogue's headers give a community of this type."""
    if answers["type"] not in COMMUNITIES:
        raise BadSettings(
            f"{answers['type']!r} is no type of community: choose from {', '.join(COMMUNITIES)}"
        )
    kpis = [kpi for kpi in catalogue.load() if answers["type"] in kpi.starter]
    with_goal = sorted(kpis, key=lambda kpi: kpi.goal is None)
    goals = (_goal(kpi, kpi.goal, date.fromisoformat(answers["today"])) for kpi in kpis if kpi.goal)
    return {
        "goals": "".join(goals),
        "kpis": "\n".join(f"      - {kpi.id}" for kpi in with_goal),
    }


def _goal(kpi: Kpi, goal: StartingGoal, today: date) -> str:
    """Due at the end of next year; a relative target starts from the last thirteen weeks."""
    begins, ends = today - timedelta(weeks=13), today - timedelta(days=1)
    is_relative = goal.form in RELATIVE
    baseline = f"    baseline: {{from: {begins}, to: {ends}}}\n" if is_relative else ""
    return (
        f"  - name: {_scalar(goal.name)}\n"
        f"    objective: {_scalar(goal.objective)}\n"
        f"    kpi: {kpi.id}\n"
        f"    target: {{{goal.form}: {goal.amount}}}\n"
        f"{baseline}"
        f"    by: {today.year + 1}-12-31\n"
    )


def _scalar(value: str) -> str:
    """``value`` as YAML: bare where nothing can be misread, else quoted (JSON is YAML)."""
    is_plain = PLAIN.fullmatch(value) and value.lower() not in ("true", "false", "null")
    return value if is_plain else json.dumps(value, ensure_ascii=False)


def _source_lines(answers: Mapping[str, str]) -> str:
    """The source's keys, then, as comments, its secret and the platform's own settings."""
    keys = ("base_url", "account", "token", "since")
    lines = "".join(f"    {key}: {answers[key]}\n" for key in keys if answers.get(key))
    if not answers.get("token"):
        variable = answers["name"].upper().replace("-", "_")
        lines += TOKEN_HINT.format(variable=f"{variable}_TOKEN")
    return lines + "".join(_hints(answers["platform"]))


def _hints(platform: str) -> Iterator[str]:
    if platform not in platform_names():
        return
    if wanted := credentials_of(platform):
        yield fill(f"its secret: {wanted}", 92, initial_indent=NOTE, subsequent_indent=NOTE) + "\n"
    for name, field in options_of(platform).model_fields.items():
        if name not in Source.model_fields:
            yield (
                f"    # {name}:{' ' * max(16 - len(name), 1)}# {field.description or ''}".rstrip()
                + "\n"
            )
