"""A reader finds the old publication of the site or the new one, whole, whenever they look."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from loopback import served
from published import crawled
from sample import sample_view

from muster.pipeline import putting
from muster.reports import addresses, data, site
from muster.serving import server
from muster.store import Entry, FolderStore, Stored

Files = dict[str, bytes]


class Killed(BaseException):
    """The process is no more: nothing after it is done either."""


class Shelf:
    """A place that dies at its n-th write, and lets somebody look after each."""

    def __init__(self, kill_at: int = 0, look: Callable[[Shelf], object] = lambda _: None) -> None:
        self.held: Files = {}
        self.writes, self.kill_at, self.look = 0, kill_at, look
        self.lock = threading.RLock()

    def get(self, key: str) -> Stored | None:
        with self.lock:
            return Stored(self.held[key], "") if key in self.held else None

    def read(self, key: str) -> bytes | None:
        return self.held.get(key)

    def list(self, prefix: str = "") -> Iterator[Entry]:
        with self.lock:
            return iter([Entry(key, 0, "") for key in sorted(self.held) if key.startswith(prefix)])

    def put(self, key: str, data: bytes) -> str:
        self._write(lambda: self.held.__setitem__(key, data))
        return ""

    def delete(self, key: str) -> None:
        self._write(lambda: self.held.pop(key, None))

    def _write(self, change: Callable[[], object]) -> None:
        with self.lock:
            self.writes += 1
            if self.kill_at and self.writes >= self.kill_at:
                raise Killed
            change()
            self.look(self)


def week(number: int, words: str = "As measured.") -> Files:
    """The site of a week, with the reports of the weeks before it behind it."""
    view = replace(sample_view(), measures=sample_view().measures[:4], goals=(), changes=())
    weeks = [
        replace(
            view,
            period_start=view.period_start + timedelta(weeks=past),
            period_end=view.period_end + timedelta(weeks=past),
            as_of=view.as_of + timedelta(weeks=past),
            opening=(f"Week {past}: {words}",),
        )
        for past in range(number + 1)
    ]
    return site.render([weeks[-1]], past=[data.issue(one) for one in weeks[:-1]])


@pytest.fixture(scope="module")
def weeks() -> list[Files]:
    return [week(number) for number in range(5)]


def seen(*published: Files) -> Files:
    """What a reader can reach once these were published, one over the other."""
    there = {path: held for files in published for path, held in files.items()}
    return crawled(there.get)


def test_whenever_a_reader_looks_they_find_one_week_and_every_link_leads_somewhere(weeks):
    first, second = weeks[:2]
    before, after = seen(first), seen(first, second)
    met: list[Files] = []
    shelf = Shelf()
    putting.put(shelf, first)
    shelf.look = lambda there: met.append(crawled(there.read))
    putting.put(shelf, second)
    assert len(met) > 25
    assert all(found in (before, after) for found in met)
    changes = [one != other for one, other in zip(met, met[1:], strict=False)]
    assert changes.count(True) == 1 and met[0] == before and met[-1] == after


def test_numbers_of_a_day_later_do_not_show_before_they_are_published(weeks):
    later = week(0, "Measured again.")
    before, after = seen(weeks[0]), seen(weeks[0], later)
    met: list[Files] = []
    shelf = Shelf()
    putting.put(shelf, weeks[0])
    shelf.look = lambda there: met.append(crawled(there.read))
    putting.put(shelf, later)
    assert before != after and all(found in (before, after) for found in met)


def test_killed_at_any_write_the_site_is_whole_and_the_next_run_completes_it(weeks):
    first, second = weeks[:2]
    before, after = seen(first), seen(first, second)
    undisturbed = Shelf()
    for files in (first, second):
        putting.put(undisturbed, files)
    ends = []
    for at in range(1, undisturbed.writes):
        shelf = Shelf()
        putting.put(shelf, first)
        shelf.writes, shelf.kill_at = 0, at
        try:
            putting.put(shelf, second)
        except Killed:
            ends.append(crawled(shelf.read))
            assert ends[-1] in (before, after), at
        shelf.kill_at = 0
        putting.put(shelf, second)
        assert shelf.held == undisturbed.held
    assert before in ends


def test_what_is_published_again_is_not_written_again(weeks):
    shelf = Shelf()
    putting.put(shelf, weeks[0])
    shelf.writes = 0
    putting.put(shelf, weeks[0])
    assert shelf.writes == 0


def test_two_publications_back_still_read_well_and_older_ones_go_while_reports_stay(weeks):
    shelf = Shelf()
    for files in weeks:
        putting.put(shelf, files)
    fronts = [addresses.version_of(files["index.html"].decode()) for files in weeks]
    left = {addresses.version_of(key) for key in shelf.held} - {""}
    assert left == set(fronts[-putting.KEPT :])
    for version in left:
        assert crawled(shelf.read, f"{version}measures.html")
    reports = [key for key in shelf.held if key.startswith("reports/weekly-")]
    assert len(reports) == len(weeks)
    assert b"Week 0: As measured." in shelf.held[reports[0]]
    assert crawled(shelf.read, reports[0])


def test_a_reader_over_http_sees_one_publication_while_others_are_put(tmp_path: Path, weeks):
    store = FolderStore(tmp_path)
    putting.put(store, weeks[0])
    whole = [seen(*weeks[: number + 1]) for number in range(len(weeks))]
    met: list[Files] = []
    is_over = threading.Event()

    def get(path: str) -> bytes | None:
        try:
            with urllib.request.urlopen(f"{address}/{path}") as answer:
                return answer.read()
        except urllib.error.HTTPError:
            return None

    def poll() -> None:
        while not is_over.is_set() or len(met) < 3:
            met.append(crawled(get))

    with served(server(str(tmp_path), 0)) as address:
        reader = threading.Thread(target=poll)
        reader.start()
        for files in weeks[1:3]:  # none is taken away under the reader: three stay
            putting.put(store, files)
        is_over.set()
        reader.join()
    assert met and all(found in whole for found in met)


@pytest.mark.parametrize("path", [".muster/digests.json", "%2emuster/digests.json", "a/%2E%2e/.b"])
def test_nothing_hidden_is_shown_however_its_name_is_written(tmp_path: Path, path: str) -> None:
    for name in ("index.html", ".muster/digests.json", ".b", "a/c"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    with served(server(str(tmp_path), 0)) as address:
        assert urllib.request.urlopen(f"{address}/a/c").status == 200
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{address}/{path}")
