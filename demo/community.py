"""A seed and an end date go in, the whole simulated community and its history come out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from random import Random

from demo.conversations import Scene, on_duty, play
from demo.people import BLUESKY, FORUM, HOSTILE_TEXT, SOURCES, Crowd, Person, X, crowd
from demo.shifts import DAY, Desk, answered, local, minutes, moment
from demo.stories import AFTERWARDS, DEFAULT_NOW, ZONE, Plot, load, plot
from demo.threads import REGULAR, Message, Thread
from demo.words import About, lines, words

SEED = 20261123
# New issues on an ordinary day: forum topics; posts naming us, and posts only about us.
_TOPICS = 10.6
_NAMED = {X: 0.085, BLUESKY: 0.05}
_AMBIENT = {X: 2.45, BLUESKY: 1.5}
_OUR_POSTS = {X: 0.5, BLUESKY: 0.4}
_TERM_START = ("wifi", "password", "enrol", "twofa", "moodle", "licence")
_OUTAGE = ("wifi", "vpn", "moodle", "email", "cloud", "password")
_ANNOUNCE = About("announce")
_TAGS = ("windows", "macos", "linux", "android", "ios", "urgent", "thesis", "first-year")


@dataclass(frozen=True)
class World:
    """Everything that happened and will happen; what exists at an instant is asked of it."""

    plot: Plot
    crowds: dict[str, Crowd]
    threads: dict[str, list[Thread]]
    messages: dict[str, list[Message]]

    @cached_property
    def horizon(self) -> datetime:
        """The last instant anything was played for."""
        return local(self.plot.ends, 0) + AFTERWARDS


def world(now: datetime = DEFAULT_NOW, seed: int = SEED) -> World:
    """The community whose 60 weeks end with the Monday of ``now``; the same for the same seed."""
    story = plot(now)
    crowds, threads, messages = {}, {}, {}
    for source in SOURCES:
        rng = Random(f"{seed}/{source}")
        begins = local(story.begins, 0)
        crowds[source] = crowd(source, rng, story, begins)
        threads[source] = _play_all(story, crowds[source], rng)
        messages[source] = _settle(story, crowds[source], threads[source], rng)
    sold = _selling(story, crowds[FORUM])
    threads[FORUM].append(sold)
    messages[FORUM] = sorted([*messages[FORUM], *sold.messages], key=lambda message: message.at)
    return World(story, crowds, threads, messages)


def _play_all(story: Plot, people: Crowd, rng: Random) -> list[Thread]:
    scenes = {lang: Scene(rng, story, Desk(story), people, words(lang)) for lang in ("en", "de")}
    found: list[Thread] = []
    day, noise = story.begins, 1.0
    while day < story.ends + AFTERWARDS:
        if day.weekday() == 0:
            noise = rng.lognormvariate(0, 0.07)
        found.extend(_play_day(scenes, day, noise))
        day += DAY
    return found


def _play_day(scenes: dict[str, Scene], day: date, noise: float) -> list[Thread]:
    scene = scenes["en"]
    source, busy = scene.crowd.source, load(scene.plot, day) * noise
    if source == FORUM:
        found = [_topic(scenes, day) for _ in range(_count(scene.rng, _TOPICS * busy))]
        return found + _forum_extras(scenes, day)
    found = [_post(scenes, day, True) for _ in range(_count(scene.rng, _AMBIENT[source] * busy))]
    found += [_post(scenes, day, False) for _ in range(_count(scene.rng, _NAMED[source] * busy))]
    for _ in range(_count(scene.rng, _OUR_POSTS[source])):
        found.extend(_our_post(scenes, day))
    if day.weekday() in (0, 3):
        found.append(_bot_post(scene, day))
    return found


def _count(rng: Random, mean: float) -> int:
    """A count around a mean, a little less scattered than Poisson's."""
    return max(0, round(rng.gauss(mean, 0.7 * mean**0.5)))


