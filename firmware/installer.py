"""Brings a signed release into the slot not in use; loaded only when an update is asked for."""

import hashlib
import os
from binascii import hexlify

from firmware.flash import Flash, make_folder
from firmware.net import Refused
from firmware.version import VERSION
from protocols import manifest
from protocols.errors import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Awaitable, Callable

    from protocols.records import Record

    Fetch = Callable[[Any, Record], Awaitable[None]]  # into an open file; raise OSError, Refused

_CHUNK_BYTES = 512
_NEW = manifest.NAME + ".new"


class SlotFlash(Flash):
    """Files of one slot, in folders of their own."""

    def open(self, name: str, mode: str) -> "Any":
        """Open a file in a binary mode, making its folders to write it."""
        if mode == "wb" and "/" in name:
            make_folder(self.folder + "/" + name.rpartition("/")[0])
        return Flash.open(self, name, mode)

    def names(self) -> "list[str]":
        """Paths of all files, sorted."""
        return sorted(self._below(""))

    def _below(self, folder: str) -> "list[str]":
        found: "list[str]" = []
        for name in os.listdir(self.folder + "/" + folder):
            path = folder + name
            if os.stat(self.folder + "/" + path)[0] & 0x4000:
                found += self._below(path + "/")
            else:
                found.append(path)
        return found


def _sha_of(flash: "Any", path: str) -> str:
    total = hashlib.sha256()
    with flash.open(path, "rb") as file:
        part = file.read(_CHUNK_BYTES)
        while part:
            total.update(part)
            part = file.read(_CHUNK_BYTES)
    return hexlify(total.digest()).decode()


class Installer:
    """Brings a release into a slot; ``note`` is told how far it is."""

    def __init__(
        self, slot: "Any", key: bytes, fetch: "Fetch", note: "Callable[[str], None]"
    ) -> None:
        self._slot = slot
        self._key = key
        self._fetch = fetch
        self._note = note

    async def install(self, release: "Record", floor: str) -> str:
        """Have a release {url, sha, size} whole in the slot; return its version.

        ``floor`` is the highest version ever confirmed here. Raise Refused, WireError, or OSError
        when it cannot be fetched or written; the slot is then not whole.
        """
        for name in [manifest.NAME] + self._slot.names():
            self._slot.remove(name)
        await self._get(release["url"], dict(release, path=_NEW))
        head = self._judge(floor)
        base = release["url"].rpartition("/")[0] + "/"
        with self._slot.open(_NEW, "rb") as lines:
            lines.readline()
            for n in range(head["files"]):
                file = manifest.file_of(lines.readline())
                self._note("{}: file {} of {}".format(head["version"], n + 1, head["files"]))
                await self._get(base + file["path"], file)
        self._slot.rename(_NEW, manifest.NAME)
        return head["version"]

    def _judge(self, floor: str) -> "Record":
        """Head of the manifest fetched, if it may be installed; raise Refused."""
        try:
            with self._slot.open(_NEW, "rb") as lines:
                head = manifest.read(lines, self._key)
        except WireError as error:
            raise Refused("manifest: {}".format(error))
        asked = manifest.version_of(head["version"])
        if head["version"] == VERSION:
            raise Refused("{} is what runs here".format(VERSION))
        for least in (floor, VERSION):
            if asked < manifest.version_of(least):
                raise Refused("{} is older than {}".format(head["version"], least))
        return head

    async def _get(self, url: str, file: "Record") -> None:
        """Fetch one file and read it back; raise OSError."""
        path = file["path"]
        with self._slot.open(path, "wb") as out:
            await self._fetch(out, {"url": url, "size": file["size"], "sha": file["sha"]})
            self._slot.sync(out)
        if self._slot.size(path) != file["size"] or _sha_of(self._slot, path) != file["sha"]:
            raise Refused(path + " does not match its hash")
