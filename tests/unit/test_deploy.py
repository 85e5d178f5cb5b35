"""What deploy/ starts exists: every command and option is one the command line knows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from controller.adapters.site_file import SiteFile
from controller.replica_settings import ReplicaEntry, problems
from fabcommons.cli import parser

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


def check(words: list[str]) -> None:
    """Parse a command line as the command itself would."""
    try:
        parser(words[0]).parse_args(words)
    except SystemExit as error:
        pytest.fail(f"fabcommons {' '.join(words)}: exit {error.code}")


def documents(path: Path) -> list[Any]:
    return [found for found in yaml.safe_load_all(path.read_text()) if found]


def test_compose_starts_commands_that_exist() -> None:
    found = documents(DEPLOY / "compose" / "compose.yml")[0]
    ours = [s for s in found["services"].values() if s["image"] == "fabcommons"]
    assert len(ours) == 2
    for service in ours:
        check(service["command"])
    assert set(found["volumes"]) == {"database"}


def test_kubernetes_starts_commands_that_exist_with_settings_that_are_read() -> None:
    found = {d["kind"]: d for d in documents(DEPLOY / "kubernetes" / "site.yml")}
    assert set(found) == {"ConfigMap", "PersistentVolumeClaim", "StatefulSet", "Service"}
    settings = msgspec.convert(yaml.safe_load(found["ConfigMap"]["data"]["site.yml"]), SiteFile)
    assert problems(settings.replica, settings.store, settings.broker) == []
    pod = found["StatefulSet"]["spec"]["template"]["spec"]
    for container in pod["containers"]:
        check(container["args"])
    mounted = {m["name"] for c in pod["containers"] for m in c["volumeMounts"]}
    assert mounted <= {volume["name"] for volume in pod["volumes"]}


@pytest.mark.parametrize(
    "unit", sorted((DEPLOY / "systemd").glob("*.service")), ids=lambda p: p.name
)
def test_units_start_commands_that_exist(unit: Path) -> None:
    started = re.findall(r"^ExecStart=\S+/fabcommons (.*)$", unit.read_text(), re.MULTILINE)
    assert len(started) == 1
    check(started[0].replace("%i", "site").split())


def test_settings_of_replicas_say_what_is_wrong() -> None:
    said = problems(ReplicaEntry(lease_s=1, rank=-1, address="x"), "site.db", "auto")
    fields = [text.partition(":")[0] for text in said]
    assert fields == ["replica.lease_s", "replica.rank", "replica.address", "store", "broker"]
