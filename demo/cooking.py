"""Markdown as members type it goes in, the HTML that Discourse makes of it comes out."""

from __future__ import annotations

import html
import re

_EMOJI = re.compile(r":(\w+):")
_MENTION = re.compile(r"(?<!\w)@([\w-]+)")
_LINK = re.compile(r"(https?://[^\s<]+)")


def cooked(raw: str) -> str:
    """The HTML of a post: paragraphs, quotes, links, mentions and emoji."""
    parts = re.split(r"\[quote=\"([^\"]*)\"\]\n(.*?)\n\[/quote\]\n\n", raw, flags=re.DOTALL)
    found = _paragraphs(parts[0])
    for name, words, after in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        who = html.escape(name.split(",")[0])
        found += (
            f'<aside class="quote no-group" data-username="{who}">\n<div class="title">{who}:</div>'
            f"\n<blockquote>\n{_paragraphs(words)}\n</blockquote>\n</aside>\n{_paragraphs(after)}"
        )
    return found


def _paragraphs(text: str) -> str:
    blocks = [block for block in text.split("\n\n") if block.strip()]
    return "\n".join(f"<p>{_inline(block)}</p>" for block in blocks)


def _inline(text: str) -> str:
    found = html.escape(text, quote=False).replace("\n", "<br>\n")
    found = _LINK.sub(r'<a href="\1" rel="noopener nofollow ugc">\1</a>', found)
    found = _MENTION.sub(r'<a class="mention" href="/u/\1">@\1</a>', found)
    return _EMOJI.sub(
        r'<img src="/images/emoji/twitter/\1.png?v=12" title=":\1:" class="emoji" alt=":\1:" '
        r'loading="lazy" width="20" height="20">',
        found,
    )
