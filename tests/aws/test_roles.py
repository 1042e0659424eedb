"""Requests as functions send them → the rights they need; roles with too little and too much."""

from __future__ import annotations

import json

import pytest
from calls import Call, calls
from recorder import Request
from roles import Allowance, missing, unused

LAKE = "arn:aws:s3:::lake"
HERE = "eu-central-1:000000000000"


def request(
    service: str, method: str, path: str, body: object = None, status: int = 200, **headers: str
) -> Request:
    sent = b"" if body is None else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request("KEY", service, method, path, named, sent, status)


@pytest.mark.parametrize(
    ("asked", "needed"),
    [
        (request("s3", "GET", "/lake?list-type=2&prefix=state/"), {("s3:ListBucket", LAKE)}),
        (request("s3", "GET", "/lake/config/a%20b"), {("s3:GetObject", f"{LAKE}/config/a b")}),
        (request("s3", "HEAD", "/lake/tables/x"), {("s3:GetObject", f"{LAKE}/tables/x")}),
        (
            request("s3", "GET", "/lake/no/such", status=404),
            {("s3:GetObject", f"{LAKE}/no/such"), ("s3:ListBucket", LAKE)},
        ),
        (request("s3", "PUT", "/lake/state/x.json"), {("s3:PutObject", f"{LAKE}/state/x.json")}),
        (request("s3", "DELETE", "/lake/a?versionId=1"), {("s3:DeleteObjectVersion", f"{LAKE}/a")}),
        (
            request("ssm", "POST", "/", {"Name": "/muster/X"}, x_amz_target="S.GetParameter"),
            {("ssm:GetParameter", f"arn:aws:ssm:{HERE}:parameter/muster/X")},
        ),
        (
            request("ses", "POST", "/v2/email/outbound-emails",
                    {"FromEmailAddress": "a@b.example", "ConfigurationSetName": "mails"}),
            {("ses:SendEmail", f"arn:aws:ses:{HERE}:identity/a@b.example"),
             ("ses:SendEmail", f"arn:aws:ses:{HERE}:configuration-set/mails")},
        ),
        (
            request("ses", "POST", "/v2/email/outbound-emails",
                    {"FromEmailAddress": "a@b.example", "Content": {"Raw": {"Data": ""}}}),
            {("ses:SendEmail", f"arn:aws:ses:{HERE}:identity/a@b.example"),
             ("ses:SendRawEmail", f"arn:aws:ses:{HERE}:identity/a@b.example")},
        ),
        (
            request("scheduler", "POST", "/schedules/weekly",
                    {"GroupName": "reports", "Target": {"Arn": "m", "RoleArn": "role"}}),
            {("scheduler:CreateSchedule", f"arn:aws:scheduler:{HERE}:schedule/reports/weekly"),
             ("iam:PassRole", "role")},
        ),
        (
            request("scheduler", "DELETE", "/schedules/weekly?groupName=reports"),
            {("scheduler:DeleteSchedule", f"arn:aws:scheduler:{HERE}:schedule/reports/weekly")},
        ),
    ],
)  # fmt: skip
def test_what_a_request_needs(asked: Request, needed: set[tuple[str, str]]) -> None:
    assert set(calls(asked)) == {Call(*one) for one in needed}


def test_a_role_with_too_little_and_too_much_is_told() -> None:
    made = [Call("s3:GetObject", f"{LAKE}/state/x.json"), Call("s3:PutObject", f"{LAKE}/raw/1")]
    allowed = [Allowance("s3:GetObject", f"{LAKE}/*"), Allowance("s3:PutObject", f"{LAKE}/state/*")]
    assert missing(made, allowed) == [made[1]]
    assert unused(made, allowed) == [allowed[1]]
    assert missing(made, [Allowance("s3:*", "*")]) == []