def _topic(scenes: dict[str, Scene], day: date) -> Thread:
    """A member's topic in the forum and all that follows."""
    at = moment(scenes["en"].rng, day)
    author = scenes["en"].crowd.author(at, 0.42 if _is_term_start(day) else 0.3)
    scene = scenes[author.lang]
    rng, say = scene.rng, scene.words.say
    if scene.chance(0.02):
        return _feedback(scene, author, at)
    topic = _subject(scene, day)
    about = scene.words.about(rng, topic)
    thread = Thread(FORUM, about, author.lang, say(rng, "title", about))
    thread.category = scene.words.category(topic)
    thread.tags = tuple(dict.fromkeys((topic, *rng.sample(_TAGS, rng.choice((0, 0, 1, 2))))))
    play(scene, thread, thread.add(author, at, _question(scene, thread, day)))
    return thread


def _question(scene: Scene, thread: Thread, day: date) -> str:
    rng, say = scene.rng, scene.words.say
    greet = say(rng, "greet") + "\n\n" if scene.chance(0.6) else ""
    body = lines(
        say(rng, "problem", thread.about),
        say(rng, "tried", thread.about) if scene.chance(0.6) else "",
        _mood(scene, day),
        say(rng, "plea") if scene.chance(0.7) else "",
    )
    return (greet + body).strip()


def _mood(scene: Scene, day: date) -> str:
    weights = (2, 4, 20, 60, 0, 14) if scene.plot.is_outage(day) else (20, 16, 10, 1, 9, 44)
    moods = ("calm", "worried", "angry", "furious", "happy", "")
    mood = scene.rng.choices(moods, weights)[0]
    said = scene.words.say(scene.rng, mood) if mood else ""
    return lines(said, scene.words.say(scene.rng, "furious")) if mood == "furious" else said


def _subject(scene: Scene, day: date) -> str:
    topics = scene.words.help_topics
    if scene.plot.is_outage(day) and scene.chance(0.85):
        topics = tuple(topic for topic in _OUTAGE if topic in topics)
    elif _is_term_start(day) and scene.chance(0.5):
        topics = tuple(topic for topic in _TERM_START if topic in topics)
    return scene.rng.choice(topics)


def _is_term_start(day: date) -> bool:
    return day.month in (4, 10) and day.day < 24


def _feedback(scene: Scene, author: Person, at: datetime) -> Thread:
    rng, say = scene.rng, scene.words.say
    thread = Thread(FORUM, About("feedback"), author.lang, say(rng, "feedback_title"), "Feedback")
    opener = thread.add(author, at, say(rng, "feedback"))
    thread.openers.append(opener)
    for _ in range(rng.randrange(3)):
        later = at + minutes(rng, 400, 1)
        thread.add(scene.crowd.peer(author, author.lang, later), later, "+1", opener)
    later = answered(rng, scene.plot, scene.desk, at, False)
    thread.add(on_duty(scene, later), later, say(rng, "staff_feedback"), opener)
    return thread


def _forum_extras(scenes: dict[str, Scene], day: date) -> list[Thread]:
    """What staff, the bot and spammers write of their own accord."""
    scene = scenes["en"]
    found = []
    if day.weekday() in (1, 4) and scene.chance(0.7):
        found.append(_announcement(scene, local(day, 9 + scene.rng.random() * 3)))
    if day.weekday() == 0:
        found.append(_bot_post(scene, day))
    if scene.chance(0.05):
        spammer = scene.crowd.join(local(day, 3))
        thread = Thread(FORUM, About("spam"), "en", "Best offer for students", "Software")
        spam = thread.add(spammer, local(day, 4.5), scene.words.say(scene.rng, "spam"))
        spam.deleted_at, spam.deleted_by = spam.at + minutes(scene.rng, 200, 0.9), "staff"
        found.append(thread)
    if day == scene.plot.training:
        found.append(_night_shift_starts(scene, local(day, 10)))
    return found


def _selling(story: Plot, people: Crowd) -> Thread:
    """One night somebody sells notes, twelve times in the same words, and no moderator sees it."""
    begins = local(story.ends - 9 * DAY, 3.01)
    seller = people.join(begins - DAY, "Study Notes", "study_notes24")
    thread = Thread(FORUM, About("spam"), "en", "All lecture notes", "Software")
    for number in range(12):
        text = "All lecture notes of all courses, cheap and complete: write me today!"
        thread.add(seller, begins + number * timedelta(minutes=2, milliseconds=7), text)
    return thread


