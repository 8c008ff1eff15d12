"""The verdict of the load test."""

from tests.load.tally import MAX_P95_MS, kept


def test_a_run_is_judged_by_p95_and_errors() -> None:
    well = [100.0] * 960 + [5000.0] * 40
    assert kept(well, 4)
    assert not kept(well, 5), "0.5% is too much"
    assert not kept([100.0] * 940 + [MAX_P95_MS] * 60, 0)
    assert not kept([], 0), "nothing was measured"
