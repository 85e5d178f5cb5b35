"""Licence gate: which designs may be made here, by SPDX licence expression.

Published manifests write licences in many ways (``LicenseRef-CC BY-SA-4.0``, ``CERN OHL v1.2``);
what is meant beyond doubt is put into its SPDX form, the rest is refused with a reason.
"""

import re
from dataclasses import dataclass

# SPDX identifiers (spdx.org/licenses) of licences that leave use, study, change and sharing free.
_OPEN = """
0BSD AFL-3.0 AGPL-3.0-only AGPL-3.0-or-later Apache-2.0 Artistic-2.0 BSD-2-Clause BSD-3-Clause
BSL-1.0 CC-BY-1.0 CC-BY-2.0 CC-BY-2.5 CC-BY-3.0 CC-BY-4.0 CC-BY-SA-1.0 CC-BY-SA-2.0 CC-BY-SA-2.5
CC-BY-SA-3.0 CC-BY-SA-4.0 CC-PDDC CC0-1.0 CERN-OHL-1.1 CERN-OHL-1.2 CERN-OHL-P-2.0 CERN-OHL-S-2.0
CERN-OHL-W-2.0 EPL-2.0 EUPL-1.1 EUPL-1.2 GFDL-1.2-or-later GFDL-1.3-only GFDL-1.3-or-later
GPL-2.0-only GPL-2.0-or-later GPL-3.0-only GPL-3.0-or-later ISC LAL-1.3 LGPL-2.1-only
LGPL-2.1-or-later LGPL-3.0-only LGPL-3.0-or-later MIT MIT-0 MPL-2.0 ODbL-1.0 OFL-1.1 PDDL-1.0
SHL-0.5 SHL-0.51 SHL-2.0 SHL-2.1 TAPR-OHL-1.0 Unlicense WTFPL Zlib
"""
_WORDS = {"OR", "AND", "WITH"}
_ALIASES = {
    "cc0": "CC0-1.0",
    "cc-0": "CC0-1.0",
    "cc-zero": "CC0-1.0",
    "public-domain": "CC-PDDC",
    "cern-ohl-p": "CERN-OHL-P-2.0",
    "cern-ohl-w": "CERN-OHL-W-2.0",
    "cern-ohl-s": "CERN-OHL-S-2.0",
    "cern-ohl-2.0-p": "CERN-OHL-P-2.0",
    "cern-ohl-2.0-w": "CERN-OHL-W-2.0",
    "cern-ohl-2.0-s": "CERN-OHL-S-2.0",
    "tapr": "TAPR-OHL-1.0",
    "tapr-ohl": "TAPR-OHL-1.0",
    "apache": "Apache-2.0",
    "mit-license": "MIT",
    "gpl-2.0": "GPL-2.0-only",
    "gpl-3.0": "GPL-3.0-only",
    "gpl-2.0+": "GPL-2.0-or-later",
    "gpl-3.0+": "GPL-3.0-or-later",
    "lgpl-3.0": "LGPL-3.0-only",
    "agpl-3.0": "AGPL-3.0-only",
}
_KNOWN = {name.lower(): name for name in _OPEN.split()} | _ALIASES
_NOT_FREE = {
    "nc": "forbids commercial use",
    "nd": "forbids changed versions",
    "noncommercial": "forbids commercial use",
    "proprietary": "is proprietary",
    "reserved": "reserves all rights",
}


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence: SPDX expression, the text it was stated in, and why it is refused ("" = open)."""

    spdx: str
    stated: str
    refused: str = ""

    @property
    def open(self) -> bool:
        """Whether anyone may make the design."""
        return not self.refused


def read_licence(stated: str) -> Licence:
    """Licence as it was stated, in SPDX form where that is beyond doubt."""
    text = " ".join(stated.split())[:200]
    if not text:
        return Licence("NONE", stated, "no licence is stated, so all rights are reserved")
    whole = _identifier(text)
    if whole:
        return Licence(whole, stated)
    if _WORDS.isdisjoint(text.split()):
        return Licence(_reference(text), stated, _reason(text))
    return _expression(text, stated)


def _expression(text: str, stated: str) -> Licence:
    """OR needs one open side, AND needs both; AND binds closer (SPDX 2.3 annex D)."""
    flat = text.replace("(", " ").replace(")", " ")
    if "(" in text and " AND " in text and " OR " in text:
        return Licence(_reference(text), stated, "is an expression too deep to read")
    reasons: list[str] = []
    for choice in re.split(r"\s+OR\s+", flat):
        refused = [_reason(part) for part in _parts(choice) if not _identifier(part)]
        if not refused:
            names = [_identifier(part) or part for part in _parts(choice)]
            return Licence(" AND ".join(names), stated)
        reasons += refused
    return Licence(_reference(text), stated, reasons[0])


def _parts(choice: str) -> list[str]:
    return [part.split(" WITH ")[0].strip() for part in re.split(r"\s+AND\s+", choice)]


def _key(text: str) -> str:
    key = re.sub(r"^licenseref[-\s]*", "", text.strip().lower())
    key = key.replace("creative commons", "cc").replace("attribution", "by")
    key = key.replace("sharealike", "sa").replace("share alike", "sa")
    key = re.sub(r"[\s_/,]+", "-", key)
    key = re.sub(r"-?(?:international|unported|intl|generic)$", "", key)
    key = re.sub(r"(?<=[a-z])-?v(?:ersion)?\.?-?(?=\d)", "-", key)
    return re.sub(r"-+", "-", key).strip("-")


def _identifier(text: str) -> str:
    """SPDX identifier of an open licence, "" when it is none of them."""
    key = _key(text)
    forms = (key, key + ".0", re.sub(r"(?<=[a-z])(?=\d\.\d$)", "-", key))
    return next((_KNOWN[form] for form in forms if form in _KNOWN), "")


def _reference(text: str) -> str:
    """Custom reference in legal SPDX form."""
    return "LicenseRef-" + (re.sub(r"[^A-Za-z0-9.]+", "-", _key(text)).strip("-") or "unknown")


def _reason(text: str) -> str:
    words = set(_key(text).split("-"))
    for word, reason in _NOT_FREE.items():
        if word in words:
            return f"{text} {reason}"
    return f"{text} is not a licence known to be open"
