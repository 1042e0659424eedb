"""A project → findings: what is well, what is wrong, and how to mend it; nothing is changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from muster import scratch, sources
from muster.errors import BadKpi, BadSettings, MusterError, StoreRefused
from muster.kpis import catalogue
from muster.lake import state
from muster.lake.probing import check_writable
from muster.pipeline import connecting, damaged, left_behind, moods
from muster.pipeline.batches import unknown_shape
from muster.pipeline.mapping import UNMAPPABLE
from muster.pipeline.plans import check_hours, check_plans
from muster.project import Project
from muster.records import TABLES
from muster.secret import reveal
from muster.sentiment import comprehend
from muster.settings import Source


@dataclass(frozen=True)
class Finding:
    """One thing looked at; ``exit_code`` is what the CLI returns if it is not well."""

    what: str
    is_well: bool
    says: str
    exit_code: int = 0


def checkup(project: Project) -> tuple[Finding, ...]:
    """Settings, KPIs, goals, lake, mail server, chats, and one cheap call per source."""
    return tuple(_findings(project))


def checkup_of_settings(project: Project) -> tuple[Finding, ...]:
    """What can be said without any network: settings, KPIs, goals, reports."""
    settings = project.settings
    return (
        Finding("settings", True, f"{settings.community}, {settings.timezone}"),
        look("KPIs", partial(_try_kpis, project)),
        look("plans", partial(_check_plans, project)),
        look("templates", partial(_check_templates, project)),
    )


def _findings(project: Project) -> Iterator[Finding]:
    settings = project.settings
    yield from checkup_of_settings(project)
    yield look("lake", partial(_check_lake, project))
    yield look("sentiment", partial(_check_sentiment, project))
    for source in settings.sources:
        yield look(f"source {source.name}", partial(_check_source, project, source))
    left = look("sources of before", partial(_check_left, project))
    if left.says:
        yield left
    yield look("mail", project.mailer.check)
    for reference in dict.fromkeys(chat for one in settings.reports for chat in one.chat):
        yield look(f"chat {reference}", partial(_check_chat, project, reference))
    if not settings.sources:
        yield Finding("sources", False, "none yet: add one to muster.yaml", 2)


def look(what: str, check: Callable[[], str]) -> Finding:
    """What a check says, or why it could not be made and what to do."""
    try:
        return Finding(what, True, check())
    except MusterError as error:
        says = str(error).removeprefix(f"{what.removeprefix('source ')}: ")
        return Finding(what, False, says, error.exit_code)


def _try_kpis(project: Project) -> str:
    """Every KPI's SQL over empty tables: what cannot run there cannot run at all."""
    from muster.kpis import engine, runner

    kpis = catalogue.load(project.kpi_folder)
    with scratch.folder() as nothing:
        tables = engine.connect(str(nothing))
        now, settings = project.clock(), project.settings
        outcome = runner.measure(tables, settings, kpis, as_of=now, coverage=())
    if outcome.problems:
        raise BadKpi("; ".join(outcome.problems))
    return f"{len(kpis)} can be measured"


def _check_templates(project: Project) -> str:
    """The community's own templates are templates; what they ask for shows when they are filled."""
    from jinja2 import Environment, TemplateSyntaxError

    found = (project.folder / "templates").glob("*/*.*")
    own = sorted(path for path in found if path.suffix in (".html", ".txt"))
    for path in own:
        try:
            Environment().parse(path.read_text(encoding="utf-8"), filename=str(path))
        except TemplateSyntaxError as error:
            raise BadSettings(f"{path}:{error.lineno}: {error.message}") from error
        except (OSError, UnicodeDecodeError) as error:
            raise BadSettings(f"{path}: cannot be read: save it as UTF-8 text") from error
    return f"{len(own)} of your own"


def _check_plans(project: Project) -> str:
    check_hours(project)
    check_plans(project)
    told = {"goal": project.settings.goals, "report": project.settings.reports}
    return ", ".join(f"{len(of)} {what}{'s' * (len(of) != 1)}" for what, of in told.items())


def _check_lake(project: Project) -> str:
    from muster.kpis import engine

    check_writable(project.lake)
    with engine.reading(project.lake.url(), environment=project.environment) as reader:
        for table in TABLES:
            reader.ask(f"select 1 from {table} limit 1")
    if found := next(damaged.found(project), None):
        raise StoreRefused(found.sentence())
    return f"{project.lake.url()} can be read and written, and honours conditions"


def _check_sentiment(project: Project) -> str:
    """How much of each language has a score; if that is paid for, its price, and that it works."""
    from muster.kpis import engine

    found = engine.ask(project.lake.url(), _SCORED, environment=project.environment).rows
    told = [f"{lang}: {scored:,} of {texts:,} texts scored" for lang, texts, scored in found]
    names = [source.name for source in project.settings.sources]
    scorers = sorted({moods.scorer_of(project, name) for name in names})
    if "comprehend" in scorers:
        told += [comprehend.check(), moods.price_list()]
    return "; ".join([" and ".join(scorers) or project.settings.sentiment, *told])


_SCORED = """
select coalesce(lang, 'not told') as language, count(*) as texts, count(sentiment) as scored
from messages where text is not null group by 1 order by 2 desc, 1 limit 4
"""


def _check_chat(project: Project, reference: str) -> str:
    """The secret is there and leads to a chat; nothing is posted."""
    from muster.sending import chat

    return f"leads to {chat.check(reveal(reference, project.environment) or '')}"


def _check_left(project: Project) -> str:
    left = left_behind.names(project)
    return left_behind.sentence(left) if left else ""


def _check_source(project: Project, source: Source) -> str:
    state.load(project.lake, source.name)
    api = connecting.connect(project, source)
    try:
        return sources.platform(source.platform).check(api, source)
    except UNMAPPABLE as error:
        raise unknown_shape(error, project.http.echoed if project.http else ()) from None
