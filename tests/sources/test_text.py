"""Plain text of messages: what the author wrote, nothing of others, nothing that acts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster.sources._text import _Reader, plain_html, plain_markdown, tidy


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Hi &amp; <b>bye</b> &lt;3</p>", "Hi & bye <3"),
        ("<p>one</p><p>two<br>three</p>", "one\n\ntwo\nthree"),
        ('<aside class="quote no-group"><p>his</p><aside>x</aside></aside><p>mine</p>', "mine"),
        ('<aside class="onebox"><h3>A page</h3></aside>see', "see"),
        ('<aside class="note">a note</aside>', "a note"),
        ("<blockquote><p>his</p><blockquote>older</blockquote></blockquote><p>mine</p>", "mine"),
        ('<p>nice <img class="emoji" alt=":wave:" src="x"></p>', "nice :wave:"),
        ('<script>alert(1)</script><a href="javascript:1">click</a>', "click"),
        ("<ul><li>a</li><li>b</li></ul>", "a\n\nb"),
        ("a\x00b\x1b[31m\ud800c", "ab[31mc"),
        ("<p>1 < 2</p> and 2 <3", "1 < 2\nand 2 <3"),
        ("<!-- a form --><p>a</p><!-- never closed <p>b</p>", "a"),
        ("", ""),
    ],
)
def test_html(html: str, text: str) -> None:
    assert plain_html(html) == text


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ('[quote="anna, post:2, topic:1"]\nhis\n[quote]older[/quote]\n[/quote]\nmine', "mine"),
        ("> his\n>> older\nmine", "mine"),
        ("**Bold** and [a link](https://example.org) &amp; `code`", "Bold and a link & code"),
        ("## Title\n\n```\nls -l\n```", "Title\n\nls -l"),
        ("![a cat](cat.png) 2 > 1", "a cat 2 > 1"),
        ("[quote] never closed", "[quote] never closed"),
        (
            "*so* and _so_, not 2*3*4, snake_case_name or * a list",
            "so and so, not 2*3*4, snake_case_name or * a list",
        ),
        (
            "*over a\nline* and _over\none_, *no\n\nend* * a\n* list_of\n_names",
            "over a\nline and over\none, *no\n\nend* * a\n* list_of\n_names",
        ),
        (r"\*stars\* and 1\. no list", "*stars* and 1. no list"),
        (
            "<!-- fill in\nthe form -->see <https://example.org/a_b_c>",
            "see https://example.org/a_b_c",
        ),
    ],
)
def test_markdown(markdown: str, text: str) -> None:
    assert plain_markdown(markdown) == text


@given(st.text(alphabet='<>/ab&;"=![]()*`#\n >quoteasid', max_size=200))
def test_whatever_comes_is_text_without_control_characters(source: str) -> None:
    for text in (plain_html(source), plain_markdown(source)):
        assert text == text.strip()
        assert text.replace("\n", "").replace("\t", "").isprintable()


@given(
    st.lists(
        st.sampled_from(
            ["<p>", "</p>", "<br>", "<br/>", "<b>", "</b>", "<li>", "</ul>", "</a>", "</pre>",
             '<a href="/x?a=1&amp;b">', "<span class='h'>", "</span>", "<code>", "<h2>", " ", "\n",
             "&amp;", "&lt;b&gt;", "&", "amp;", "&#x202e;", "word", "\u202eabc", "\x00", "\xa0",
             "🙂", "<hr>", ">", "<blockquote>", "</blockquote>", "<p class=x>", "<A>",
             "<!-- -->", "<a title='>'>"]
        ),
        max_size=14,
    ).map("".join)
)  # fmt: skip
def test_simple_html_reads_as_the_whole_reader_reads_it(text: str) -> None:
    reader = _Reader()
    reader.feed(text)
    reader.close()
    assert plain_html(text) == tidy("".join(reader.parts))


@given(st.text())
def test_one_line_is_tidied_as_many_are(text: str) -> None:
    assert tidy(text) == tidy(f"{text}\n\x00")


@pytest.mark.parametrize(
    "hostile",
    # Half a second for each; what grows with the square of the length runs into the timeout.
    ["[quote]" * 20_000, "<aside class=quote>" * 20_000, "[" * 50_000, "*a" * 50_000,
     "_a " * 50_000, "**" * 100_000, "`" * 100_000, "<!--" * 50_000, "<!-- >" * 30_000,
     "<https://" * 20_000, "<https://" * 20_000 + ">", "<a b='" * 30_000, "</p" * 50_000,
     "<![CDATA[ >" * 20_000, "<?x" * 50_000, "<!x " * 50_000, "<div>" * 100_000, "&" * 100_000,
     "<script></script" * 20_000, "<script></script" * 20_000 + ">",
     "<a " + 'b="' * 50_000 + ">", "<a " + "b " * 50_000],
    ids=lambda text: text[:9],
)  # fmt: skip
def test_hostile_text_costs_little(hostile: str) -> None:
    assert len(plain_markdown(hostile)) <= len(hostile)
    assert len(plain_html(hostile)) <= len(hostile)
