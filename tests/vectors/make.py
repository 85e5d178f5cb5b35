"""Golden files of our own wire: ``python tests/vectors/make.py [--check]``.

messages.json holds every message and event: least, most and usual, as value and as bytes.
mqtt.json holds the packets. A change of these files is a change of the wire: say so in CHANGELOG.
"""

import json
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
sys.path[:0] = [str(FOLDER), str(FOLDER.parents[1])]

import cases  # noqa: E402 - the path above leads to it

from protocols import messages  # noqa: E402


def message_vectors() -> str:
    """Text of messages.json."""
    rows = []
    for leaf, ty in cases.message_names():
        for how in (cases.LEAST, cases.MOST, cases.USUAL):
            value = cases.message(leaf, ty, how)
            text = messages.encode(leaf, value).decode()
            rows.append(json.dumps({"leaf": leaf, "value": value, "bytes": text}))
    return "[\n" + ",\n".join(rows) + "\n]\n"


def packet_vectors() -> str:
    """Text of mqtt.json."""
    rows = [json.dumps({"name": name, "hex": text}) for name, text in cases.packet_cases()]
    return "[\n" + ",\n".join(rows) + "\n]\n"


def main(arguments: list[str]) -> int:
    """Write the files, or say with --check whether they are as written."""
    stale = []
    for name, text in (("messages.json", message_vectors()), ("mqtt.json", packet_vectors())):
        path = FOLDER / name
        if arguments == ["--check"]:
            if not path.exists() or path.read_text() != text:
                stale.append(name)
        else:
            path.write_text(text)
    for name in stale:
        print(f"{name} is not what the code sends: run tests/vectors/make.py", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
