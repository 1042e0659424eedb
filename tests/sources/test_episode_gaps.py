"""Where people write short lines, a day of silence ends an episode; elsewhere none does."""

from datetime import timedelta

import pytest

from muster.sources import platform, platform_names

CHATS_AND_SHORT_POSTS = (
    "slack", "discord", "telegram", "matrix", "x", "bluesky", "mastodon",
)  # fmt: skip
UNDER_A_TITLE = (
    "discourse", "github", "stackexchange", "reddit", "hackernews", "zendesk",
    "youtube", "facebook", "instagram", "linkedin", "rss", "file",
)  # fmt: skip
DAY = timedelta(hours=24)


def gap(name):
    return platform(name).Options.model_fields["episode_gap"].default


@pytest.mark.parametrize("name", CHATS_AND_SHORT_POSTS)
def test_a_day_of_silence_ends_an_episode_on_chats_and_short_posts(name):
    assert gap(name) == DAY


@pytest.mark.parametrize("name", UNDER_A_TITLE)
def test_silence_ends_none_where_what_is_written_stands_under_a_title(name):
    assert gap(name) == "off"


@pytest.mark.parametrize("name", platform_names())
def test_another_gap_is_for_the_settings_to_choose(name):
    assert gap(name) in (DAY, "off")
