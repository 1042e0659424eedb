"""The site's doorkeeper, run as CloudFront runs it: nobody comes in without their password.

In njs, of whose family CloudFront's JavaScript is and which knows as little, and in Node.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from base64 import b64encode
from collections.abc import Iterable
from pathlib import Path
from random import Random
from unicodedata import normalize

import pytest
import thorough
import yaml

from muster.account.readers import hashed
from muster.errors import BadSettings
from muster.reports import pages
from muster.serving import HEADERS

HOUSE = Path(__file__).resolve().parents[2]
WORD = "correct horse ünd battery"
# CloudFront's own modules, as far as the function may use them: its store, and its crypto, which
# counts how much there is to do.
RUN = """
import njs_crypto from 'crypto';
const stored = %s;
let hashes = 0;
const crypto = {createHash: (kind) => { hashes += 1; return njs_crypto.createHash(kind); }};
const cf = {kvs: () => ({get: async (key) => {
  if (!Object.prototype.hasOwnProperty.call(stored, key)) throw new Error('KeyNotFound');
  return stored[key];
}})};
%s
async function all(requests) {
  for (let at = 0; at < requests.length; at += 1) {
    hashes = 0;
    const answer = await handler({request: requests[at]});
    const told = {uri: answer.uri, statusCode: answer.statusCode, hashes: hashes};
    if (answer.statusCode) told.headers = answer.headers;
    console.log(JSON.stringify(told));
  }
}
all(%s);
"""


class Template(yaml.SafeLoader):
    """CloudFormation's short forms are left out: the functions' code has none."""


Template.add_multi_constructor("!", lambda *_: None)
RESOURCES = yaml.load((HOUSE / "template.yaml").read_text("utf-8"), Loader=Template)["Resources"]


def code(name: str) -> str:
    found: str = RESOURCES[name]["Properties"]["FunctionCode"]
    return "\n".join(line for line in found.splitlines() if not line.startswith("import "))


@pytest.fixture(params=["njs", "node"])
def asked(request):
    """What a function answers to each request of a viewer, given the store's users."""
    engine = shutil.which(request.param)
    if engine is None:
        pytest.skip(f"no {request.param} on the path, which runs CloudFront's JavaScript")

    def ask(name: str, users: dict[str, str], *requests: dict[str, object]):
        script = RUN % (json.dumps(users), code(name), json.dumps(requests))
        with tempfile.NamedTemporaryFile("w", suffix=".mjs", encoding="utf-8") as file:
            file.write(script)
            file.flush()
            ended = subprocess.run([engine, file.name], capture_output=True, text=True)
        assert ended.returncode == 0 and ended.stdout, ended.stdout + ended.stderr
        return [json.loads(line) for line in ended.stdout.splitlines()]

    return ask


def request(uri: str = "/", authorization: str | None = None) -> dict[str, object]:
    headers = {} if authorization is None else {"authorization": {"value": authorization}}
    return {"method": "GET", "uri": uri, "headers": headers}


def basic(user: str, word: str) -> str:
    return "Basic " + b64encode(f"{user}:{word}".encode()).decode()


USERS = {"reader": hashed("reader", WORD, "5a17"), "broken": "no hash", "empty": ":", "none": ""}
RIGHT = basic("reader", WORD)
OTHERS = [
    None, "", " ", "Basic", "Basic ", "Basic  ", "Basic ::::", "Basic e30=", "Bearer x",
    "Basic Og==", "Basic 5a17", "Basic " + "A" * 100_000, "Basic " + USERS["reader"],
    *(basic(user, word) for user, word in (
        ("reader", WORD + " "), ("Reader", WORD), ("", ""), ("reader", ""), ("broken", "no hash"),
        ("broken", ""), ("empty", ""), ("none", ""), ("toString", "x"), ("__proto__", ""),
        ("reader:x", WORD), ("reader\0", WORD), ("reader", normalize("NFD", WORD)),
        ("reader", USERS["reader"]),
    )),
    RIGHT.replace("Basic", "Digest"), RIGHT.replace("Basic ", "Basic  "), RIGHT + " ", RIGHT + "=",
    RIGHT[:-1], RIGHT + " x", f"{RIGHT}, {RIGHT}",
    *("Basic " + b64encode(one).decode() for one in (
        b"reader:" + WORD.encode("latin-1"), f"reader:{WORD}".encode("utf-16"), b"\xff\xfe\xfd",
    )),
]  # fmt: skip


def test_the_right_password_opens_and_finds_the_page_of_a_folder(asked):
    pages = asked(
        "Doorkeeper", USERS,
        request("/", basic("reader", WORD)), request("/kpi/csat.html", basic("reader", WORD)),
    )  # fmt: skip
    assert [page["uri"] for page in pages] == ["/index.html", "/kpi/csat.html"]


def test_anything_else_is_answered_with_a_question_and_no_page(asked):
    answers = asked("Doorkeeper", USERS, *(request("/index.html", one) for one in OTHERS))
    for given, answer in zip(OTHERS, answers, strict=True):
        assert answer["statusCode"] == 401 and "uri" not in answer, given
        assert answer["headers"]["www-authenticate"]["value"].startswith("Basic ")
        assert answer["headers"]["cache-control"]["value"] == "no-store"


