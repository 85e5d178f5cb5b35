"""Prints what the line protocols make of every vector; run by several interpreters."""

import json
import sys

from protocols import gcode, grbl, grbl_codes, marlin
from protocols.errors import WireError
from protocols.forbidden import forbidden


def sort(value):
    """Value with dicts as sorted lists: dicts are unordered on the board."""
    if isinstance(value, dict):
        return [[k, sort(value[k])] for k in sorted(value)]
    if isinstance(value, (list, tuple)):
        return [sort(v) for v in value]
    return value


def attempt(call, *args):
    """Result of a call, or the wire error it raises."""
    try:
        return call(*args)
    except WireError as error:
        return [error.code, error.field]


def load(name):
    """One vector file."""
    with open(sys.argv[1] + "/" + name) as file:
        return json.load(file)


for case in load("marlin_replies.json"):
    reply = marlin.parse_reply(case["line"].encode())
    print(json.dumps(sort(reply)), marlin.write_reply(reply))
for case in load("grbl_replies.json"):
    reply = grbl.parse_reply(case["line"].encode())
    print(json.dumps(sort(reply)), grbl.write_reply(reply))
for case in load("gcode_lines.json"):
    raw = case["raw"].encode()
    code = gcode.strip(raw)
    print(code, gcode.command(code), sort(attempt(gcode.words, code)))
    print(forbidden(raw, "marlin"), forbidden(raw, "grbl"))
    print(attempt(marlin.frame, 7, code), attempt(marlin.parse_frame, raw))
for byte in range(256):
    odd = bytes([111, byte, 107, byte])
    print(marlin.parse_reply(odd), grbl.parse_reply(odd))
    print(attempt(marlin.parse_frame, odd)[1].encode())
    print(forbidden(odd, "grbl"), gcode.strip(odd).encode())
for code in range(60):
    for firmware in ("grbl", "grblhal", "fluidnc"):
        print(grbl_codes.error_words(code, firmware), grbl_codes.alarm_words(code, firmware))
