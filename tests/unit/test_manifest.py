"""The manifest of a release: one form, one signature, no path that leads out of the slot."""

import pytest

from protocols import manifest
from protocols.errors import WireError
from support.releases import SIGNER, Signer, files_of, modules, release

FILES = files_of(modules("0.2.0"))


def lines(version="0.2.0", files=FILES):
    return SIGNER.sign(manifest.body(version, files)).splitlines(keepends=True)


def refused(text, field=None, key=SIGNER.key):
    with pytest.raises(WireError) as error:
        manifest.read(text, key)
    assert field is None or error.value.field == field, str(error.value)
    return str(error.value)


def test_what_is_written_is_read():
    head = manifest.read(lines(), SIGNER.key)
    assert head == {"v": 1, "version": "0.2.0", "files": 3}
    assert [manifest.file_of(line)["path"] for line in lines()[1:-1]] == sorted(modules("0.2.0"))


def test_another_key_is_not_trusted():
    assert "key this machine trusts" in refused(lines(), "sig", Signer(8).key)


def test_every_byte_counts():
    whole = b"".join(lines())
    for place in range(0, len(whole), 7):
        spoiled = bytearray(whole)
        spoiled[place] ^= 1
        refused(bytes(spoiled).splitlines(keepends=True))


def test_lines_cannot_be_left_out_added_or_moved():
    good = lines()
    for n in range(len(good)):
        refused(good[:n] + good[n + 1 :])
        refused(good[: n + 1] + good[n:])
        refused(good[:n])
    refused([good[0], good[2], good[1], *good[3:]], "path")
    refused([*good, b"{}\n"])


def unsafe():
    for path in ("/etc/passwd.py", "../main.py", "firmware/../main.py", "main.py", "boot-0"):
        yield path
    for path in ("firmware//x.py", "firmware/x", "firmware/.py", "firmware/x.so"):
        yield path
    yield "firmware/\u00e4.py"
    yield "firmware/x.py.sh"
    yield "firmware/a b.py"


@pytest.mark.parametrize("path", list(unsafe()))
def test_a_path_out_of_the_slot_is_refused_although_signed(path):
    text = SIGNER.sign(manifest.body("0.2.0", [{"path": path, "size": 1, "sha": "a" * 64}]))
    assert "is not a module below the slot" in refused(text.splitlines(keepends=True), "path")


@pytest.mark.parametrize("version", ["", "1", "1.2", "1.2.3.4", "1.2.x", "-1.2.3", "1.2.123456"])
def test_a_version_is_three_numbers(version):
    with pytest.raises(WireError, match=r"as 1\.2\.3"):
        manifest.body(version, FILES)


def test_versions_compare_as_numbers():
    assert manifest.version_of("0.10.0") > manifest.version_of("0.9.9")


def test_signed_but_in_another_form_is_refused():
    """White space or another order of keys is no second way to say the same."""
    text = manifest.body("0.2.0", FILES).replace(b'{"v":1,', b'{"v": 1,')
    assert "canonical" in refused(SIGNER.sign(text).splitlines(keepends=True))


def test_a_release_for_a_test_is_sound():
    told, served = release("0.3.0")
    text = served[told["url"]]
    assert manifest.read(text.splitlines(keepends=True), SIGNER.key)["version"] == "0.3.0"
