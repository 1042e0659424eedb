"""A member's wish to be forgotten → no trace in lake, site and outbox, the same totals, no return.

What a number rests on stays: rows, times and counts under a pseudonym, and of a text those of its
words that the settings or the catalogue look for. Their return is blocked first; who they are and
what they wrote is read from the tables, which come last: killed anywhere, run again, all is done.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from email import message_from_bytes, policy

from muster.errors import BadSettings
from muster.kpis import phrases
from muster.lake import erasing, person_ids, suppression
from muster.lake.aside import ASIDE
from muster.lake.erasing import Erasure
from muster.lake.places import place_of
from muster.lake.probing import check_writable
from muster.lake.suppression import Suppressed
from muster.pipeline import quotes
from muster.pipeline.forgetting import forget
from muster.pipeline.mapping import mapped
from muster.pipeline.whose import is_theirs, person_of
from muster.project import Project, all_sources
from muster.records import TABLES, Item
from muster.settings import Settings, Source
from muster.store import Store

LAST = "members"
_TEXTS = (".html", ".json", ".txt", ".csv", ".md", ".svg")


@dataclass(frozen=True)
class Erased:
    """What was changed: rows per table, raw items, mails taken away, and other files.

    ``aside`` objects that a repair had set aside were removed, since nobody can look into them;
    ``look`` names files that were left in the inbox: only you can tell whether they name them.
    """

    source: str
    rows: Mapping[str, int] = field(default_factory=dict)
    raw_items: int = 0
    mails: int = 0
    files: int = 0
    aside: int = 0
    look: tuple[str, ...] = ()


def erase(project: Project, source: str, member: str) -> Erased:
    """Erase a member, named by the platform's id; once more is no error and finds nothing.

    ``BadSettings`` for a handle, which is no id: its account would stay as it is.
    The derived tables that name people are emptied: the next measuring writes them anew.
    """
    found_in = source_of(project, source)
    lake = project.lake
    check_writable(lake)
    _accept_id(lake, source, member)
    person_ids.load(lake)  # damaged, it is told before anything is changed
    found = erasing.traces(lake, source, member)
    suppressed, pseudonym = suppression.add(lake, source, found.names, found.threads)
    erasure = Erasure(
        source, member, suppressed, pseudonym, residue(project.settings),
        found.names, found.texts,
    )  # fmt: skip
    theirs, said = is_theirs(found_in, suppressed), others_say(found_in, suppressed)
    raw_items = erasing.erase_raw(lake, erasure, theirs, said)
    shown = replace(erasure, words=quotes.spellings(found.texts | found.titles))
    mails = sum(_take_away(project.outbox, shown))
    told = ((project.site, ""), (lake, "measured/"), (lake, "receipts/"))
    files = sum(changed for place in told for changed in _rewrite(*place, shown))
    aside = sum(_forget_aside(lake, source))
    # What they wrote is known from the tables only, so these come after all that may quote it.
    others = tuple(name for name in TABLES if name != LAST)
    rows = erasing.erase_tables(lake, erasure, others)
    files += sum(_forget_derived(lake))
    person_ids.rename(lake, (source, member), pseudonym)
    rows |= erasing.erase_tables(lake, erasure, (LAST,))
    for store in (lake, project.site, project.outbox):
        store.forget_versions()
    left = tuple(entry.key for entry in lake.list("inbox/"))
    return Erased(source, rows, raw_items, mails, files, aside, left)


def _accept_id(lake: Store, source: str, member: str) -> None:
    if not member.strip():
        raise BadSettings("no member is named: say their id (members.member_id)")
    name = _plain(member)
    here = [one for one in person_ids.members(lake) if one.source == source]
    of_name = [one.member_id for one in here if _plain(one.handle or "") == name]
    if of_name and not any(one.member_id == member for one in here):
        raise BadSettings(f"{member!r} is a handle, not an id: say {' or '.join(of_name)}")


def _plain(handle: str) -> str:
    return handle.removeprefix("@").casefold()


def others_say(source: Source, suppressed: Suppressed) -> erasing.Said:
    """A function that tells the whole texts in an item that are not of an erased member."""

    def say(item: Item) -> frozenset[str]:
        rows = (row for row, _ in mapped(source, [item])[0])
        others = (row for row in rows if not suppressed.pseudonym(person_of(row)))
        texts = (
            getattr(row, name, None) for row in others for name in ("text", "title", "comment")
        )
        return frozenset(filter(None, texts))

    return say


def source_of(project: Project, name: str) -> Source:
    """The source of the settings, or one that only imports fed; ``BadSettings`` names them all."""
    there = dict.fromkeys(all_sources(project))
    if name not in there:
        raise BadSettings(f"no source {name!r}: there are {', '.join(there) or 'none yet'}")
    return project.settings.source(name) or Source(name=name, platform="file")


def _take_away(outbox: Store, erasure: Erasure) -> Iterator[int]:
    """Delete every mail that names the member or quotes them; its receipt stays."""
    for entry in list(outbox.list()):
        stored = outbox.get(entry.key)
        if stored is None or not entry.key.endswith((".eml", ".html")):
            continue
        is_mail = entry.key.endswith(".eml")
        text = _mail_text(stored.data) if is_mail else stored.data.decode(errors="replace")
        if erasure.scrubbed(text) != text:
            outbox.delete(entry.key)
            yield 1


def _mail_text(data: bytes) -> str:
    """What a reader of the mail sees, with the transfer encoding undone."""
    parts = message_from_bytes(data, policy=policy.default).walk()
    return "\n".join(part.get_content() for part in parts if part.get_content_maintype() == "text")


def _rewrite(store: Store, prefix: str, erasure: Erasure) -> Iterator[int]:
    for entry in list(store.list(prefix)):
        stored = store.get(entry.key) if entry.key.endswith(_TEXTS) else None
        if stored is None:
            continue
        text = stored.data.decode(errors="surrogateescape")
        clean = (
            _clean_json(text, erasure) if entry.key.endswith(".json") else erasure.scrubbed(text)
        )
        if clean != text:
            data = clean.encode(errors="surrogateescape")
            store.put(entry.key, data, if_match=stored.etag)
            yield 1


def _clean_json(text: str, erasure: Erasure) -> str:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):  # damaged, it is a text like any other
        return erasure.scrubbed(text)
    clean = erasing.without(found, erasure)
    return text if clean == found else json.dumps(clean, ensure_ascii=False)


def _forget_derived(lake: Store) -> Iterator[int]:
    """Derived rows about single people and conversations; sums name nobody and stay.

    The objects stay without rows, so that whoever asks the lake finds every table.
    """
    forget(lake)
    for entry in list(lake.list("tables/")):
        name = entry.key.split("/")[1]
        if name in TABLES or name in ("kpi_values", "goal_status", "coverage"):
            continue
        stored = lake.get(entry.key)
        if stored is None or (emptied := erasing.without_rows(stored.data)) == stored.data:
            continue
        if emptied:
            lake.put(entry.key, emptied)
        else:
            lake.delete(entry.key)
        yield 1


def _forget_aside(lake: Store, source: str) -> Iterator[int]:
    """What was set aside of this source, or of none, may hold them in bytes no reader can open."""
    for entry in list(lake.list(ASIDE)):
        place = place_of(entry.key.split("/", 2)[2])
        if place is None or place.source == source:
            lake.delete(entry.key)
            yield 1


def residue(settings: Settings) -> Callable[[str], str]:
    """A function that leaves of a text only what a KPI looks for, so that its numbers stay.

    Brand and product terms, closing phrases and pleas (of a text that could close), escalations,
    automatic replies, and the question mark. A KPI of your own that reads other words will see
    them gone.
    """
    closing = [word for words in phrases.CLOSING.values() for word in words]
    closing += [word for words in settings.closing_phrases.values() for word in words]
    terms = _any_of(map(re.escape, (*settings.brand_terms, *settings.product_terms)))
    rules = _any_of((*phrases.ESCALATION, *settings.escalation.patterns, *settings.auto_replies))
    thanks = _any_of(map(re.escape, (*closing, *phrases.PLEAS)))
    advance = _any_of(phrases.ADVANCE)

    def left(text: str) -> str:
        is_long = len(text.split()) > 12 or "?" in text
        kept = [found[0] for found in (*terms.finditer(text), *rules.finditer(text))]
        kept += [] if is_long else [one[0] for one in thanks.finditer(advance.sub(" ", text))]
        kept += ["?"] if is_long and kept else []
        return " … ".join(kept)

    return left


def _any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    joined = "|".join(f"(?:{pattern})" for pattern in patterns)
    return re.compile(rf"(?<!\w)(?:{joined or '(?!)'})(?!\w)", re.IGNORECASE)
