"""Web Push's encryption and the sender's identity, held against the standards' own examples."""

from __future__ import annotations

import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from notifications import vapid
from notifications.delivery.push_encryption import MAX_PLAIN_BYTES, encrypt, read_point
from notifications.vapid import decode, encode
from tests.push import CURVE, Browser

PLAIN = b"When I grow up, I want to be a watermelon"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
BROWSER_KEY = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
BROWSER_POINT = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
SERVER_KEY = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
SALT = "DGv6ra1nlYgDCS1FRnbzlw"
BODY = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl"
    "7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)
"""All of RFC 8291, section 5."""


def private(text: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(decode(text), "big"), CURVE)


def test_the_example_of_rfc_8291() -> None:
    body = encrypt(
        PLAIN,
        browser=read_point(decode(BROWSER_POINT)),
        auth=decode(AUTH),
        ours=private(SERVER_KEY),
        salt=decode(SALT),
    )
    assert encode(body) == BODY


def test_the_browser_of_our_tests_reads_the_example() -> None:
    browser = Browser("https://push.example.net/", auth=decode(AUTH), key=private(BROWSER_KEY))
    assert encode(browser.point) == BROWSER_POINT
    assert browser.decrypt(decode(BODY)) == PLAIN


@given(st.binary(max_size=MAX_PLAIN_BYTES))
def test_what_is_encrypted_is_read(plain: bytes) -> None:
    browser = Browser("https://push.example.net/")
    body = encrypt(plain, browser=read_point(browser.point), auth=browser.auth)
    assert browser.decrypt(body) == plain
    assert len(body) <= 4096


def test_no_two_messages_have_the_same_key_or_salt() -> None:
    browser = Browser("https://push.example.net/")
    one, two = (encrypt(b"x", browser=read_point(browser.point), auth=browser.auth) for _ in range(2))
    assert one[:16] != two[:16]
    assert one[21:86] != two[21:86]


def test_what_no_service_takes_is_refused() -> None:
    browser = Browser("https://push.example.net/")
    with pytest.raises(ValueError, match="at most"):
        encrypt(b"x" * (MAX_PLAIN_BYTES + 1), browser=read_point(browser.point), auth=browser.auth)


def test_a_point_off_the_curve_is_refused() -> None:
    """Else a made-up key could find out ours (an invalid-curve attack)."""
    point = bytearray(decode(BROWSER_POINT))
    point[-1] ^= 1
    for wrong in (bytes(point), b"", decode(BROWSER_POINT)[:-1], b"\x00" * 65):
        with pytest.raises(ValueError):  # noqa: PT011 - the library's own words
            read_point(wrong)


def test_the_sender_says_who_it_is_and_for_whom() -> None:
    key, now = vapid.new_private_key(), int(time.time())
    header = vapid.authorization(
        "https://push.example.net:8443/send/1?x=2", private_key=key, contact="mailto:a@b.org", now=now
    )
    token, _, point = header.removeprefix("vapid t=").partition(", k=")
    public = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, decode(point))
    claims = jwt.decode(token, public, algorithms=["ES256"], audience="https://push.example.net:8443")
    assert claims["sub"] == "mailto:a@b.org"
    assert 0 < claims["exp"] - now <= 24 * 60 * 60
    assert jwt.get_unverified_header(token) == {"alg": "ES256", "typ": "JWT"}
    assert point == vapid.public_key(key)


@pytest.mark.parametrize("key", ["", "short", "!" * 43, "A" * 43, "_" * 43, "é" * 43, "A" * 87])
def test_keys_that_are_none(key: str) -> None:
    """ "AAA…" is the number 0, "___…" one beyond the curve's order."""
    with pytest.raises(ValueError, match="vapid_keys"):
        vapid.check_private_key(key)


@pytest.mark.parametrize(
    "contact", ["", "admin@example.org", "mailto:admin", "http://example.org", "mailto:a@b\nc"]
)
def test_contacts_that_are_none(contact: str) -> None:
    with pytest.raises(ValueError, match="write it like"):
        vapid.check_contact(contact)
