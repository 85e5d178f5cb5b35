"""``fabcommons cell``: certificates for cells over OPC UA: made, shown, rotated, trusted."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import Any

from controller.adapters.opcua import condition, security
from controller.adapters.opcua.connect import LOST, Access, endpoints
from controller.adapters.opcua.discovery import NotACell
from controller.adapters.opcua.security import Facts
from controller.adapters.opcua.session import CellSession
from fabcommons.client import FAILED, OK, USAGE, CliError
from fabcommons.options import command
from fabcommons.tables import table
from protocols import isa95

_EXAMPLES = """\
examples:
  fabcommons cell certificates make                 pki/certificate.der and pki/key.pem
  fabcommons cell certificates show                 what we have and trust, and until when
  fabcommons cell certificates trust opc.tcp://cell-1.local:4840
                                                    shows what the cell shows; compare it with
                                                    the cell's own display, then repeat with
  fabcommons cell certificates trust opc.tcp://cell-1.local:4840 --thumbprint 3FA1...
  fabcommons cell certificates rotate               makes the next pair; trust it at every cell
  fabcommons cell certificates rotate --finish      makes the next pair the current one

  fabcommons cell look opc.tcp://cell-1.local:4840  what an open server offers, found by browsing

A running controller takes new files up by itself; no job is lost by it."""
_GENERATIONS = {".next": "next", "": "current", ".old": "old"}
_REQUEST_S = 10.0


def add(commands: Any) -> None:
    """Add the command to the command line."""
    cell = commands.add_parser("cell", help="certificates of robotic cells over OPC UA")
    verbs = cell.add_subparsers(metavar="WHAT", required=True)
    certificates = command(verbs, "certificates", "make, show, rotate, trust", _EXAMPLES)
    look = verbs.add_parser("look", help="what a cell offers, found by browsing; changes nothing")
    look.add_argument("cell", help="its address, open to connections without security")
    look.add_argument("--name", default="", help="browse name of the machine, where there are more")
    look.set_defaults(run=run_look)
    acts = certificates.add_subparsers(metavar="VERB", required=True)
    make = _act(acts, "make", "make our certificate and key", run_make)
    make.add_argument("--name", default="controller", help="ends our ApplicationUri")
    make.add_argument("--days", type=int, default=730, help="how long it is valid")
    _act(acts, "show", "ours and the trusted ones; exit 1 when one ends soon", run_show)
    rotate = _act(acts, "rotate", "make the next pair, or make it the current one", run_rotate)
    rotate.add_argument("--name", default="controller", help="ends our ApplicationUri")
    rotate.add_argument("--days", type=int, default=730, help="how long it is valid")
    rotate.add_argument("--finish", action="store_true", help="every cell trusts the next one")
    trust = _act(acts, "trust", "trust the certificate of a cell", run_trust)
    trust.add_argument("cell", help="its address (opc.tcp://...) or a certificate file")
    trust.add_argument("--thumbprint", help="first 8 or more characters, read off the cell")


def _act(acts: Any, name: str, words: str, run: Any) -> Any:
    made = acts.add_parser(name, help=words)
    made.add_argument("--folder", type=Path, default=Path("pki"), help="default %(default)s")
    made.set_defaults(run=run)
    return made


def _files(options: argparse.Namespace) -> tuple[Path, Path]:
    return options.folder / "certificate.der", options.folder / "key.pem"


def _made(options: argparse.Namespace, generation: str) -> Facts:
    if options.days < 1:
        raise CliError("--days must be at least 1", USAGE)
    certificate, key = _files(options)
    try:
        return security.make_pair(certificate, key, options.name, options.days, generation)
    except OSError as error:
        raise CliError(str(error), FAILED) from error


def run_make(options: argparse.Namespace) -> int:
    """Make the first pair; an existing one is never replaced."""
    made = _made(options, "")
    print(f"made {_files(options)[0]} for {made.uris[0]}")
    print(f"trust it at every cell by its thumbprint {made.thumbprint}")
    return OK


def run_rotate(options: argparse.Namespace) -> int:
    """Make the next pair, or make it the current one; the old one is kept until it is deleted."""
    certificate, key = _files(options)
    if options.finish:
        if not security.finish_rotation(certificate, key):
            raise CliError("there is no next certificate: rotate without --finish first", USAGE)
        print("the next certificate is the current one; the one before is kept as old")
        return OK
    made = _made(options, ".next")
    print(f"made the next certificate, thumbprint {made.thumbprint}")
    print("trust it at every cell, then: fabcommons cell certificates rotate --finish")
    return OK


def run_show(options: argparse.Namespace) -> int:
    """List certificates; exit 1 when one in use has ended or ends within 30 days."""
    rows: list[tuple[str, Facts]] = []
    certificate, key = _files(options)
    try:
        for pair in security.pairs(certificate, key):
            whose = f"ours, {_GENERATIONS[pair.generation]}"
            rows.append((whose, security.facts_of(pair.certificate)))
    except security.NotTrusted as error:
        raise CliError(str(error), FAILED) from error
    for der in security.trusted(options.folder / "trusted"):
        rows.append(("trusted", security.facts_of(der)))
    for der in security.trusted(options.folder / "rejected"):
        rows.append(("refused", security.facts_of(der)))
    now_ms = security.now_ms()
    lines = [
        (whose, facts.thumbprint, f"{facts.days_left(now_ms)} days", facts.subject)
        for whose, facts in rows
    ]
    print(table(("whose", "thumbprint", "left", "subject"), lines))
    used = [facts for whose, facts in rows if whose in ("ours, current", "trusted")]
    soon = [facts for facts in used if facts.days_left(now_ms) < security.WARN_DAYS]
    for facts in soon:
        print(f"ends in {facts.days_left(now_ms)} days: {facts.thumbprint}: rotate it")
    return FAILED if soon else OK


def run_trust(options: argparse.Namespace) -> int:
    """Trust what a cell shows, once a person has compared its thumbprint."""
    der = _shown(options.cell)
    facts = security.facts_of(der)
    print(f"{options.cell} shows {facts.thumbprint}, {facts.subject}")
    typed = (options.thumbprint or "").replace(":", "").replace(" ", "").upper()
    if len(typed) < 8:
        print("compare it with the cell's own display, then repeat with --thumbprint and at least")
        print("8 characters of what you read there")
        return USAGE
    if not facts.thumbprint.startswith(typed):
        raise CliError("that is another certificate: nothing was trusted", FAILED)
    print(f"trusted: {security.trust(options.folder / 'trusted', der)}")
    return OK


def run_look(options: argparse.Namespace) -> int:
    """Print nameplate, robot, machine state and job list of a cell."""
    try:
        lines = asyncio.run(_look(options.cell, options.name))
    except (*LOST, NotACell, security.NotTrusted) as error:
        words = f"{options.cell}: {type(error).__name__}: {error}"
        raise CliError(words, FAILED) from error
    print(table(("what", "found"), lines))
    return OK


async def _look(url: str, name: str) -> list[tuple[str, str]]:
    session = await CellSession.open(Access(url, name, _REQUEST_S), lambda: None)
    try:
        seen = await session.look()
    finally:
        await session.close()
    events = "offered" if session.events >= 0 else "not offered: polled"
    said = seen.condition._asdict().items()
    return [
        *session.plate.items(),
        ("methods", ", ".join(session.methods)),
        ("job order events", events),
        *((field, str(value)) for field, value in said if value not in (-1, "")),
        *((job, isa95.state_words(at.state)) for job, at in seen.jobs.items()),
        ("takes an order", condition.blocking(seen.condition) or "yes"),
    ]


def _shown(where: str) -> bytes:
    try:
        if not where.startswith("opc.tcp://"):
            return security.read_certificate(Path(where))
        for endpoint in asyncio.run(endpoints(where, _REQUEST_S)):
            if endpoint.ServerCertificate:
                return security.first_of_chain(endpoint.ServerCertificate)
    except LOST as error:
        raise CliError(f"{where}: {type(error).__name__}: {error}", FAILED) from error
    except ValueError as error:
        raise CliError(f"{where}: is no certificate: {error}", FAILED) from error
    raise CliError(f"{where} shows no certificate: it offers open connections only", FAILED)
