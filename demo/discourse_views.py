"""How a forum shows its posts, topics and accounts as JSON at the simulated instant."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from demo.community import World
from demo.cooking import cooked
from demo.exchange import stamp
from demo.people import FORUM, Person
from demo.shifts import DAY
from demo.threads import ACTION, REGULAR, WHISPER, Message, Thread

CATEGORIES = (
    "Network", "Accounts", "E-mail", "Teaching", "Printing", "Software", "Rooms", "Devices",
    "Feedback", "Announcements",
)  # fmt: skip
GROUPS = {"help-desk": "staff of the day", "night-shift": "staff of the night"}
_TYPES = {REGULAR: 1, ACTION: 3, WHISPER: 4}
_KEPT = timedelta(hours=24)  # how long a post deleted by its author leaves a notice
_AVATAR = "/letter_avatar_proxy/v4/letter/{}/4a6ea9/{{size}}.png"
_LIKE = 2


class Views:
    """Posts, topics and accounts as an administrator's key sees them."""

    def __init__(self, world: World, now: Callable[[], datetime]) -> None:
        self.world, self.now = world, now
        self.people = world.crowds[FORUM].people

    # --- posts -----------------------------------------------------------------------------

    def is_visible(self, post: Message) -> bool:
        """Whether lists show it: written, and not deleted (by its author: a day ago)."""
        now, first = self.now(), post.thread.messages[0]
        if post is not first and first.is_deleted(now):
            return False  # a topic goes as a whole
        if post.at > now or post.deleted_at is None or post.deleted_at > now:
            return post.at <= now
        return post.deleted_by == "author" and now < post.deleted_at + _KEPT

    def _removed_at(self, post: Message) -> str | None:
        """When it was deleted for good, as staff is told."""
        if post.deleted_at is None or post.deleted_at > self.now() or self.is_visible(post):
            return None
        return stamp(post.deleted_at)

    def raw(self, post: Message) -> str:
        """The Markdown of a post."""
        if post.is_deleted(self.now()) and post.deleted_by == "author":
            return "(post deleted by author)"
        text = post.text_at(self.now())
        if post.quotes:
            quoted = post.quotes
            words = quoted.text.replace("\n", " ")[:120]
            name, where = quoted.author.handle, f"post:{quoted.number}, topic:{post.thread.id}"
            return f'[quote="{name}, {where}"]\n{words}\n[/quote]\n\n{text}'
        return text

    def post(self, post: Message, has_raw: bool) -> dict[str, Any]:
        """One post."""
        now, thread, author = self.now(), post.thread, post.author
        is_withdrawn = post.is_deleted(now) and post.deleted_by == "author"
        version = 1 + post.version(now) + is_withdrawn
        changed = [post.at, *(at for at, _ in post.edits if at <= now)]
        if is_withdrawn and post.deleted_at:
            changed.append(post.deleted_at)
        seen = [other for other in thread.messages if other.exists(now)]
        is_staff = author.role == "staff"
        likes = 0 if is_withdrawn else _grown(post.likes, post.at, now)
        found = {
            "id": post.id,
            **self._who(author),
            "created_at": stamp(post.at),
            "cooked": cooked(self.raw(post)),
            "post_number": post.number,
            "post_type": _TYPES[post.kind],
            "posts_count": len(seen),
            "updated_at": stamp(max(changed)),
            "reply_count": sum(other.parent is post for other in seen),
            "reply_to_post_number": _above(post),
            "quote_count": sum(other.quotes is post for other in seen),
            "incoming_link_count": 0,
            "reads": _grown(post.views, post.at, now),
            "readers_count": max(_grown(post.views, post.at, now) - 1, 0),
            "score": round(post.likes * 15.2 + 0.4, 1),
            "yours": False,
            "topic_id": thread.id,
            "topic_slug": slug(thread.title),
            "topic_title": thread.title,
            "category_id": category_id(thread.category),
            "display_username": self._who(author)["name"],
            "primary_group_name": "help-desk" if is_staff else None,
            "version": version,
            "raw": self.raw(post),
            "actions_summary": [{"id": _LIKE, "count": likes}] if likes else [],
            "moderator": is_staff,
            "admin": author.serial == 1,
            "staff": is_staff,
            "user_id": author.serial,
            "hidden": False,
            "trust_level": 4 if is_staff else min(author.serial % 5, 3),
            "deleted_at": self._removed_at(post),
            "user_deleted": is_withdrawn,
            "edit_reason": None,
            "wiki": False,
            "accepted_answer": self.is_accepted(post),
            "can_accept_answer": False,
            "post_url": f"/t/{slug(thread.title)}/{thread.id}/{post.number}",
        }
        if post.kind == ACTION:
            found["action_code"] = "closed.enabled"
        if not has_raw:
            del found["raw"]
        return found

    def is_accepted(self, post: Message) -> bool:
        """Whether it is the accepted answer by now."""
        at = post.thread.accepted_at
        return post.thread.accepted is post and at is not None and at <= self.now()

    # --- topics ----------------------------------------------------------------------------

    def bumped_at(self, thread: Thread) -> datetime:
        """When the last ordinary post was written."""
        shown = (p.at for p in thread.messages if p.kind == REGULAR and self.is_visible(p))
        return max(shown, default=thread.messages[0].at)

    def summary(self, thread: Thread) -> dict[str, Any]:
        """What lists and the topic itself both tell."""
        now = self.now()
        posts = [post for post in thread.messages if self.is_visible(post)] or thread.messages[:1]
        regular = [post for post in posts if post.kind == REGULAR]
        return {
            "id": thread.id,
            "title": thread.title,
            "fancy_title": html.escape(thread.title, quote=False),
            "slug": slug(thread.title),
            "posts_count": len(regular),
            "reply_count": max(len(regular) - 1, 0),
            "highest_post_number": posts[-1].number,
            "image_url": None,
            "created_at": stamp(thread.messages[0].at),
            "last_posted_at": stamp(regular[-1].at),
            "archetype": "regular",
            "visible": True,
            "closed": thread.closed_at is not None and thread.closed_at <= now,
            "archived": False,
            "pinned": False,
            "tags": [
                {"id": 1 + sum(tag.encode()) % 997, "name": tag, "slug": tag}
                for tag in self._tags(thread)
            ],
            "tags_descriptions": {},
            "views": _grown(thread.views, thread.messages[0].at, now),
            "like_count": sum(_grown(post.likes, post.at, now) for post in posts),
            "category_id": category_id(thread.category),
        }

    def _tags(self, thread: Thread) -> tuple[str, ...]:
        is_sent = thread.escalated_at is not None and thread.escalated_at <= self.now()
        return tuple(tag for tag in thread.tags if tag != "sent-to-desk" or is_sent)

    def topic(
        self, thread: Thread, posts: list[Message], shown: list[Message], has_raw: bool
    ) -> dict[str, Any]:
        """A topic with some of its posts and the ids of all."""
        opener = posts[0].author
        found = {
            "post_stream": {
                "posts": [self.post(post, has_raw) for post in shown],
                "stream": [post.id for post in posts],
            },
            "timeline_lookup": [],
            **self.summary(thread),
            "user_id": opener.serial,
            "word_count": sum(len(post.text.split()) for post in posts),
            "deleted_at": self._removed_at(posts[0]),
            "chunk_size": 20,
            "participant_count": len({post.author.serial for post in posts}),
            "details": {"created_by": self._brief(opener), "participants": []},
        }
        if thread.accepted and self.is_accepted(thread.accepted):
            found["accepted_answer"] = {
                "post_number": thread.accepted.number,
                "username": thread.accepted.author.handle,
                "name": thread.accepted.author.name,
                "accepter_username": opener.handle,
                "accepter_name": opener.name,
                "excerpt": html.escape(thread.accepted.text[:100], quote=False),
            }
        return found

    def topic_list(self, threads: list[Thread], size: int, more: int | None) -> dict[str, Any]:
        """A page of topics and the people named in it."""
        topics: list[dict[str, Any]] = []
        users: dict[int, Person] = {}
        for thread in threads:
            people = [post.author for post in thread.messages if self.is_visible(post)]
            users.update({person.serial: person for person in (people[0], people[-1])})
            posters = [
                {"extras": None, "description": "Original Poster", "user_id": people[0].serial},
                {"extras": "latest", "description": "Most Recent", "user_id": people[-1].serial},
            ]
            is_solved = thread.accepted is not None and self.is_accepted(thread.accepted)
            topics.append(
                {
                    **self.summary(thread),
                    "bumped": True,
                    "bumped_at": stamp(self.bumped_at(thread)),
                    "unseen": False,
                    "last_poster_username": self._who(people[-1])["username"],
                    "has_accepted_answer": is_solved,
                    "can_have_answer": thread.category != "Announcements",
                    "posters": posters,
                }
            )
        listed: dict[str, Any] = {"can_create_topic": True, "per_page": size, "topics": topics}
        if more is not None:
            listed["more_topics_url"] = f"/latest?no_definitions=true&page={more}&per_page={size}"
        return {
            "users": [self._brief(person) for person in users.values()],
            "primary_groups": [],
            "topic_list": listed,
        }

    # --- the site and its people -----------------------------------------------------------

    def category(self, name: str) -> dict[str, Any]:
        """One category."""
        return {
            "id": category_id(name),
            "name": name,
            "slug": slug(name),
            "color": "0088CC",
            "text_color": "FFFFFF",
            "position": category_id(name),
            "description": None,
            "read_restricted": False,
            "has_children": False,
        }

    def site(self) -> dict[str, Any]:
        """What /site.json tells of types and categories."""
        return {
            "default_archetype": "regular",
            "post_types": {"regular": 1, "moderator_action": 2, "small_action": 3, "whisper": 4},
            "groups": [{"id": 41 + n, "name": name} for n, name in enumerate(GROUPS)],
            "categories": [self.category(name) for name in CATEGORIES],
        }

    def about(self, topics: list[Thread]) -> dict[str, Any]:
        """What /about.json tells."""
        now = self.now()
        posts = [p for t in topics for p in t.messages if p.kind == REGULAR and self.is_visible(p)]
        users = [person for person in self.people if person.joined_at <= now]
        stats: dict[str, int] = {
            "topics_count": len(topics),
            "posts_count": len(posts),
            "users_count": len(users),
            "likes_count": sum(_grown(post.likes, post.at, now) for post in posts),
        }
        for name, days in (("last_day", 1), ("7_days", 7), ("30_days", 30)):
            recent = [post for post in posts if post.at > now - days * DAY]
            stats[f"posts_{name}"] = len(recent)
            stats[f"topics_{name}"] = sum(t.messages[0].at > now - days * DAY for t in topics)
            stats[f"users_{name}"] = sum(person.joined_at > now - days * DAY for person in users)
            stats[f"active_users_{name}"] = len({post.author.serial for post in recent}) * 3
            stats[f"participating_users_{name}"] = len({post.author.serial for post in recent})
        return {
            "title": "Nordufer University IT Help Desk",
            "locale": "en",
            "version": "2026.11.0",
            "stats": stats,
            "moderators": [self._brief(p) for p in users if p.role == "staff"],
            "admins": [self._brief(users[0])],
        }

    def accounts(self, flag: str) -> list[dict[str, Any]]:
        """The accounts of a list, oldest first, the two of the software itself included."""
        now = self.now()
        people = [person for person in self.people if person.joined_at <= now]
        if flag == "staff":
            people = [person for person in people if person.role == "staff"]
        elif flag not in ("active", "new"):
            people = []
        robots = [_robot(-1, "system"), _robot(-2, "discobot")] if flag != "new" else []
        return robots + [self.user(person) for person in people]

    def user(self, person: Person) -> dict[str, Any]:
        """One account."""
        is_staff = person.role == "staff"
        last = person.last_at if person.last_at and person.last_at <= self.now() else None
        return {
            **self._brief(person),
            "active": True,
            "admin": person.serial == 1,
            "moderator": is_staff,
            "created_at": stamp(person.joined_at),
            "last_seen_at": stamp(last or person.joined_at),
            "last_posted_at": stamp(last) if last else None,
            "trust_level": 4 if is_staff else min(person.serial % 5, 3),
            "title": "IT help desk" if is_staff else None,
            "staged": False,
            "post_count": 0 if last is None else 1 + person.serial % 40,
            "locale": person.lang,
            "location": person.location or None,
        }

    def by_username(self, username: str) -> Person | None:
        """The account of that name, if it has joined."""
        name = username.lower()
        for person in self.people:
            if self._who(person)["username"].lower() == name and person.joined_at <= self.now():
                return person
        return None

    def group(self, name: str) -> list[dict[str, Any]] | None:
        """The members of one of the team's groups, or of Discourse's own staff groups."""
        crowd = self.world.crowds[FORUM]
        chosen = {
            "help-desk": crowd.desk + crowd.night,
            "night-shift": crowd.night,
            "staff": crowd.desk + crowd.night,
            "moderators": crowd.desk + crowd.night,
            "admins": crowd.desk[:1],
        }.get(name)
        if chosen is None:
            return None
        now = self.now()
        return [
            {**self._brief(p), "added_at": stamp(p.joined_at), "last_seen_at": stamp(p.joined_at)}
            for p in chosen
            if p.joined_at <= now
        ]

    def _who(self, person: Person) -> dict[str, Any]:
        """Name and username; an anonymised account has lost both."""
        if person.gone_at and person.gone_at <= self.now():
            username, name = f"anon{10_000 + person.serial}", None
        else:
            username, name = person.handle, person.name
        return {"username": username, "name": name, "avatar_template": _AVATAR.format(username[0])}

    def _brief(self, person: Person) -> dict[str, Any]:
        return {"id": person.serial, **self._who(person)}


def _robot(user_id: int, username: str) -> dict[str, Any]:
    return {
        "id": user_id,
        "username": username,
        "name": username,
        "avatar_template": _AVATAR.format(username[0]),
        "active": True,
        "admin": user_id == -1,
        "moderator": user_id == -1,
        "created_at": "2020-01-01T00:00:00.000Z",
        "last_seen_at": None,
        "trust_level": 4,
        "staged": False,
        "post_count": 0,
    }


def _above(post: Message) -> int | None:
    """The number of the post it answers; an answer to the first post carries none."""
    parent = post.parent
    return parent.number if parent is not None and parent.number > 1 else None


def _grown(final: int, since: datetime, now: datetime) -> int:
    """A counter on its way to its final value within two weeks."""
    share = min(max((now - since) / (14 * DAY), 0.0), 1.0)
    return int(final * share**0.25)


def category_id(name: str) -> int:
    """Its number."""
    return CATEGORIES.index(name) + 5


def slug(title: str) -> str:
    """The title as it stands in addresses."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "topic"
