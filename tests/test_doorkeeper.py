"""The site's doorkeeper, as CloudFront runs it: in JavaScript, on a store of salted hashes."""

from __future__ import annotations

import json
import shutil
import subprocess
from base64 import b64encode
from pathlib import Path

import pytest
import yaml

from muster.account.readers import hashed
from muster.errors import BadSettings
from muster.reports import pages
from muster.serving import HEADERS

HOUSE = Path(__file__).resolve().parents[1]
NODE = shutil.which("node")
WORD = "correct horse ünd battery"
# CloudFront's own modules, as far as the function may use them: its store, and Node's crypto.
RUN = """
import crypto from 'crypto';
const stored = new Map(Object.entries(JSON.parse(process.argv[1])));
const cf = {kvs: () => ({get: async (key) => {
  if (!stored.has(key)) throw new Error('KeyNotFound');
  return stored.get(key);
}})};
%s
const answers = [];
for (const request of JSON.parse(process.argv[2])) answers.push(await handler({request}));
console.log(JSON.stringify(answers));
"""


class Template(yaml.SafeLoader):
    """CloudFormation's short forms are left out: the functions' code has none."""


Template.add_multi_constructor("!", lambda *_: None)


def code(name: str) -> str:
    resources = yaml.load((HOUSE / "template.yaml").read_text("utf-8"), Loader=Template)
    found: str = resources["Resources"][name]["Properties"]["FunctionCode"]
    return "\n".join(line for line in found.splitlines() if not line.startswith("import "))


def asked(
    name: str, users: dict[str, str], *requests: dict[str, object]
) -> list[dict[str, object]]:
    """What a function answers to each request of a viewer."""
    if NODE is None:
        pytest.skip("no node on the path: it runs CloudFront's JavaScript")
    ended = subprocess.run(
        [NODE, "--input-type=module", "-e", RUN % code(name), json.dumps(users),
         json.dumps(requests)],
        capture_output=True, text=True,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    found: list[dict[str, object]] = json.loads(ended.stdout)
    return found


def request(uri: str = "/", authorization: str | None = None) -> dict[str, object]:
    headers = {"authorization": {"value": authorization}} if authorization else {}
    return {"method": "GET", "uri": uri, "headers": headers}


def basic(user: str, word: str) -> str:
    return "Basic " + b64encode(f"{user}:{word}".encode()).decode()


USERS = {"reader": hashed("reader", WORD, "5a17"), "broken": "no hash", "empty": ":"}


def test_the_right_password_opens_and_finds_the_page_of_a_folder() -> None:
    pages = asked(
        "Doorkeeper", USERS,
        request("/", basic("reader", WORD)), request("/kpi/csat.html", basic("reader", WORD)),
    )  # fmt: skip
    assert [page["uri"] for page in pages] == ["/index.html", "/kpi/csat.html"]


@pytest.mark.parametrize(
    "given",
    [
        None, "", "Basic", "Basic ", "Basic ::::", "Basic e30=", "Bearer x",
        basic("reader", WORD + " "), basic("Reader", WORD), basic("", ""), basic("reader", ""),
        basic("broken", "no hash"), basic("empty", ""), basic("toString", "x"),
        basic("reader:x", WORD), basic("reader", WORD).replace("Basic", "Digest"),
        basic("reader", WORD).replace("Basic ", "Basic  "),
    ],
)  # fmt: skip
def test_anything_else_is_answered_with_a_question_and_no_page(given: str | None) -> None:
    (answer,) = asked("Doorkeeper", USERS, request("/index.html", given))
    assert answer["statusCode"] == 401
    assert "uri" not in answer
    assert answer["headers"]["www-authenticate"]["value"].startswith("Basic ")  # type: ignore[index]


def test_without_a_reader_the_site_is_closed() -> None:
    (answer,) = asked("Doorkeeper", {}, request("/", basic("reader", WORD)))
    assert answer["statusCode"] == 401


def test_a_public_site_only_finds_the_page() -> None:
    (page,) = asked("Doorman", {}, request("/reports/"))
    assert page["uri"] == "/reports/index.html"


def test_a_short_password_or_a_name_with_a_colon_is_refused() -> None:
    for user, word in (("reader", "short"), ("a:b", WORD), ("", WORD)):
        with pytest.raises(BadSettings):
            hashed(user, word, "salt")


def test_the_site_says_the_same_of_its_files_in_aws_as_on_a_laptop() -> None:
    found = yaml.load((HOUSE / "template.yaml").read_text("utf-8"), Loader=Template)["Resources"]
    for name in ("SiteHeaders", "AssetHeaders"):
        told = found[name]["Properties"]["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
        policy = told["ContentSecurityPolicy"]["ContentSecurityPolicy"]
        assert policy == HEADERS["Content-Security-Policy"]
    assert set(pages.policy().split("; ")) - set(policy.split("; ")) == {"script-src 'self'"}
