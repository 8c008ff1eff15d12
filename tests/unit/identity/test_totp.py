"""One-time codes by the test vectors of their standards."""

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from chatbot.identity import totp

SECRET = base64.b32encode(b"12345678901234567890").decode()
HOTP = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"]
TOTP = {
    59: "94287082", 1111111109: "07081804", 1111111111: "14050471", 1234567890: "89005924", 2000000000: "69279037",
    20000000000: "65353130",
}  # fmt: skip
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def test_the_vectors_of_rfc_4226() -> None:
    assert [totp.code_at(SECRET, count) for count in range(10)] == HOTP


@pytest.mark.parametrize(("seconds", "code"), TOTP.items())
def test_the_vectors_of_rfc_6238(seconds: int, code: str) -> None:
    step = totp.step_of(datetime.fromtimestamp(seconds, UTC))
    assert totp.code_at(SECRET, step, digits=8) == code


@pytest.mark.parametrize(("off", "good"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
def test_a_clock_may_be_off_by_one_step(off: int, good: bool) -> None:
    code = totp.code_at(SECRET, totp.step_of(NOON + timedelta(seconds=off)))
    assert (totp.matching_step(SECRET, code, NOON, 0) is not None) is good


def test_a_step_that_was_used_and_those_before_are_over() -> None:
    now = totp.step_of(NOON)
    for step, used, expected in ((now, now, None), (now - 1, now, None), (now + 1, now, now + 1)):
        assert totp.matching_step(SECRET, totp.code_at(SECRET, step), NOON, used) == expected


@pytest.mark.parametrize("code", ["", "12345", "١٢٣٤٥٦", "abcdef"])
def test_what_is_no_code_matches_nothing(code: str) -> None:
    assert totp.matching_step(SECRET, code, NOON, 0) is None


def test_the_address_for_apps() -> None:
    url = urlsplit(totp.otpauth_url(SECRET, "sara+x@example.com", "Xin"))
    assert (url.scheme, url.netloc, url.path) == ("otpauth", "totp", "/Xin%3Asara%2Bx%40example.com")
    assert parse_qs(url.query) == {"secret": [SECRET], "issuer": ["Xin"], "digits": ["6"], "period": ["30"]}


def test_secrets_are_160_bits_and_fresh() -> None:
    assert len(base64.b32decode(totp.new_secret())) == 20
    assert totp.new_secret() != totp.new_secret()
