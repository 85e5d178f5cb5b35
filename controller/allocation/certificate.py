"""A published round: the inputs, their hash, and the payments that prove the outcome.

A supporter of a bought need pays min(purse, price * voice) of each resource. So a price, and the
exact amount of everyone who paid less because the purse ended there, are all payments. Fractions
are texts "numerator/denominator". Together with one PaBuLib file per resource this is the round
that anyone can check: see controller/rounds_verify.
"""

from __future__ import annotations

import hashlib
import json
from fractions import Fraction
from typing import Any, NamedTuple

from controller.allocation.inputs import FORMAT, Inputs, canonical, document, inputs_sha256
from controller.allocation.pabulib import read_pb, round_elections, write_pb
from controller.allocation.pb_import import pb_inputs
from controller.allocation.reading import Problem, RoundError, read_inputs
from controller.allocation.reasons import decisions
from controller.allocation.round import NamedPurchase, Outcome, run_round
from controller.allocation.spill import Grant


def certificate(outcome: Outcome) -> dict[str, Any]:
    """What was decided and paid, as JSON."""
    return {
        "floor": list(outcome.floor),
        "purchases": [_purchase(purchase) for purchase in outcome.purchases],
        "spill": [_grant(grant) for grant in outcome.grants],
        "left": dict(sorted(outcome.left.items())),
        "next": {
            "savings": {m: row for m, row in sorted(outcome.carried.savings.items()) if row},
            "debits": {c: row for c, row in sorted(outcome.carried.debits.items()) if row},
            "waited": dict(sorted(outcome.carried.waited.items())),
        },
    }


def _purchase(purchase: NamedPurchase) -> dict[str, Any]:
    return {
        "need": purchase.need,
        "stage": "savings" if purchase.saved else "shares",
        "rho": _ratio(purchase.rho),
        "price": {r: _ratio(price) for r, price in sorted(purchase.prices.items())},
        "short": {
            r: {member: _ratio(paid) for member, paid in sorted(row.items())}
            for r, row in sorted(purchase.short.items())
        },
    }


def _grant(grant: Grant) -> dict[str, Any]:
    return {"need": grant.need, "community": grant.community, "share": _ratio(grant.before)}


def _ratio(value: Fraction) -> str:
    return f"{value.numerator}/{value.denominator}"


class Decided(NamedTuple):
    """A round that was run: its outcome, and its files by name, ready to be published."""

    outcome: Outcome
    files: dict[str, bytes]


def decide_pb(content: bytes) -> Decided:
    """Run a round on a PaBuLib file; PbError or RoundError tells everything wrong with it."""
    return _decided(pb_inputs(read_pb(content.decode(errors="replace"))))


def decide(content: bytes) -> Decided:
    """Run the round whose inputs are this JSON text; RoundError tells everything wrong with it."""
    try:
        value: object = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise RoundError([Problem("document", f"is no JSON ({error})", "correct it")]) from error
    return _decided(read_inputs(value))


def _decided(inputs: Inputs) -> Decided:
    outcome = run_round(inputs)
    files = {
        name: part if isinstance(part, bytes) else canonical(part) + b"\n"
        for name, part in publish(outcome).items()
    }
    return Decided(outcome, files)


def publish(outcome: Outcome) -> dict[str, bytes | dict[str, Any]]:
    """Files of a published round by name: round.json as a document, the .pb files as bytes."""
    files: dict[str, bytes | dict[str, Any]] = {}
    listed: list[dict[str, str]] = []
    for resource, election in round_elections(outcome.inputs, outcome.accepted()).items():
        name = f"{outcome.inputs.id}.{resource}.pb"
        content = write_pb(election).encode()
        files[name] = content
        sha256 = hashlib.sha256(content).hexdigest()
        listed.append({"file": name, "resource": resource, "sha256": sha256})
    files["round.json"] = {
        "format": FORMAT,
        "inputs_sha256": inputs_sha256(outcome.inputs),
        "inputs": document(outcome.inputs),
        "pb": listed,
        "certificate": certificate(outcome),
        "decisions": [decision._asdict() for decision in decisions(outcome)],
    }
    return files
