"""Who was erased, as salted hashes → strings and API items without a trace of them, for good.

Every id and handle of an erased member is kept as a hash only, with the pseudonym that stands in
its place: whatever names the member again (their own posts, a mention, a reply's parent) is
recognised without the lake knowing who it was.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any

from muster.errors import Conflict, SourceFailed
from muster.remembered import Remembered, from_json
from muster.store import Store

_TOKEN = re.compile(r"(?<![\w])[\w](?:[\w.:\-]*[\w])?")
_ID_KEY = re.compile(r"(^|_)(user|author|member|account|actor|owner)_?id$", re.IGNORECASE)
_NAME_KEY = re.compile(r"(^|_)(username|handle|screen_name|acct|login)$", re.IGNORECASE)
_PERSON_KEYS = frozenset({"id", "did", "username", "handle", "screen_name", "acct", "login"})
_PERSONAL = frozenset({
    "name", "display_name", "displayName", "full_name", "description", "bio", "email", "avatar",
    "location", "note", "url", "website",
})  # fmt: skip
_AUTHORS = ("author", "user", "account", "from", "sender")
_SAID = frozenset({
    "text", "content", "body", "cooked", "raw", "excerpt", "message", "html", "title", "summary",
})  # fmt: skip
# An id such as 17 is told apart from any other number only by the key it stands under.
SHORTEST_ID = 6
PSEUDONYM, FOLDER = "erased-", "erased/"
_TRIES = 20


@dataclass(frozen=True)
class Suppressed:
    """The erased members of one source: hash of each name → pseudonym; false if there are none.

    ``threads`` are the hashes of what they opened: their titles are theirs too.
    """

    salt: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    threads: Sequence[str] = ()

    def __bool__(self) -> bool:
        return bool(self.names)

    def pseudonym(self, name: Any) -> str | None:
        """What stands for an id or handle, if it is one of an erased member's."""
        return self.names.get(_hash(self.salt, str(name))) if self.names else None

    def has_opened(self, thread_id: str) -> bool:
        """Whether a thread was opened by one of them."""
        return bool(self.threads) and _hash(self.salt, thread_id) in self.threads

    def text(self, text: str) -> str:
        """The text with each name of theirs replaced where it is used as a name.

        A handle that is a plain word counts after ``@`` or ``/``, not in a sentence.
        """
        return _TOKEN.sub(partial(self._token, text), text)

    def _token(self, text: str, found: re.Match[str]) -> str:
        token, before = found[0], text[found.start() - 1 : found.start()]
        is_plain = token.isalpha() or len(token) < SHORTEST_ID
        is_short_id = token.isdigit() and len(token) < SHORTEST_ID
        if is_short_id or (is_plain and before not in ("@", "/")):
            return token
        return self.pseudonym(token) or token

    def value(self, value: Any, key: str = "", is_said: bool = False) -> Any:
        """A JSON value without their names, and without what they say where others' items hold it.

        Numbers count only under keys that hold an account's id.
        """
        if isinstance(value, dict):
            return self._object(value, is_said)
        if isinstance(value, list):
            return [self.value(one, key, is_said) for one in value]
        if isinstance(value, str):
            whole = self.pseudonym(value) if _NAME_KEY.search(key) else None
            return "" if is_said and key in _SAID else whole or self.text(value)
        is_id = isinstance(value, int) and not isinstance(value, bool) and _ID_KEY.search(key)
        return None if is_id and self.pseudonym(value) else value

    def _object(self, found: Mapping[str, Any], is_said: bool) -> dict[str, Any]:
        """An object that is of one of them loses what else it says of the person, or their words.

        A post within a post (a quote, a parent) names its own author, who decides for all below.
        """
        authors = [found[key] for key in _AUTHORS if isinstance(found.get(key), dict)]
        is_said = any(map(self._is_of, authors)) if authors else is_said
        gone = _PERSONAL if self._is_of(found) else ()
        return {
            name: None if name in gone else self.value(one, name, is_said)
            for name, one in found.items()
        }

    def _is_of(self, found: Mapping[str, Any]) -> bool:
        """Whether an object describes one of them."""
        named = (found[key] for key in _PERSON_KEYS & found.keys())
        return any(isinstance(one, str | int) and bool(self.pseudonym(one)) for one in named)


def load(store: Store, source: str) -> Suppressed:
    """Who was erased from a source; ``SourceFailed`` if nobody can tell, lest they come back."""
    return ERASED.get(store, _key(source)) or Suppressed()


def naming(names: Iterable[str], threads: Iterable[str] = ()) -> Suppressed:
    """What would recognise a member of these names; nothing is stored."""
    return _with(Suppressed(_new_salt()), sorted(names), threads)[0]


def add(
    store: Store, source: str, names: Iterable[str], threads: Iterable[str] = ()
) -> tuple[Suppressed, str]:
    """Remember a member's id, handles and threads; all that is suppressed, and their pseudonym.

    Adding a member again gives the pseudonym they have.
    """
    key = _key(source)
    for _ in range(_TRIES):
        stored = store.get(key)
        before = Suppressed(_new_salt())
        if stored:
            before = ERASED.read(store.url(key), stored.data)
        after, pseudonym = _with(before, sorted(names), threads)
        data = json.dumps(asdict(after), indent=1).encode()
        try:
            etag = stored.etag if stored else None
            store.put(key, data, if_match=etag, if_new=stored is None)
        except Conflict:
            continue
        return after, pseudonym
    raise Conflict(f"{store.url(key)} kept changing: run again")


def _with(
    before: Suppressed, names: Sequence[str], threads: Iterable[str]
) -> tuple[Suppressed, str]:
    known = filter(None, map(before.pseudonym, names))
    pseudonym = next(known, PSEUDONYM + secrets.token_hex(8))
    more = {_hash(before.salt, name): pseudonym for name in names}
    opened = {*before.threads, *(_hash(before.salt, thread) for thread in threads)}
    return replace(before, names={**before.names, **more}, threads=sorted(opened)), pseudonym


def _key(source: str) -> str:
    return f"{FOLDER}{source}.json"


def _new_salt() -> str:
    return secrets.token_hex(16)


def _hash(salt: str, name: str) -> str:
    return hashlib.blake2b(name.casefold().encode(), key=salt.encode(), digest_size=16).hexdigest()


def _suppressed(told: Any) -> Suppressed:
    bytes.fromhex(told["salt"])
    return Suppressed(told["salt"], dict(told["names"].items()), list(told.get("threads", ())))


ERASED = Remembered(
    from_json(_suppressed), "then erase once more, before the next fetch, whoever was erased there",
    error=SourceFailed,
)  # fmt: skip
