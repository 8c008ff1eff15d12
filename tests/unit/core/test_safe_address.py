"""Which URLs and addresses the door for user-given addresses refuses."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.core.safe_address import AddressRefused, is_metadata, is_public, parse_address
from chatbot.core.safe_http import SafeHttp

REFUSED_URLS = [
    "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "javascript:alert(1)", "//example.com/", "",
    "http://", "http:///path", "https://user@example.com/", "https://user:pw@example.com/", "http://example.com@127.0.0.1/",
    "http://exa mple.com/", "http://example.com\\@127.0.0.1/", "http://example.com/\r\nHost: x", "http://exa\u202emple.com/",
    "http://example.com:0/", "http://example.com:99999/", "http://example.com:port/",
    # odd spellings of 127.0.0.1 and friends
    "http://127.1/", "http://0177.0.0.1/", "http://2130706433/", "http://0x7f000001/", "http://0x7f.0.0.1/", "http://127.0.0.01/",
    "http://017700000001/", "http://0/", "http://127.0.0.1.1/", "http://0xA9FEA9FE/", "http://1.2.3/", "http://256.1.1.1/",
    "http://[fe80::1%25eth0]/", "http://[::1", "http://[nonsense]/",
    "http://-bad.com/", "http://a..b/", "http://" + "a" * 64 + ".com/",
    "http://example.com/" + "a" * 3000,
]  # fmt: skip

REFUSED_ADDRESSES = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254", "168.63.129.16",
    "169.254.169.254", "169.254.0.1", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.0.8", "192.0.2.1",
    "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1",
    "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1",
    "255.255.255.255", "::", "::1", "::ffff:127.0.0.1",
    "::ffff:8.8.8.8", "::ffff:0:8.8.8.8", "::127.0.0.1", "::8.8.8.8",
    "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1", "100::1", "2001::1", "2001:0:4136:e378::1", "2001:10::1",
    "2001:20::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254",
    "fe80::1", "fec0::1", "ff02::1", "2a00::5efe:7f00:1", "2a00::200:5efe:a00:1",
]  # fmt: skip

PUBLIC_ADDRESSES = [
    "8.8.8.8",
    "1.1.1.1",
    "93.184.216.34",
    "172.32.0.1",
    "100.128.0.1",
    "168.63.129.17",
    "2606:4700::1111",
    "2a00:1450::1",
]


@pytest.mark.parametrize("url", REFUSED_URLS)
def test_url_is_refused_with_a_reason(url: str) -> None:
    with pytest.raises(AddressRefused) as refused:
        parse_address(url)
    assert len(refused.value.detail) > 20
    assert refused.value.status == 422


@pytest.mark.parametrize("address", REFUSED_ADDRESSES)
def test_address_that_is_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", PUBLIC_ADDRESSES)
def test_public_address(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", REFUSED_ADDRESSES)
def test_literal_is_refused_before_any_connection(address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(AddressRefused, match="private or reserved"):
        SafeHttp().check(f"http://{host}/latest/meta-data/")


def test_international_names_become_ascii() -> None:
    assert parse_address("https://bücher.example/").host == "xn--bcher-kva.example"
    assert parse_address("https://مثال.إختبار/x").host == "xn--mgbh0fb.xn--kgbechtv"
    assert parse_address("https://EXAMPLE.com./").host == "example.com"
    with pytest.raises(AddressRefused):
        SafeHttp().check("http://１２７.０.０.１/")
    with pytest.raises(AddressRefused):
        SafeHttp().check("http://127。0。0。1/")


def test_the_url_keeps_its_path_and_loses_its_fragment() -> None:
    address = parse_address("https://example.com:8443/راهنما/a b?q=سلام&x=%20#top".replace("a b", "a%20b"))
    assert address.url == (
        "https://example.com:8443/%D8%B1%D8%A7%D9%87%D9%86%D9%85%D8%A7/a%20b?q=%D8%B3%D9%84%D8%A7%D9%85&x=%20"
    )
    assert address.wire.host == "example.com"
    assert address.follow("../b").target == "/b"


def test_metadata_is_known_in_both_families() -> None:
    assert is_metadata(ipaddress.ip_address("::ffff:169.254.169.254"))
    assert not is_metadata(ipaddress.ip_address("10.0.0.1"))


@given(st.ip_addresses(v=4))
def test_no_ipv4_inside_ipv6_is_public(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    wrapped = [
        0xFFFF << 32 | number,
        number,
        0x64FF9B << 96 | number,
        0x2002 << 112 | number << 80,
        0x20010000 << 96 | number,
    ]
    assert not any(is_public(ipaddress.IPv6Address(value)) for value in wrapped)


@given(st.text(max_size=80))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        address = parse_address(f"http://{text}")
    except AddressRefused:
        return
    assert address.wire.raw_host == address.host
