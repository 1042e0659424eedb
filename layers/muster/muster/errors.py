"""The error tree: every error Muster raises on purpose, sorted by what to do about it.

MusterError
├── Abort              stop this command; nothing was half-written
│   ├── BadSettings      muster.yaml or the command line is wrong (file, line, fix)   exit code 2
│   ├── BadKpi           a KPI's .sql or its header is wrong (file, fix)               exit code 2
│   ├── BadImport        a file cannot be taken (file, line, column)                   exit code 2
│   ├── StoreRefused     the lake cannot be written, or ignores conditional writes     exit code 1
│   └── AccountRefused   AWS refuses: no credentials, no right, no such stack          exit code 1
├── Retry              the same call may succeed later
│   ├── Conflict         somebody else wrote the object first: read and merge again
│   ├── RateLimited      the platform says wait (seconds)
│   └── Unavailable      timeout, 5xx, cut or unreadable answer
└── Skip               this one is out, its neighbours pass
    ├── SourceFailed     one source is out (wrong token, unreachable host, its tables unreadable)
    │   ├── WrongClock     this computer's clock is not the platform's: nothing may go by it
    │   └── Rejected       the platform refuses one request (its status; 404 and 410: gone)
    ├── Refused          one item cannot be mapped; it goes to quarantine with its reason
    ├── Undeliverable    one address gets no mail; the next report says so
    └── MaybeSent        a mail's sending broke off: it is not sent a second time unasked

A message says what happened, where, and what to do.
"""

from __future__ import annotations

INTERRUPTED = 130  # the exit code of whatever Ctrl-C ended


class MusterError(Exception):
    """Any error raised on purpose; ``exit_code`` is what the CLI returns for it."""

    exit_code = 1


class Abort(MusterError):
    """Stop this command."""


class BadSettings(Abort):
    """The settings or the command line are wrong; says file, line and the fix."""

    exit_code = 2


class BadKpi(Abort):
    """A KPI file is wrong; says which and how to mend it."""

    exit_code = 2


class BadImport(Abort):
    """A file to import cannot be taken; says file, line and column."""

    exit_code = 2


class StoreRefused(Abort):
    """The store cannot be written, or does not honour conditional writes."""


class AccountRefused(Abort):
    """AWS refuses: no credentials, no region, no right, no such stack."""


class Retry(MusterError):
    """The same call may succeed later; ``trouble`` is its kind, for reports in any language."""

    trouble = "away"


class Conflict(Retry):
    """The object changed since it was read: read it again and merge again."""


class RateLimited(Retry):
    """The platform asks for a pause of ``seconds``."""

    trouble = "limited"

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


class Unavailable(Retry):
    """A timeout, a 5xx, a cut or unreadable answer."""


class Skip(MusterError):
    """This one is out; its neighbours pass."""


class SourceFailed(Skip):
    """One source cannot be fetched; the others and the report go on. ``trouble`` as in `Retry`."""

    trouble = "failed"


class WrongClock(SourceFailed):
    """This computer's clock is far from the platform's: what goes by the time waits."""


class Rejected(SourceFailed):
    """The platform refuses one request with ``status``; ``body`` is its JSON, if it sent any."""

    def __init__(self, message: str, status: int, body: object = None) -> None:
        super().__init__(message)
        self.status = status
        self.body = body
        self.trouble = {401: "refused", 403: "refused", 404: "gone", 410: "gone"}.get(
            status, "failed"
        )

    @property
    def is_gone(self) -> bool:
        """What was asked for does not exist (any more)."""
        return self.status in (404, 410)


class Refused(Skip):
    """One item cannot be mapped; it goes to quarantine with this reason."""


class Undeliverable(Skip):
    """One address gets no mail; its neighbours get theirs, and the next report says so."""


class MaybeSent(Skip):
    """A mail's sending broke off, and nobody can say whether it left: it is not sent again."""
