"""What is refused at the door is told in the log, a flood of it by its count."""

from structlog.testing import capture_logs

from chatbot.channels.inbox.refusals import LINES, LINES_EACH, Refusals
from chatbot.core.ids import new_id


def test_a_flood_is_told_in_a_few_lines_and_a_number() -> None:
    now = [0.0]
    refusals, channel = Refusals(clock=lambda: now[0]), new_id()
    with capture_logs() as logs:
        for _ in range(1_000):
            refusals.note("telegram", "refused_wrong", channel)
            refusals.note("telegram", "unknown", new_id())
        refusals.note("telegram", "malformed", channel)
        now[0] = 61.0
        refusals.note("telegram", "refused_wrong", channel)
    told = [line["reason"] for line in logs if line["event"] == "webhook refused"]
    assert told.count("refused_wrong") == LINES_EACH + 1
    assert told.count("unknown") == LINES_EACH
    assert told.count("malformed") == 1, "another reason is told all the same"
    (number,) = [line["refused"] for line in logs if line["event"] == "webhooks refused, more than were told"]
    assert number == 2_000 - 2 * LINES_EACH


def test_a_flood_over_many_channels_is_bounded_too() -> None:
    refusals = Refusals(clock=lambda: 0.0)
    with capture_logs() as logs:
        for _ in range(1_000):
            refusals.note("telegram", "refused_wrong", new_id())
    assert len(logs) == LINES


def test_what_is_no_type_of_ours_is_not_repeated() -> None:
    with capture_logs() as logs:
        Refusals().note("x\n{forged}", "unknown", None)
    assert logs[0]["channel_type"] == "unknown"
