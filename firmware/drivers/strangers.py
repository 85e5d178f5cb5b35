"""Who else may be at the other end of the line: another kind of machine, or a wrong baud rate."""

_GRBL = (
    "Grbl",
    "GrblHAL",
    "grblHAL",
    "<Idle",
    "<Alarm",
    "<Run",
    "<Hold",
    "ALARM:",
    "error:",
    "[MSG:",
)
_MARLIN = ("Marlin", "echo:", "ok T:", "ok B:", " T:", "FIRMWARE_NAME:", "Error:", "Resend:", "// ")
_TOLD = (
    ("grbl", _GRBL, "answers as a GRBL mill: this machine is set up as a printer"),
    ("marlin", _MARLIN, "answers as a printer: this machine is set up as a mill"),
)
GARBLED = "what arrives cannot be read: check baud rate and cable"
ENOUGH = 4  # such lines in a row, with nothing readable between


class Stranger:
    """Listens to lines the driver does not know. dialect: what is expected, grbl or marlin."""

    def __init__(self, dialect: str) -> None:
        self._dialect = dialect
        self._said = ""
        self._n = 0

    def known(self) -> None:
        """A line as expected came."""
        self._n = 0
        self._said = ""

    def garbled(self) -> str:
        """Bytes came that are no line; as ``take``."""
        return self._count(GARBLED)

    def take(self, text: str) -> str:
        """Why this is not the machine expected, said once; "" while that is not sure."""
        for dialect, starts, words in _TOLD:
            if dialect != self._dialect and any([text.startswith(s) for s in starts]):
                return self._count(words)
        if text.count("?") * 3 > len(text):
            return self._count(GARBLED)
        return ""

    def _count(self, words: str) -> str:
        self._n += 1
        if self._n < ENOUGH or words == self._said:
            return ""
        self._said = words
        return words
