"""How one call for help unfolds: an opening message goes in, the whole thread comes out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from demo.people import FORUM, Crowd, Person
from demo.shifts import Desk, answered, awake, minutes
from demo.stories import ZONE, Plot
from demo.threads import ACTION, WHISPER, Message, Thread
from demo.words import Words, lines

_STAFF_MESSAGES = (0.45, 0.30, 0.16, 0.07, 0.02)
_SLIPPING = (0.30, 0.24, 0.17, 0.11, 0.18)


@dataclass(frozen=True)
class Scene:
    """What a conversation is played with."""

    rng: Random
    plot: Plot
    desk: Desk
    crowd: Crowd
    words: Words

    def chance(self, p: float) -> bool:
        """True with probability ``p``."""
        return self.rng.random() < p


def play(scene: Scene, thread: Thread, opener: Message) -> None:
    """Everything that follows the first message of a member."""
    thread.openers.append(opener)
    is_bad = scene.plot.is_outage(_day(opener.at))
    if scene.crowd.source == FORUM and not is_bad and scene.chance(0.08):
        _peer_solves(scene, thread, opener)
        return
    if _is_left_alone(scene, thread, opener):
        _chatter(scene, thread, opener, opener.at + timedelta(days=2))
        if scene.crowd.source == FORUM:
            _close(scene, thread, opener.at + _FORGOTTEN)
        return
    first = answered(scene.rng, scene.plot, scene.desk, opener.at, thread.is_ambient)
    _chatter(scene, thread, opener, first)
    last = _dialogue(scene, thread, opener, first, _length(scene, first))
    _finish(scene, thread, opener, last, 0.24 if is_bad else 0.055)


def _is_left_alone(scene: Scene, thread: Thread, opener: Message) -> bool:
    """Some ambient posts and a few questions get no answer; more are still waiting at the end."""
    if thread.is_ambient:
        return scene.chance(0.30)
    is_recent = opener.at.date() >= scene.plot.ends - timedelta(days=2)
    return scene.chance(0.25 if is_recent else 0.025)


def _length(scene: Scene, at: datetime) -> int:
    """How many messages staff needs: at most four, as a rule."""
    weights = _SLIPPING if scene.plot.is_slipping(_day(at)) else _STAFF_MESSAGES
    count: int = scene.rng.choices(range(1, 6), weights)[0]
    return count + scene.rng.randrange(3) if count == 5 else count


def _dialogue(
    scene: Scene, thread: Thread, opener: Message, first: datetime, count: int
) -> Message:
    rng, asker = scene.rng, opener.author
    agent = on_duty(scene, first)
    last = thread.add(agent, first, _first_answer(scene, thread, asker, agent, count), opener)
    for left in range(count - 2, -1, -1):
        at = awake(rng, last.at + minutes(rng, 40, 1.0))
        symbol = "answer_ask" if left == count - 2 and scene.chance(0.8) else "still"
        said = thread.add(asker, at, scene.words.say(rng, symbol, thread.about), last)
        if scene.chance(0.12):
            said.quotes = last
        at = answered(rng, scene.plot, scene.desk, at, False)
        agent = agent if scene.chance(0.7) and scene.desk.is_open(at) else on_duty(scene, at)
        last = thread.add(agent, at, _next_answer(scene, thread, agent, left), said)
    return last


def on_duty(scene: Scene, at: datetime) -> Person:
    """Who of the staff writes at that time."""
    return scene.crowd.staff(scene.desk.is_open(at), scene.plot.is_trained(_day(at)))


def _first_answer(scene: Scene, thread: Thread, asker: Person, agent: Person, count: int) -> str:
    say, rng, names = scene.words.say, scene.rng, _names(asker, agent)
    body = say(rng, "ask" if count > 1 else "fix", thread.about)
    if scene.plot.is_outage(_day(thread.messages[0].at)) and scene.chance(0.7):
        body = say(rng, "staff_outage")
    if scene.crowd.source != FORUM:
        return lines(say(rng, "staff_sorry") if scene.chance(0.5) else "", body)
    return lines(
        say(rng, "staff_greet", None, **names), say(rng, "staff_sorry"), body,
        say(rng, "staff_end", None, **names),
    )  # fmt: skip


def _next_answer(scene: Scene, thread: Thread, agent: Person, left: int) -> str:
    say, rng = scene.words.say, scene.rng
    if left == 0:
        body = say(rng, "fix", thread.about)
        if scene.chance(0.2):
            body = say(rng, "staff_done", thread.about)
    else:
        body = say(rng, "ask" if scene.chance(0.5) else "staff_wait", thread.about)
    more = say(rng, "staff_more") if scene.chance(0.6) else ""
    end = say(rng, "staff_end", None, **_names(None, agent)) if scene.crowd.source == FORUM else ""
    return lines(more, body, end)


def _finish(scene: Scene, thread: Thread, opener: Message, last: Message, again: float) -> None:
    """How it ends: accepted, thanked, sent to the desk, closed, or in silence."""
    rng, is_forum = scene.rng, scene.crowd.source == FORUM
    turn = rng.random()
    if is_forum and turn < 0.42:
        at = _thank(scene, thread, opener.author, last, 0.8).at
        thread.accepted, thread.accepted_at = last, at + timedelta(seconds=rng.randint(3, 90))
        resolved_at = thread.accepted_at
    elif turn < (0.58 if is_forum else 0.42):
        thanks = _thank(scene, thread, opener.author, last, 1.0)
        if not scene.chance(0.6):
            return
        at = answered(rng, scene.plot, scene.desk, thanks.at, False)
        resolved_at = _welcome(scene, thread, thanks, at).at + timedelta(hours=72)
    elif turn < 0.70:
        _escalate(scene, thread, last)
        return
    elif is_forum and turn < 0.76:
        _close(scene, thread, last.at + timedelta(days=rng.uniform(0.5, 4)))
        return
    else:
        resolved_at = last.at + timedelta(hours=72)
    if scene.chance(again):
        _reopen(scene, thread, opener, last, resolved_at)


_SOON = timedelta(minutes=20)
_FORGOTTEN = timedelta(days=21)  # then a topic without any answer is closed


def _close(scene: Scene, thread: Thread, after: datetime) -> None:
    """Staff closes the topic on a working day."""
    thread.closed_at = scene.desk.after(after, _SOON)
    thread.add(on_duty(scene, thread.closed_at), thread.closed_at, "", kind=ACTION)


def _thank(scene: Scene, thread: Thread, asker: Person, last: Message, p: float) -> Message:
    """A closing phrase after the last answer, with chance ``p``; else that answer itself."""
    if not scene.chance(p):
        return last
    at = awake(scene.rng, last.at + minutes(scene.rng, 45, 1.1))
    staff = last.author.name.split()[0] if last.author.role == "staff" else last.author.handle
    text = scene.words.say(scene.rng, "thanks", staff=staff)
    is_below = scene.crowd.source != FORUM or scene.chance(0.7)
    return thread.add(asker, at, text, last if is_below else thread.messages[0])


def _welcome(scene: Scene, thread: Thread, thanks: Message, at: datetime) -> Message:
    agent = on_duty(scene, at)
    text = scene.rng.choice(_WELCOME[scene.words.lang])
    return thread.add(agent, at, text, thanks)


_WELCOME = {
    "en": ("You're welcome!", "Glad it works.", "Great, have a nice day!", "Happy to help :smile:"),
    "de": ("Gern geschehen!", "Freut mich, dass es klappt.", "Super, schönen Tag noch!"),
}


def _escalate(scene: Scene, thread: Thread, last: Message) -> None:
    """The last answer sends the member elsewhere."""
    last.text = lines(last.text, scene.words.say(scene.rng, "escalate", thread.about))
    thread.escalated_at = last.at
    thread.tags = (*thread.tags, "sent-to-desk")


def _reopen(
    scene: Scene, thread: Thread, opener: Message, last: Message, resolved_at: datetime
) -> None:
    rng, asker = scene.rng, opener.author
    at = awake(rng, resolved_at + timedelta(days=rng.uniform(0.3, 8)))
    above = opener if scene.crowd.source == FORUM else last
    again = thread.add(asker, at, scene.words.say(rng, "reopen", thread.about), above)
    thread.openers.append(again)
    at = answered(rng, scene.plot, scene.desk, at, False)
    agent = on_duty(scene, at)
    fix = scene.words.say(rng, "staff_done")
    text = lines(scene.words.say(rng, "staff_reopen"), fix)
    last = thread.add(agent, at, text, again)
    if scene.chance(0.5):
        _thank(scene, thread, asker, last, 1.0)


def _peer_solves(scene: Scene, thread: Thread, opener: Message) -> None:
    """Another member has the answer; staff mostly adds a word later."""
    rng = scene.rng
    at = awake(rng, opener.at + minutes(rng, 45, 1.1))
    peer = scene.crowd.peer(opener.author, thread.lang, at)
    answer = thread.add(peer, at, _peer_text(scene, thread), opener)
    thread.accepted = answer
    thread.accepted_at = _thank(scene, thread, opener.author, answer, 0.9).at + _A_MOMENT
    if scene.chance(0.8):
        at = answered(rng, scene.plot, scene.desk, opener.at, False)
        thread.add(on_duty(scene, at), at, rng.choice(_CONFIRM[scene.words.lang]), opener)


_A_MOMENT = timedelta(seconds=20)
_CONFIRM = {
    "en": ("Exactly right, thank you!", "Confirmed, that is the way.", "Good answer, thanks!"),
    "de": ("Genau so ist es, danke!", "Stimmt, danke fürs Helfen!"),
}


def _peer_text(scene: Scene, thread: Thread) -> str:
    say, rng = scene.words.say, scene.rng
    if scene.crowd.source != FORUM:
        return say(rng, "peer_social") + " #NUnet"
    return lines(
        say(rng, "peer_start"), say(rng, "peer", thread.about.for_others()), say(rng, "peer_end")
    )


def _chatter(scene: Scene, thread: Thread, opener: Message, until: datetime) -> None:
    """What happens before staff answers: others join in, the asker asks again, staff whispers."""
    rng, is_bad = scene.rng, scene.plot.is_outage(_day(opener.at))
    is_forum = scene.crowd.source == FORUM
    for _ in range(rng.choices((0, 1, 2, 3), (45, 30, 17, 8) if is_bad else (72, 22, 5, 1))[0]):
        at = awake(rng, opener.at + minutes(rng, 35, 1.1))
        if at < until:
            peer = scene.crowd.peer(opener.author, thread.lang, at)
            is_advice = not is_forum or scene.chance(0.55)
            said = _peer_text(scene, thread) if is_advice else scene.words.say(rng, "metoo")
            thread.add(peer, at, said, opener)
    reminder = opener.at + timedelta(hours=rng.uniform(5, 20))
    if reminder < until and not thread.is_ambient and scene.chance(0.22):
        us = "" if is_forum else "@us "
        thread.add(
            opener.author, reminder, us + scene.words.say(rng, "hello", thread.about), opener
        )
    if is_forum and scene.chance(0.05):
        at = opener.at + (until - opener.at) * rng.uniform(0.3, 0.95)
        agent = on_duty(scene, at)
        note = scene.words.say(rng, "whisper", staff=scene.crowd.desk[0].handle)
        thread.add(agent, at, note, kind=WHISPER)


def _names(asker: Person | None, agent: Person) -> dict[str, str]:
    return {"member": asker.handle if asker else "", "staff": agent.name.split()[0]}


def _day(at: datetime) -> date:
    return at.astimezone(ZONE).date()
