"""Scores against what people say, and their price in processor time beside the plain library.

python bench/sentiment.py [--tweets FILE]
The 4,200 tweets of VADER's authors, each with the mean of twenty human ratings, are read from
../shared/data; without them only the time is measured, on long dense texts.
"""

from __future__ import annotations

import argparse
import html
import random
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from bench.simulated_forum import WORDS
from muster.sentiment.language import detect
from muster.sentiment.vader import Published, Quick

TWEETS = Path(__file__).resolve().parents[2] / "shared/data/sentiment/tweets_GroundTruth.txt"
PUBLISHED_R = 0.88
ROUNDS = 3


def rated(path: Path) -> tuple[list[float], list[str]]:
    """The human means, and the texts as a reader sees them."""
    lines = [line.split("\t") for line in path.read_text("utf-8").splitlines()]
    return [float(mean) for _, mean, _ in lines], [html.unescape(text) for _, _, text in lines]


def dense(count: int, words: int) -> list[str]:
    """Texts in which most words carry a mood."""
    rng = random.Random(1)
    return [" ".join(rng.choices(WORDS.split(), k=words)) for _ in range(count)]


def seconds(score: Callable[[str], object], texts: Sequence[str]) -> float:
    """Processor seconds for all texts, the median of a few rounds."""
    taken = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for text in texts:
            score(text)
        taken.append(time.process_time() - started)
    return statistics.median(taken)


def compare(name: str, texts: Sequence[str]) -> None:
    """Each way's time on the same texts, and as a share of the library's."""
    library, quick, published = SentimentIntensityAnalyzer(), Quick(), Published()
    ways = {"library": library.polarity_scores, "quick": quick.compound,
            "muster": published.compound, "language": detect}  # fmt: skip
    found = {way: seconds(score, texts) for way, score in ways.items()}
    for way, taken in found.items():
        print(f"{name:8} {way:9} {len(texts) / taken:>9,.0f} texts a cpu-s "
              f"{taken / found['library']:>6.2f}x")  # fmt: skip


def correlate(means: Sequence[float], texts: Sequence[str]) -> None:
    """Pearson's r of each way with the human means."""
    library, quick, published = SentimentIntensityAnalyzer(), Quick(), Published()
    ways = {"library": lambda text: library.polarity_scores(text)["compound"],
            "quick": quick.compound, "muster": published.compound}  # fmt: skip
    for way, score in ways.items():
        r = statistics.correlation(means, [score(text) for text in texts])
        print(f"{way:9} n = {len(texts):,}  r = {r:.4f}  (published: {PUBLISHED_R})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tweets", type=Path, default=TWEETS)
    path = parser.parse_args().tweets
    if path.exists():
        means, texts = rated(path)
        correlate(means, texts)
        compare("tweets", texts)
    else:
        print(f"skipped: no rated tweets at {path}")
    compare("dense", dense(2_000, 45))


if __name__ == "__main__":
    main()
