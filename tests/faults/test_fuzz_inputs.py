"""Whatever comes in by any door: no crash, no hang, one clear error or a reason in quarantine.

A share of the million inputs that ``make fuzz`` tries, other ones on every run.
"""

from __future__ import annotations

import secrets
import time

import pytest
from doors import doors, try_one
from thorough import tries

SHARE, AT_LEAST = tries(1_000, 60_000) / 1_000_000, tries(1, 20)
LONGEST = 20  # seconds; the slowest of a million took less than one
DOORS = doors()


@pytest.mark.parametrize("name", DOORS)
def test_bad_input_is_told_and_costs_only_itself(name: str) -> None:
    door, share = DOORS[name]
    seed = secrets.randbelow(10**9)
    for number in range(max(AT_LEAST, round(share * SHARE))):
        began = time.monotonic()
        try:
            try_one(door, name, seed, number)
        except Exception as error:
            again = f'tests/faults/fuzz.py --seed {seed} --only "{name}" --number {number}'
            raise AssertionError(f"again: {again}") from error
        assert time.monotonic() - began < LONGEST, (seed, number)


def test_there_are_a_million_inputs_and_a_door_for_every_platform() -> None:
    assert sum(share for _, share in DOORS.values()) >= 1_000_000
    assert len([name for name in DOORS if name.startswith("mapping ")]) >= 29
