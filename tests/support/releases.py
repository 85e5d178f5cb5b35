"""Signed firmware releases small enough to write down, and how a test fetches them."""

import hashlib

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from protocols import manifest

URL = "http://h/firmware/"


def number(value):
    return value.to_bytes(32, "big")


class Signer:
    """A key of a site."""

    def __init__(self, secret=7):
        self.private = ec.derive_private_key(secret, ec.SECP256R1())
        public = self.private.public_key().public_numbers()
        self.key = number(public.x) + number(public.y)

    def sign(self, text):
        der = self.private.sign(text, ec.ECDSA(hashes.SHA256()))
        return manifest.signed(text, b"".join(map(number, decode_dss_signature(der))))


SIGNER = Signer()


def sha(data):
    return hashlib.sha256(data).hexdigest()


def modules(version):
    """Files of a release: enough to have folders in folders."""
    return {
        "firmware/app.py": f"# {version}\n".encode() * 40,
        "firmware/drivers/marlin.py": version.encode(),
        "protocols/errors.py": b"",
    }


def files_of(files):
    return [{"path": p, "size": len(d), "sha": sha(d)} for p, d in files.items()]


def release(version, files=None, signer=SIGNER):
    """(release record, what the server holds by URL)."""
    files = modules(version) if files is None else files
    text = signer.sign(manifest.body(version, files_of(files)))
    base = URL + version + "/"
    served = {base + path: data for path, data in files.items()}
    served[base + "manifest"] = text
    return {
        "url": base + "manifest",
        "sha": sha(text),
        "size": len(text),
        "version": version,
    }, served
