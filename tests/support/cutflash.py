"""Flash in memory whose power is cut at a chosen operation: what was not synced may be gone."""

import io


class PowerCut(BaseException):
    """The power went; no code of the firmware may catch this."""


class _File:
    def __init__(self, flash, name):
        self.flash, self.name, self.pending = flash, name, b""

    def write(self, data):
        self.pending += bytes(data)
        self.flash.operation(self)
        return len(data)

    def flush(self):
        pass

    def close(self):
        self.flash.settle(self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class CutFlash:
    """Cut at operation number ``cut_at`` (0 = the first), None = never.

    ``kept`` is the share of unsynced bytes that happens to be on flash after the cut.
    """

    def __init__(self, files=None, cut_at=None, kept=0.0):
        self.files = dict(files or {})
        self.cut_at = cut_at
        self.kept = kept
        self.operations = 0
        self.limit = None  # bytes, None = endless

    def operation(self, file=None):
        """Count one; raise PowerCut when it is the chosen one."""
        if self.operations == self.cut_at:
            if file is not None:
                part = file.pending[: round(len(file.pending) * self.kept)]
                self.files[file.name] = self.files.get(file.name, b"") + part
            raise PowerCut
        self.operations += 1

    def settle(self, file):
        if self.limit and sum(map(len, self.files.values())) + len(file.pending) > self.limit:
            raise OSError(28, "no space")
        self.files[file.name] = self.files.get(file.name, b"") + file.pending
        file.pending = b""

    def after_cut(self, cut_at=None, kept=0.0):
        """The same flash in the next life."""
        return CutFlash(self.files, cut_at, kept)

    def names(self):
        return sorted(self.files)

    def open(self, name, mode):
        if mode == "rb":
            return io.BytesIO(self._content(name))
        if mode == "wb":
            self.operation()
            self.files[name] = b""
        return _File(self, name)

    def sync(self, file):
        self.operation(file)
        self.settle(file)

    def rename(self, old, new):
        self.operation()
        self.files[new] = self.files.pop(old)

    def remove(self, name):
        self.operation()
        self.files.pop(name, None)

    def size(self, name):
        return len(self._content(name))

    def _content(self, name):
        if name not in self.files:
            raise OSError(2, name)
        return self.files[name]
