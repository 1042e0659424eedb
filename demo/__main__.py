"""``python -m demo --serve``: start the simulated platforms and say where they answer."""

from __future__ import annotations

import argparse

from demo import DEFAULT_NOW
from demo.exchange import stamp, unstamp
from demo.project import TOKENS
from demo.server import serve


def main() -> None:
    """Read the arguments and serve until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--serve", action="store_true", help="start the server")
    parser.add_argument("--port", type=int, default=0, help="port on loopback; 0: a free one")
    parser.add_argument("--now", default=stamp(DEFAULT_NOW), help="the simulated instant")
    parser.add_argument("--unlimited", action="store_true", help="no rate limits")
    chosen = parser.parse_args()
    now = unstamp(chosen.now)
    if now is None:
        parser.error(f"{chosen.now!r} is no time: write 2026-11-23T06:00:00Z")
    if not chosen.serve:
        tokens = "\n".join(f"  {name}={value}" for name, value in TOKENS.items())
        parser.exit(0, f"{parser.format_help()}\ntokens of the three platforms:\n{tokens}\n")
    try:
        serve(now, chosen.port, are_limited=not chosen.unlimited)
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
