"""ECDSA signatures over NIST P-256 with SHA-256: verification only (FIPS 186-5, section 6.4.2).

Nothing here is secret, so nothing needs to take constant time. About a second on a board.
Points are (x, y, z) in Jacobian coordinates: the affine point is (x / z**2, y / z**3).
"""

_P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
_GX = 0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296
_GY = 0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5
_NOWHERE = (1, 1, 0)  # the point at infinity

TYPE_CHECKING = False
if TYPE_CHECKING:
    Point = tuple[int, int, int]


def _double(point: "Point") -> "Point":
    x, y, z = point
    if not z or not y:
        return _NOWHERE
    square = y * y % _P
    s = 4 * x * square % _P
    z2 = z * z % _P
    m = 3 * (x - z2) * (x + z2) % _P
    x3 = (m * m - 2 * s) % _P
    return x3, (m * (s - x3) - 8 * square * square) % _P, 2 * y * z % _P


def _add(one: "Point", two: "Point") -> "Point":
    """Sum of any point and one with z = 1 (or nowhere)."""
    if not two[2]:
        return one
    if not one[2]:
        return two
    x, y, z = one
    z2 = z * z % _P
    h = (two[0] * z2 - x) % _P
    r = (two[1] * z2 * z - y) % _P
    if not h:
        return _NOWHERE if r else _double(one)
    h2 = h * h % _P
    h3 = h * h2 % _P
    v = x * h2 % _P
    x3 = (r * r - h3 - 2 * v) % _P
    return x3, (r * (v - x3) - y * h3) % _P, z * h % _P


def _flat(point: "Point") -> "Point":
    """The same point with z = 1."""
    x, y, z = point
    if not z:
        return point
    inverse = pow(z, _P - 2, _P)
    square = inverse * inverse % _P
    return x * square % _P, y * square * inverse % _P, 1


def _is_on_curve(x: int, y: int) -> bool:
    return x < _P and y < _P and (y * y - x * x * x + 3 * x - _B) % _P == 0


def _sum_of_products(a: int, b: int, key: "Point") -> "Point":
    """a * G + b * key, both at once, from the highest bit down."""
    base = (_GX, _GY, 1)
    choice = (_NOWHERE, base, key, _flat(_add(base, key)))
    total = _NOWHERE
    bit = 1 << 255
    while bit:
        total = _double(total)
        total = _add(total, choice[(1 if a & bit else 0) + (2 if b & bit else 0)])
        bit >>= 1
    return total


def verify(key: bytes, digest: bytes, signature: bytes) -> bool:
    """Say whether a signature (r, s: 64 bytes) of a SHA-256 digest is by a key (x, y: 64 bytes)."""
    if len(key) != 64 or len(digest) != 32 or len(signature) != 64:
        return False
    x, y = int.from_bytes(key[:32], "big"), int.from_bytes(key[32:], "big")
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if not _is_on_curve(x, y) or not 0 < r < _N or not 0 < s < _N:
        return False
    inverse = pow(s, _N - 2, _N)
    e = int.from_bytes(digest, "big")
    point = _flat(_sum_of_products(e * inverse % _N, r * inverse % _N, (x, y, 1)))
    return point[2] != 0 and point[0] % _N == r
