"""Before an upgrade: nothing new begins, what runs is taken in, and everybody sees why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from controller import draining, execution, planning
from controller.adapters.broker import free_port
from controller.adapters.site_file import MachineEntry, SiteFile
from controller.joints import handovers
from controller.picturing import floor_picture
from controller.values import JobOrder
from fabcommons import cli
from fabcommons.running import Place, RunningSite
from support import small_floor
from support.small_floor import Floor, Journal


def _plan(floor: Floor) -> list[JobOrder]:
    """Plan as the site does; orders that are not settled."""

    def run(tx: Any) -> list[JobOrder]:
        planning.apply_plan(tx, small_floor.plan(floor_picture(tx)), handovers.barred(tx))
        return tx.orders.open()

    return floor.do(run)


def test_a_drained_floor_offers_nothing_new_says_why_and_takes_in_what_runs(tmp_path: Path) -> None:
    floor = Floor(tmp_path)
    need = floor.state()
    with floor.store.write() as tx:
        for machine in tx.machines.all():
            tx.machines.change(machine.id, online=True, state="idle", ready=True)
    orders = _plan(floor)
    assert {order.machine for order in orders} == {"printer-1", "mill-1"}
    printed = next(order for order in orders if order.machine == "printer-1")
    floor.state(key="k2")

    found = floor.do(draining.drain, "ann", on=True)
    assert (found["draining"], found["by"], found["open"]) == (True, "ann", 2)
    for event in Journal().run(printed, "spool-1", 4000):
        assert floor.do(execution.apply_event, "printer-1", event) == "applied"
    with floor.store.write() as tx:
        tx.machines.change("printer-1", ready=True, state="idle", online=True)
        execution.confirm_clear(tx, "printer-1", execution.verdict("good", "ann", None))
    assert len(_plan(floor)) == 1
    with floor.store.read() as tx:
        waits = [op.reason for op in tx.operations.open() if op.state == "ready" or op.need != need]
        assert any("is being drained (ann)" in reason for reason in waits)
        assert any("drained" in notice.text for notice in tx.notice_room.page(20))

    assert not floor.do(draining.drain, "ann", on=False)["draining"]
    with floor.store.write() as tx:
        tx.machines.change("printer-1", ready=True, state="idle", online=True)
    assert len(_plan(floor)) == 2


def test_the_command_drains_a_running_site_and_the_next_start_is_not_drained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = SiteFile(
        site="drain",
        broker="amqtt",
        http=f"127.0.0.1:{free_port()}",
        machines=[MachineEntry("printer-1", "printer")],
    )
    with RunningSite(settings, Place(tmp_path, tmp_path)) as site:
        words = ["controller", "drain", "--wait", "--json", "--url", site.url]
        assert cli.main(words) == 0
        found = json.loads(capsys.readouterr().out)
        assert (found["draining"], found["running"]) == (True, 0)
        with site.site.read() as tx:
            assert "drained" in draining.barred(tx)["printer-1"]
        assert cli.main(["controller", "resume", "--url", site.url]) == 0
        assert "offered again" in capsys.readouterr().out
        assert cli.main(["controller", "drain", "--url", site.url]) == 0
    with RunningSite(settings, Place(tmp_path, tmp_path)) as site, site.site.read() as tx:
        assert draining.barred(tx) == {}
