"""HTML or Markdown of a message in; plain text without quotes of others out."""

from __future__ import annotations

import html
import re
from functools import lru_cache
from html.parser import HTMLParser

_BLOCKS = frozenset(
    (
        "p", "div", "br", "li", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "table",
        "tr", "section", "article", "hr", "dt", "dd",
    )
)  # fmt: skip
_HIDDEN = frozenset(("script", "style", "blockquote", "svg", "template"))
_OTHERS_WORDS = frozenset(("quote", "onebox"))
_QUOTE = re.compile(r"\[quote[^\]\n]{0,500}\](?:(?!\[/?quote).)*\[/quote\]", re.DOTALL | re.I)
# Paragraphs, lists, links and letters, of which the reader leaves nothing out; no other tag, no
# comment, and no attribute that holds a bracket.
_SIMPLE = re.compile(
    r"<p>|</p>|<br ?/?>|</?(?:[bius]|em|strong|code|pre|del|small|li|ul|ol|h[1-6])>"
    r"|<a(?: [^<>]*)?>|</a>|</?span(?: [^<>]*)?>"
)
_TAG = re.compile(r"(<[^<>]*>)")
_NAME = re.compile(r"</?([a-z][a-z0-9]*)")
_MAX_NESTED_QUOTES = 20
_MARKS = (
    (re.compile(r"<!--(?:(?!<!--).){0,5000}?-->", re.DOTALL), ""),
    (re.compile(r"^ {0,3}>.*$", re.MULTILINE), ""),
    (re.compile(r"^ {0,3}(?:```|~~~).*$", re.MULTILINE), ""),
    (re.compile(r"!\[([^\]\n]{0,500})\]\([^)\n]{0,2000}\)"), r"\1"),
    (re.compile(r"\[([^\]\n]{1,500})\]\([^)\n]{0,2000}\)"), r"\1"),
    (re.compile(r"^ {0,3}#{1,6} +", re.MULTILINE), ""),
    (re.compile(r"\*\*|__|~~|`"), ""),
    (
        re.compile(
            r"(?<![\w*\\])\*(?=[^\s*])((?:[^*\n]|\n(?![ \t]*\n)){1,500}?)(?<=[^\s*])\*(?![\w*])"
        ),
        r"\1",
    ),
    (
        re.compile(
            r"(?<![\w_\\])_(?=[^\s_])((?:[^_\n]|\n(?![ \t]*\n)){1,500}?)(?<=[^\s_])_(?![\w_])"
        ),
        r"\1",
    ),
    (re.compile(r"<(https?://[^<>\s]{1,2000})>"), r"\1"),
    (re.compile(r"\\([\\`*_{}\[\]()#+.!>~|-])"), r"\1"),
)
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\ud800-\udfff]")


def plain_html(text: str) -> str:
    """Plain text of an HTML fragment: quotes, link previews and scripts left out, emoji by name.

    >>> plain_html('<aside class="quote"><p>hi</p></aside><p>Yes &amp; <b>no</b></p>')
    'Yes & no'
    """
    if (simple := _simple(text)) is not None:
        return tidy(simple)
    reader = _Reader()
    reader.feed(_closed(text))
    reader.close()
    return tidy("".join(reader.parts))


def _simple(text: str) -> str | None:
    """What the reader makes of simple HTML, at a tenth of the cost; ``None`` of any other."""
    paragraphs = text.replace("<p>", "\n").replace("</p>", "\n")
    if "<" not in paragraphs and ">" not in paragraphs:  # nearly always
        return html.unescape(paragraphs).replace("\xa0", " ")
    parts = _TAG.split(text)
    count = len(parts) // 2
    if text.count("<") != count or text.count(">") != count:
        return None
    for at in range(1, len(parts), 2):
        if (instead := _instead(parts[at])) is None:
            return None
        parts[at] = instead
    if "&" in text:
        parts[::2] = map(html.unescape, parts[::2])
    return "".join(parts).replace("\xa0", " ")


@lru_cache(2_000)
def _instead(tag: str) -> str | None:
    """What stands for a simple tag: a new line or nothing; ``None`` for any other."""
    if not _SIMPLE.fullmatch(tag):
        return None
    found = _NAME.match(tag)
    return "\n" if found and found[1] in _BLOCKS else ""


def _closed(text: str) -> str:
    """HTML without comments, and without tags that nothing closes: the parser looks for the end
    of each through all that follows, which takes minutes where there are thousands.
    """
    parts, at = [], 0
    while (begins := text.find("<!--", at)) >= 0:
        parts.append(text[at:begins])
        ends = text.find("-->", begins + 4)
        at = ends + 3 if ends >= 0 else len(text)
    whole = "".join([*parts, text[at:]]).replace("<![", "&lt;![")
    last = whole.rfind(">") + 1
    return whole[:last] + whole[last:].replace("<", "&lt;")


def plain_markdown(text: str) -> str:
    """Plain text of Markdown or BBCode: quotes left out, marks taken off, entities decoded.

    >>> plain_markdown('> hi\\n\\n**Yes** &amp; [no](https://example.org)')
    'Yes & no'
    """
    for _ in range(_MAX_NESTED_QUOTES):
        text, count = _QUOTE.subn("", text)
        if not count:
            break
    for pattern, replacement in _MARKS:
        text = pattern.sub(replacement, text)
    return tidy(html.unescape(text))


def tidy(text: str) -> str:
    """The text without control characters, lone surrogates and needless blank space."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = [
        line.strip() if "  " not in line and line.isprintable() else _tidy_line(line)
        for line in text.strip().split("\n")
    ]
    whole = "\n".join(lines).strip()
    while "\n\n\n" in whole:  # far cheaper than a pattern
        whole = whole.replace("\n\n\n", "\n\n")
    return whole


def _tidy_line(line: str) -> str:
    return " ".join(_UNSEEN.sub("", line).split())


class _Reader(HTMLParser):
    """Collects what a reader sees; ``skipped`` is the element being left out, by depth."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.skipped = ""
        self.depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.skipped:
            self.depth += tag == self.skipped
            return
        classes = set((dict(attrs).get("class") or "").split())
        if tag in _HIDDEN or (tag == "aside" and classes & _OTHERS_WORDS):
            self.skipped, self.depth = tag, 1
            return
        if tag == "img":
            self.parts.append(dict(attrs).get("alt") or "")
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.skipped:
            self.depth -= tag == self.skipped
            if not self.depth:
                self.skipped = ""
        elif tag in _BLOCKS and tag != "br":
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self.skipped:
            self.parts.append(data.replace("\xa0", " "))
