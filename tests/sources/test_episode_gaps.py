"""Where people write short lines, a day of silence ends an episode; elsewhere none does."""

from datetime import timedelta

import pytest

from muster.sources import platform, platform_names

CHATS_AND_SHORT_POSTS = {
    "slack", "discord", "telegram", "matrix", "x", "bluesky", "mastodon",
}  # fmt: skip


@pytest.mark.parametrize("name", platform_names())
def test_a_day_of_silence_ends_an_episode_on_chats_and_short_posts(name):
    gap = platform(name).Options.model_fields["episode_gap"].default
    assert gap == (timedelta(hours=24) if name in CHATS_AND_SHORT_POSTS else "off")