def _night_shift_starts(scene: Scene, at: datetime) -> Thread:
    title = "New: evening and night shift of the help desk"
    thread = Thread(FORUM, About("announce"), "en", title, "Announcements", is_announcement=True)
    thread.add(
        scene.crowd.desk[0], at,
        "Good news: four colleagues finished their training and answer here every evening, every "
        "night and all weekend from today on. Write whenever you need us!",
    )  # fmt: skip
    return thread


def _announcement(scene: Scene, at: datetime) -> Thread:
    """A topic staff opened; each member's direct reply is a question of its own."""
    rng, say = scene.rng, scene.words.say
    slots = {"what": say(rng, "what", _ANNOUNCE)}
    slots["what"] = slots["what"][0].lower() + slots["what"][1:]
    title = say(rng, "title", _ANNOUNCE, **slots)
    thread = Thread(FORUM, About("announce"), "en", title, "Announcements", is_announcement=True)
    thread.add(scene.crowd.staff(True, False), at, say(rng, "text", _ANNOUNCE, **slots))
    for _ in range(rng.choice((0, 0, 1, 2, 3))):
        asked_at = at + minutes(rng, 300, 1.2)
        asker = scene.crowd.author(asked_at, 0.05)
        question = thread.add(asker, asked_at, say(rng, "question", _ANNOUNCE, **slots))
        thread.openers.append(question)
        when = answered(rng, scene.plot, scene.desk, asked_at, False)
        thread.add(on_duty(scene, when), when, say(rng, "answer", _ANNOUNCE), question)
    return thread


def _bot_post(scene: Scene, day: date) -> Thread:
    bot = scene.crowd.bot
    assert bot is not None
    state = "disturbed, please see the announcements" if scene.plot.is_outage(day) else "all green"
    text = f"NUnet status of {day:%A}, 07:00: {state}."
    thread = Thread(
        scene.crowd.source, About("status"), "en", f"NUnet status, {day:%d %B %Y}", "Network"
    )
    thread.is_ambient = scene.crowd.source != FORUM
    thread.add(bot, local(day, 7), text)
    return thread


def _post(scenes: dict[str, Scene], day: date, is_ambient: bool) -> Thread:
    """A post about us (found by a search) or to us (naming us), and all that follows."""
    at = moment(scenes["en"].rng, day)
    author = scenes["en"].crowd.author(at, 0.45)
    scene = scenes[author.lang]
    rng, say = scene.rng, scene.words.say
    about = scene.words.about(rng, _subject(scene, day))
    thread = Thread(scene.crowd.source, about, author.lang, is_ambient=is_ambient)
    if is_ambient:
        text = say(rng, "social", about)
        mood = _mood(scene, day) if scene.chance(0.5) else ""
        text = text + ("" if text.endswith((".", "?", "!")) or not mood else ".") + " " + mood
    else:
        body = say(rng, "problem", about)
        text = "@us " + lines(body, _mood(scene, day), say(rng, "plea"))
    play(scene, thread, thread.add(author, at, text.strip()))
    return thread


def _our_post(scenes: dict[str, Scene], day: date) -> list[Thread]:
    """A post of our account; a few members ask below it or quote it."""
    scene = scenes["de" if scenes["en"].chance(0.2) else "en"]
    rng, say, us = scene.rng, scene.words.say, scene.crowd.desk[0]
    thread = Thread(scene.crowd.source, About("announce"), scene.words.lang, is_announcement=True)
    post = thread.add(us, local(day, 9 + rng.random() * 8), say(rng, "social", _ANNOUNCE))
    if scene.chance(0.05):
        at = post.at + minutes(rng, 200, 1)
        asker = scene.crowd.author(at, 0.2)
        question = thread.add(asker, at, say(rng, "question", _ANNOUNCE), post)
        thread.openers.append(question)
        later = answered(rng, scene.plot, scene.desk, at, False)
        thread.add(us, later, say(rng, "answer", _ANNOUNCE), question)
    return [thread, _quote(scene, post)] if scene.chance(0.12) else [thread]


def _quote(scene: Scene, post: Message) -> Thread:
    """A member passes our post on with a word of their own: a conversation of its own."""
    at = post.at + minutes(scene.rng, 150, 1)
    thread = Thread(scene.crowd.source, About("announce"), scene.words.lang, is_ambient=True)
    texts = _QUOTES[scene.words.lang]
    quote = thread.add(scene.crowd.author(at, 0.1), at, scene.rng.choice(texts))
    quote.quotes = post
    return thread


