"""Any round the allocator decides is found correct by a verifier that shares no code with it."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings

from controller.allocation.certificate import publish
from controller.allocation.inputs import Inputs
from controller.allocation.round import run_round
from controller.rounds_verify.verify import verify_round
from support.commons import rounds


@given(rounds())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_published_round_is_found_correct(inputs: Inputs) -> None:
    files = publish(run_round(inputs))
    document: dict[str, Any] = json.loads(json.dumps(files.pop("round.json")))
    pb = {name: content for name, content in files.items() if isinstance(content, bytes)}
    assert verify_round(document, pb) == []
