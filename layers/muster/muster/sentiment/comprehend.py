"""Texts → their moods by Amazon Comprehend, 25 a call, each distinct text paid for once a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from muster import services
from muster.errors import BadSettings
from muster.sentiment import Scorer

#: What BatchDetectSentiment reads (the service's own model; a test compares them).
LANGUAGES = frozenset(["en", "es", "fr", "de", "it", "pt", "ar", "hi", "ja", "ko", "zh", "zh-TW"])
TEXTS, BYTES = 25, 5_000
AT_ONCE = 4
REMEMBERED = 200_000
#: List price and how it is counted, as published for us-east-1.
PRICED_ON = "2026-11"
DOLLARS_A_UNIT, UNIT_CHARACTERS, LEAST_UNITS = 0.0001, 100, 3

Score = float | None


@dataclass
class Comprehend:
    """One run's calls: what it was told already, and the first trouble, if any.

    ``is_late`` says that no time is left: texts then stay without a score.
    """

    open_client: Callable[[], Any]
    is_late: Callable[[], bool] = lambda: False
    trouble: str = field(default="", init=False)
    _told: dict[tuple[str, str], Score] = field(default_factory=dict, init=False)

    def scorer(self) -> Scorer:
        """This as a way to score."""
        return Scorer(LANGUAGES, self.scores)

    def scores(self, lang: str, texts: Sequence[str]) -> list[Score]:
        """Positive less negative share, -1 to 1; none where the service gave none."""
        cut = [_cut(text) for text in texts]
        new = [one for one in dict.fromkeys(cut) if one.strip() and (lang, one) not in self._told]
        told: dict[str, Score] = {}
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for answer in pool.map(lambda batch: self._ask(lang, batch), _batches(new)):
                told |= answer
        if len(self._told) < REMEMBERED:
            self._told |= {(lang, text): score for text, score in told.items()}
        return [told.get(text, self._told.get((lang, text))) for text in cut]

    @cached_property
    def _client(self) -> Any:
        return self.open_client()

    def _ask(self, lang: str, texts: list[str]) -> dict[str, Score]:
        """What one call says of its texts; nothing if it fails, after the client's own tries."""
        from botocore.exceptions import BotoCoreError, ClientError

        if self.is_late():
            self.trouble = self.trouble or "no time was left to score"
            return {}
        try:
            answer = self._client.batch_detect_sentiment(TextList=texts, LanguageCode=lang)
        except (BotoCoreError, ClientError, ValueError) as error:
            self.trouble = self.trouble or said(error)  # ValueError: an answer nobody can read
            return {}
        for refused in answer.get("ErrorList", ()):
            self.trouble = self.trouble or f"Comprehend refused a text: {refused['ErrorCode']}"
        return {texts[one["Index"]]: _score(one) for one in answer["ResultList"]}


def said(error: Exception) -> str:
    """What went wrong and what to do, without a text that was sent."""
    code = getattr(error, "response", {}).get("Error", {}).get("Code", type(error).__name__)
    if code in ("AccessDeniedException", "UnrecognizedClientException", "NoCredentialsError"):
        return f"Comprehend refuses us ({code}): allow comprehend:BatchDetectSentiment"
    if code in ("NoRegionError", "EndpointConnectionError"):
        return f"Comprehend cannot be reached ({code}): set AWS_REGION to one that has it"
    return f"Comprehend failed ({code}): the same call may work later"


def connect() -> Any:
    """A client; region, endpoint and credentials come from the environment."""
    from botocore.config import Config

    # "adaptive" slows down by itself when the account's rate is reached.
    retries = {"mode": "adaptive", "max_attempts": 6}
    config = Config(retries=retries, connect_timeout=10, read_timeout=30)
    return services.client("comprehend", config=config)


def check(open_client: Callable[[], Any] = connect) -> str:
    """Whether the service answers us: a call that it must refuse costs nothing."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        client = open_client()
        client.batch_detect_sentiment(TextList=["ok"], LanguageCode="xx")
    except (BotoCoreError, ClientError) as error:
        if getattr(error, "response", {}).get("Error", {}).get("Code") not in _UNDERSTOOD:
            raise BadSettings(said(error)) from error
    return f"Comprehend answers in {client.meta.region_name}"


_UNDERSTOOD = ("InvalidRequestException", "UnsupportedLanguageException", "ValidationException")


def dollars(characters: int) -> float:
    """What one text of so many characters costs by the list price."""
    units = max(LEAST_UNITS, -(-min(characters, BYTES) // UNIT_CHARACTERS))
    return units * DOLLARS_A_UNIT


def _cut(text: str) -> str:
    """As much of the text as the service reads, cut between two characters."""
    return text if len(text) * 4 <= BYTES else text.encode()[:BYTES].decode(errors="ignore")


def _batches(texts: list[str]) -> Iterator[list[str]]:
    return (texts[start : start + TEXTS] for start in range(0, len(texts), TEXTS))


def _score(result: Any) -> float:
    shares = result["SentimentScore"]
    return round(float(shares["Positive"]) - float(shares["Negative"]), 4)
