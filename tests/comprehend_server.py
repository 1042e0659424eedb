"""A Comprehend on loopback that speaks the service's own protocol, for tests.

Answers are held against botocore's model of the service: one that the real service could not give
fails here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from typing import Any

import pytest
from botocore.session import get_session
from botocore.validate import ParamValidator
from loopback import HERE, Quiet, served

SERVICE = get_session().get_service_model("comprehend")
BATCH = SERVICE.operation_model("BatchDetectSentiment")
TARGET = f"{SERVICE.metadata['targetPrefix']}.BatchDetectSentiment"


@dataclass
class Failure(Exception):
    """What the service answers instead."""

    status: int
    code: str


@dataclass
class Calls:
    """What was asked, and what a mood is: words in, shares of the four moods out."""

    asked: list[tuple[str, list[str]]] = field(default_factory=list)
    fails: Callable[[int, list[str]], Failure | None] = lambda *_: None
    refuses: Callable[[str], bool] = lambda _: False
    url: str = ""

    @property
    def texts(self) -> list[str]:
        return [text for _, texts in self.asked for text in texts]

    def environment(self) -> dict[str, str]:
        """What a client must find to come here."""
        return {
            "AWS_ENDPOINT_URL_COMPREHEND": self.url,
            "AWS_ACCESS_KEY_ID": "muster-test",
            "AWS_SECRET_ACCESS_KEY": "muster-secret",
            "AWS_REGION": "eu-central-1",
        }

    def answer(self, lang: str, texts: list[str]) -> dict[str, Any]:
        """Results and refusals, as the service orders them."""
        self.asked.append((lang, texts))
        if failure := self.fails(len(self.asked), texts):
            raise failure
        if lang not in BATCH.input_shape.members["LanguageCode"].enum:
            raise Failure(400, "InvalidRequestException")
        if len(texts) > 25:
            raise Failure(400, "BatchSizeLimitExceededException")
        errors = [
            {"Index": at, "ErrorCode": "TEXT_SIZE_LIMIT_EXCEEDED", "ErrorMessage": "too long"}
            for at, text in enumerate(texts)
            if self.refuses(text) or len(text.encode()) > 5_000
        ]
        bad = {error["Index"] for error in errors}
        results = [_result(at, text) for at, text in enumerate(texts) if at not in bad]
        return {"ResultList": results, "ErrorList": errors}


def _result(at: int, text: str) -> dict[str, Any]:
    good, bad = shares(text)
    score = {"Positive": good, "Negative": bad, "Neutral": 0.1, "Mixed": 0.05}
    return {"Index": at, "Sentiment": "POSITIVE" if good > bad else "NEGATIVE",
            "SentimentScore": score}  # fmt: skip


def shares(text: str) -> tuple[float, float]:
    """The positive and the negative share this service sees in a text."""
    return (0.75, 0.125) if "good" in text or "gut" in text else (0.0625, 0.6875)


@contextmanager
def comprehend() -> Iterator[Calls]:
    """A running service."""
    calls = Calls()

    class Handler(Quiet):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:  # noqa: N802
            body = self.rfile.read(int(self.headers["content-length"]))
            try:
                status, answer = 200, self._answer(json.loads(body))
            except Failure as failure:
                status, answer = failure.status, {"__type": failure.code, "message": "no"}
            sent = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-type", "application/x-amz-json-1.1")
            self.send_header("content-length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def _answer(self, asked: dict[str, Any]) -> dict[str, Any]:
            signed = "/comprehend/aws4_request" in self.headers["authorization"]
            if self.headers["x-amz-target"] != TARGET or not signed:
                raise Failure(400, "UnknownOperationException")
            answer = calls.answer(asked["LanguageCode"], asked["TextList"])
            assert not ParamValidator().validate(answer, BATCH.output_shape).has_errors()
            return answer

    with served(ThreadingHTTPServer(HERE, Handler)) as calls.url:
        yield calls


@contextmanager
def in_force(patch: pytest.MonkeyPatch) -> Iterator[Calls]:
    """The service, which this process finds by its environment."""
    with comprehend() as calls:
        for name, value in calls.environment().items():
            patch.setenv(name, value)
        yield calls
