"""#ubuntu with gold reply links (Kummerfeld et al. 2019) → how many of them joining recovers.

Chat lines of ten logs go through the rule of ``chat: true``; its links and its pairs of lines of
one conversation are held against the gold ones, beside a naive baseline in the same run: every line
answers the one before. IRC writes a name as "ada: …" where others write "@ada"; both readings are
told. Skips, saying so, where ../shared/data is absent.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations
from pathlib import Path

from muster.kpis.joining import Line, threads

LOGS = Path(__file__).resolve().parents[2] / "shared" / "data" / "conversations" / "irc_dev"
JOIN = timedelta(minutes=10)
FIRST = 1000  # lines before it are context: no gold links
_SAID = re.compile(r"\[(\d\d):(\d\d)\] +(?:<([^>]+)>|\* (\S+)) ?(.*)")
_AT = re.compile(r"@([\w\[\]\\`^{}|.-]*\w)")
_CALLED = re.compile(r"([\w\[\]\\`^{}|-]+)[:,] ")
Links = Mapping[str, str | None]
Pair = tuple[str, str]


@dataclass(frozen=True)
class Score:
    """How many of the gold ones were found, and how many of the found ones are gold."""

    found: int
    gold: int
    both: int

    def told(self) -> str:
        recall, precision = self.both / self.gold, self.both / self.found
        f1 = 2 * recall * precision / (recall + precision)
        return f"{precision:>9.3f} {recall:>7.3f} {f1:>6.3f}"


def lines(log: Path, names: Callable[[str], Iterable[str]]) -> Iterator[Line]:
    """What people wrote, in order; a clock that goes back has passed midnight."""
    day = last = datetime(2000, 1, 1)
    for number, text in enumerate(log.read_text(encoding="utf-8", errors="replace").split("\n")):
        if not (said := _SAID.match(text)):
            continue
        now = day.replace(hour=int(said[1]), minute=int(said[2]))
        if now < last - timedelta(hours=12):
            day += timedelta(days=1)
            now += timedelta(days=1)
        last = now
        author = (said[3] or said[4]).lower()
        own = f"{number:05}"
        called = tuple(names(said[5].lower()))
        yield Line(own, own, None, author, (author,), now, called)


def at_names(text: str) -> Iterable[str]:
    """Names as kpis.md writes them."""
    return _AT.findall(text)


def irc_names(text: str) -> Iterable[str]:
    """Also the name that IRC puts at the head of a line."""
    head = _CALLED.match(text)
    return [*_AT.findall(text), *([head[1]] if head else [])]


def gold_links(log: Path) -> set[Pair]:
    """(line, the one it answers) by the annotators; a line that answers nothing is in none."""
    file = log.with_name(log.name.replace(".raw.", ".annotation."))
    pairs = (line.split()[:2] for line in file.read_text().splitlines() if line.strip())
    numbers = (sorted((int(one), int(other))) for one, other in pairs)
    return {(f"{later:05}", f"{earlier:05}") for earlier, later in numbers if earlier != later}


def clusters(keys: Iterable[str], links: Iterable[Pair]) -> set[Pair]:
    """Every pair of lines that links put into one conversation."""
    root = {key: key for key in keys}

    def top(key: str) -> str:
        while root.setdefault(key, key) != key:
            key = root[key]
        return key

    for later, earlier in links:
        root[top(later)] = top(earlier)
    together: dict[str, list[str]] = {}
    for key in keys:
        together.setdefault(top(key), []).append(key)
    return {pair for group in together.values() for pair in combinations(sorted(group), 2)}


def joined(log: Path, names: Callable[[str], Iterable[str]]) -> Links:
    """By the rule: each line → the one it goes on from."""
    return {line.message_id: parent for line, _, parent in threads(lines(log, names), JOIN)}


def theirs(log: Path) -> Links:
    """Not our rule, to see what it costs: not the channel's latest conversation alone, but the last
    line of whoever is named, else the author's own within the window, wherever it stands."""
    last: dict[str | None, Line] = {}
    found: dict[str, str | None] = {}
    for line in lines(log, irc_names):
        named = [last[name] for name in line.names if name in last and name != line.author]
        own = last.get(line.author)
        near = [own] if own and line.at - own.at <= JOIN else []
        chosen = max(named or near, key=lambda one: one.message_id, default=None)
        found[line.message_id] = chosen.message_id if chosen else None
        last[line.author] = line
    return found


def one_before(log: Path) -> Links:
    """The naive baseline."""
    keys = [line.message_id for line in lines(log, at_names)]
    return dict(zip(keys, [None, *keys], strict=False))


def score(logs: Iterable[Path], guess: Callable[[Path], Links]) -> tuple[Score, Score]:
    """Links, and pairs of one conversation, over all logs."""
    totals = [[0, 0, 0], [0, 0, 0]]
    for log in logs:
        found = guess(log)
        judged = [key for key in found if int(key) >= FIRST]
        gold = {pair for pair in gold_links(log) if pair[0] in found and pair[1] in found}
        links = {(key, parent) for key in judged if (parent := found[key])}
        every = {(key, parent) for key, parent in found.items() if parent}
        both = (links, gold), (clusters(judged, every), clusters(judged, gold))
        for total, (ours, theirs) in zip(totals, both, strict=True):
            for place, size in enumerate((len(ours), len(theirs), len(ours & theirs))):
                total[place] += size
    return Score(*totals[0]), Score(*totals[1])


GUESSES: Mapping[str, Callable[[Path], Links]] = {
    "every line answers the one before": one_before,
    "joined, names as @ada": lambda log: joined(log, at_names),
    "joined, names as ada: too": lambda log: joined(log, irc_names),
    "(any conversation of theirs, ada:)": theirs,
}


def main() -> int:
    logs = sorted(LOGS.glob("*.raw.txt"))
    if not logs:
        print("skipped: ../shared/data/conversations/irc_dev is absent")
        return 0
    print(f"{'':36} reply links              pairs of one conversation")
    print(f"{'':36} precision  recall     f1  precision  recall     f1")
    for name, guess in GUESSES.items():
        links, pairs = score(logs, guess)
        print(
            f"{name:36} {links.told()}  {pairs.told()}   ({links.both:,} of {links.gold:,} links)"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