_QUOTES = {
    "en": ("Good service, thanks Nordufer IT!", "Nordufer IT never sleeps. Nice.",
           "Again a Sunday? Nordufer IT, please not in the exam weeks.", "FYI, from Nordufer IT:"),
    "de": ("Gut zu wissen, danke Nordufer IT!", "Schon wieder sonntags, Nordufer IT?"),
}  # fmt: skip


def _settle(story: Plot, people: Crowd, threads: list[Thread], rng: Random) -> list[Message]:
    """All messages by time, with likes, edits, deletions, and the one hostile text."""
    messages = [message for thread in threads for message in thread.messages]
    messages.sort(key=lambda message: message.at)
    for before, message in pairwise(messages):
        if message.at <= before.at:
            message.at = before.at + timedelta(milliseconds=1)
    for message in messages:
        message.author.last_at = message.at
        _liked(message, rng)
        _mended(message, rng)
        _removed(message, rng)
    _removed_afterwards(story, messages, rng)
    hostile = next(p for p in people.people if p.handle == "odd_name")
    victim = next((m for m in reversed(messages) if _may_be_hostile(m, hostile, story)), None)
    if victim is not None:
        limit = 5000 if people.source == FORUM else 240
        prefix = "" if people.source == FORUM else "NUnet "
        victim.text = (prefix + HOSTILE_TEXT)[:limit]
    return messages


def _may_be_hostile(message: Message, hostile: Person, story: Plot) -> bool:
    is_opener = message.thread.messages[0] is message
    is_past = message.at < local(story.ends, 0) - 2 * DAY
    return message.author is hostile and is_opener and is_past and not message.edits


def _liked(message: Message, rng: Random) -> None:
    scale = 4.0 if message.thread.is_announcement and message.parent is None else 0.7
    message.likes = int(rng.expovariate(1 / scale))
    message.views = 12 + int(rng.lognormvariate(4.2, 0.7) * (1 + message.likes / 4))
    message.thread.views += message.views // 3


def _mended(message: Message, rng: Random) -> None:
    """Some messages are edited, on X within its half hour, elsewhere even days later."""
    if message.kind != REGULAR or rng.random() > 0.03:
        return
    is_late = message.thread.source != X and rng.random() < 0.25
    wait = timedelta(days=rng.uniform(1, 12)) if is_late else minutes(rng, 9, 0.5)
    wait = min(wait, timedelta(minutes=29)) if message.thread.source == X else wait
    text = message.text + rng.choice((" (edited: typo)", " Edit: still {}.", " Update: {}."))
    message.edits.append((message.at + wait, text.format(rng.choice(("true", "the same", "open")))))


def _removed(message: Message, rng: Random) -> None:
    """A few messages of members are deleted; those of a deleted account all go."""
    author = message.author
    if message.kind != REGULAR or author.role != "member" or message.deleted_at:
        return
    if (
        rng.random() < (0.014 if author.source == FORUM else 0.03)
        and message.thread.accepted is not message
    ):
        is_late = rng.random() < 0.5
        wait = timedelta(days=rng.uniform(1, 20)) if is_late else minutes(rng, 120, 1.2)
        is_first = message.thread.messages[0] is message
        message.deleted_at = message.at + wait
        message.deleted_by = "staff" if is_first or rng.random() < 0.35 else "author"
    if author.gone_at and author.source != FORUM and message.at < author.gone_at:
        message.deleted_at = min(message.deleted_at or author.gone_at, author.gone_at)
        message.deleted_by = "account"


def _removed_afterwards(story: Plot, messages: list[Message], rng: Random) -> None:
    """Of the last week's messages every twentieth goes in the days after the history's end."""
    ends = local(story.ends, 0)
    week = [
        message
        for message in messages
        if ends - 6 * DAY < message.at < ends
        and message.author.role == "member"
        and message.parent is not None
        and message.deleted_at is None
        and message.thread.accepted is not message
    ]
    for message in week[3::20]:
        message.deleted_at = ends + timedelta(days=rng.uniform(1, 5))
        message.deleted_by = "author"


def local_day(at: datetime) -> date:
    """The community's local date of an instant."""
    return at.astimezone(ZONE).date()