def test_whoever_asks_the_same_work_is_done(asked):
    """So that the time until an answer tells neither a name nor how near a password was."""
    given = [*OTHERS, basic("reader", WORD), basic("nobody", WORD)]
    answers = asked("Doorkeeper", USERS, *(request("/", one) for one in given))
    assert {answer["hashes"] for answer in answers} == {3}


def test_no_hash_is_compared_with_what_a_visitor_sent():
    """Comparing two texts stops at the first sign that differs; hashes of hashes may."""
    compared = re.findall(r"(\S+) === (\S+)", code("Doorkeeper"))
    assert ("hash)", "&&") not in compared
    assert re.search(r"sha256\(salt \+ found\) === sha256\(salt \+ hash\)", code("Doorkeeper"))
    assert not re.search(r"\b(found|hash|pair) ?===|=== ?(found|hash|pair)\b", code("Doorkeeper"))


@pytest.mark.parametrize("seed", range(thorough.tries(1, 40)))
def test_of_many_names_and_passwords_in_any_script_only_the_right_ones_open(asked, seed):
    chance = Random(seed)
    people = {_word(chance, 1, 12): _word(chance, 12, 40) for _ in range(50)}
    users = {normalize("NFC", user): hashed(user, word, f"{chance.getrandbits(128):032x}")
             for user, word in people.items()}  # fmt: skip
    right = [basic(normalize("NFC", user), normalize("NFC", word)) for user, word in people.items()]
    wrong = [one for each in right for one in _altered(chance, each)]
    answers = asked("Doorkeeper", users, *(request("/", one) for one in (*right, *wrong)))
    opened = ["uri" in answer for answer in answers]
    assert opened == [True] * len(right) + [False] * len(wrong)
    assert len(wrong) > 4 * len(right)


def _word(chance: Random, least: int, most: int) -> str:
    letters = "abcXYZ019 -_.+/=éüßñ漢字🎉ا҉e\u0301ﬁ"
    return "".join(chance.choice(letters) for _ in range(chance.randint(least, most)))


def _altered(chance: Random, right: str) -> Iterable[str]:
    """Near misses of an answer: a letter other, gone, more, swapped; another's name or alphabet."""
    pair = right.removeprefix("Basic ")
    at = chance.randrange(len(pair) - 4)
    other = chance.choice([letter for letter in "ABCwxyz089" if letter != pair[at]])
    yield f"Basic {pair[:at]}{other}{pair[at + 1 :]}"
    yield f"Basic {pair[:at]}{pair[at + 1 :]}"
    yield f"Basic {pair[:at]}{other}{pair[at:]}"
    yield f"Basic {pair[4:]}"
    yield f"basic {pair}\t"
    if pair.translate(URL_SAFE) != pair:
        yield f"Basic {pair.translate(URL_SAFE)}"


URL_SAFE = str.maketrans("+/", "-_")  # the other alphabet of Base64


def test_without_a_reader_the_site_is_closed(asked):
    (answer,) = asked("Doorkeeper", {}, request("/", basic("reader", WORD)))
    assert answer["statusCode"] == 401


def test_a_public_site_only_finds_the_page(asked):
    (page,) = asked("Doorman", {}, request("/reports/"))
    assert page["uri"] == "/reports/index.html"


@pytest.mark.parametrize("name", ["Doorkeeper", "Doorman"])
def test_the_code_has_only_what_cloudfront_s_javascript_knows(name):
    """ES 5.1 with const, let, async, await, arrows, templates (its documentation says what else);
    a function that it cannot read fails the deploy. Node reads them all, so it cannot tell."""
    bare = re.sub(r"//[^\n]*|'[^']*'", "", code(name))
    for unknown in (
        r"(?:const|let|var) [\[{]", r"\bclass\b", r"\?\.", r"\?\?", r"\bof\b", r"\.\.\.",
        r"\byield\b", r"\((?:[^()]*, )?await\b", r"async \(", r"\bcatch \{", r"\brequire\b",
    ):  # fmt: skip
        assert not re.search(unknown, bare), unknown
    assert len(RESOURCES[name]["Properties"]["FunctionCode"].encode()) < 10_240, (
        "CloudFront's limit"
    )


def test_a_short_password_or_a_name_with_a_colon_is_refused():
    for user, word in (
        ("reader", "short"), ("reader", ""), ("a:b", WORD), ("", WORD), ("reader", WORD + "\r"),
        ("rea\nder", WORD), ("reader", WORD + "\0"),
    ):  # fmt: skip
        with pytest.raises(BadSettings):
            hashed(user, word, "salt")


def test_a_letter_typed_as_two_signs_is_what_browsers_send():
    decomposed = normalize("NFD", WORD)
    assert decomposed != WORD
    assert hashed("jürgen", decomposed, "5a17") == hashed("ju\u0308rgen", WORD, "5a17")


def test_the_site_says_the_same_of_its_files_in_aws_as_on_a_laptop():
    for name in ("SiteHeaders", "AssetHeaders"):
        told = RESOURCES[name]["Properties"]["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
        policy = told["ContentSecurityPolicy"]["ContentSecurityPolicy"]
        assert policy == HEADERS["Content-Security-Policy"]
    assert set(pages.policy().split("; ")) - set(policy.split("; ")) == {"script-src 'self'"}
