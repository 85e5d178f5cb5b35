"""Signatures of firmware: published vectors, another implementation, and everything forged."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.p256 import verify

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
PRIME = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
# RFC 6979, A.2.5: P-256 with SHA-256
KEY = bytes.fromhex(
    "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
    "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299"
)
PUBLISHED = (
    (
        b"sample",
        "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
        "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
    ),
    (
        b"test",
        "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367"
        "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083",
    ),
)
MICROPYTHON = Path(sys.executable).with_name("micropython")
ROOT = Path(__file__).parents[2]


def number(value):
    return value.to_bytes(32, "big")


def digest(message):
    return hashlib.sha256(message).digest()


@pytest.mark.parametrize(("message", "signature"), PUBLISHED)
def test_published_vectors(message, signature):
    assert verify(KEY, digest(message), bytes.fromhex(signature))
    assert not verify(KEY, digest(message + b"."), bytes.fromhex(signature))


def signed_by(secret, message):
    private = ec.derive_private_key(secret, ec.SECP256R1())
    public = private.public_key().public_numbers()
    r, s = decode_dss_signature(private.sign(message, ec.ECDSA(hashes.SHA256())))
    return number(public.x) + number(public.y), number(r) + number(s)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, ORDER - 1), st.binary(max_size=40), st.integers(0, 64 * 8 - 1))
def test_agrees_with_cryptography_and_any_flipped_bit_is_seen(secret, message, bit):
    key, signature = signed_by(secret, message)
    assert verify(key, digest(message), signature)
    forged = bytearray(signature)
    forged[bit // 8] ^= 1 << bit % 8
    assert not verify(key, digest(message), bytes(forged))


@pytest.mark.parametrize("secret", [1, 2, 3, ORDER - 1, ORDER - 2])
def test_keys_at_the_edges_of_the_group(secret):
    for message in (b"", b"a", b"b"):
        key, signature = signed_by(secret, message)
        assert verify(key, digest(message), signature)


def forgeries():
    message, text = PUBLISHED[0]
    good, r, s = digest(message), bytes.fromhex(text)[:32], bytes.fromhex(text)[32:]
    zero, order = bytes(32), number(ORDER)
    yield "no signature", KEY, good, b""
    yield "short", KEY, good, (r + s)[:-1]
    yield "long", KEY, good, r + s + b"\0"
    yield "r is zero", KEY, good, zero + s
    yield "s is zero", KEY, good, r + zero
    yield "both are zero", KEY, good, zero + zero
    yield "r is the order", KEY, good, order + s
    yield "s is the order", KEY, good, r + order
    yield "all ones", KEY, good, b"\xff" * 64
    yield "r and s changed round", KEY, good, s + r
    yield "no key", b"", good, r + s
    yield "key of zeros", bytes(64), good, r + s
    yield "key off the curve", KEY[:-1] + bytes([KEY[-1] ^ 1]), good, r + s
    yield "key not reduced", number(PRIME) + KEY[32:], good, r + s
    yield "key with its marker", b"\x04" + KEY, good, r + s
    yield "digest is short", KEY, good[:31], r + s
    yield "digest is zero", KEY, zero, r + s


@pytest.mark.parametrize(
    ("key", "told", "signature"), [f[1:] for f in forgeries()], ids=[f[0] for f in forgeries()]
)
def test_what_is_malformed_or_forged_is_refused(key, told, signature):
    assert verify(key, told, signature) is False


def test_the_twin_of_s_is_the_same_signature():
    """(r, n - s) is valid wherever (r, s) is; a manifest gains nothing by it."""
    message, text = PUBLISHED[0]
    r, s = bytes.fromhex(text)[:32], int(text[64:], 16)
    assert verify(KEY, digest(message), r + number(ORDER - s))


def test_the_same_on_micropython():
    message, text = PUBLISHED[1]
    script = (
        "from binascii import unhexlify as u; from protocols.p256 import verify; "
        f"k, d, s = u('{KEY.hex()}'), u('{digest(message).hex()}'), u('{text}'); "
        "print(verify(k, d, s), verify(k, d, s[32:] + s[:32]), verify(k, d[1:] + d[:1], s))"
    )
    done = subprocess.run(
        [str(MICROPYTHON), "-X", "heapsize=64k", "-c", script],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        cwd=ROOT,
    )
    assert (done.stdout.strip(), done.stderr) == ("True False False", "")
