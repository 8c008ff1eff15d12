"""Seconds that are promised: as they stand by `make test-faults`, which runs alone; fourfold beside other tests."""

import os

ALONE = "XIN_TEST_KILLS" in os.environ


def at_most(seconds: float) -> float:
    """Return the bound to hold a promise of so many seconds to."""
    return seconds if ALONE else 4 * seconds
