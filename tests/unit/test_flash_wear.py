"""How much of the flash a journal wears out, counted on real LittleFS."""

import pytest

from firmware.journal import FINAL, Journal
from firmware.memory import Memory
from support.lfs_flash import BLOCKS, CYCLES, PAGES, LfsFlash

SECONDS = 3600  # with one event in each
EVENTS_A_YEAR = 365 * 86400
ORDER_S = 600  # an order begins so often
YEARS = 5


def material(n):
    fields = {"ty": "material", "t": 1795400575338 + n, "tq": "synced", "ch": 0, "lot": "lot-a"}
    return {**fields, "cum_mg": n, "unc_mg": 0, "order": "o-1", "ep": 1, "src": "lines"}


def mark(n):
    counter = {"ch": 0, "lot": "lot-a", "hwm_mg": n + 1000, "nm": n * 335000, "back_nm": 500000}
    return {"ctr": {**counter, "cum_mg": n, "ug_per_m": 2982000}, "lines": n * 10}


def order_body(ep, **more):
    return {"t": 1795400575338, "tq": "synced", "order": f"order-{ep}", "ep": ep, **more}


def event_of(second):
    """What the machine reports in this second, and whether it must be durable at once."""
    ep, within = 1 + second // ORDER_S, second % ORDER_S
    durable = {
        0: order_body(ep, ty="claim"),
        2: order_body(ep, ty="started", sha="a" * 64),
        590: order_body(ep, ty="finished", ok=True, lines=6000, len_um=[1], run_ms=588000),
        595: {"ty": "op", "who": "a person", "act": "clear", "id": f"c-{ep}", "tq": "none"},
    }
    if within in durable:
        return durable[within], True
    if within % 60 == 59:
        return {"ty": "fault", "code": "noise", "msg": f"said {second}", "tq": "none"}, False
    return material(second), False


def wear(page_bytes, seconds, act):
    """Erases per event over so many seconds of one event each, acknowledged after 10."""
    flash = LfsFlash(page_bytes)
    journal = Journal(flash, Memory(), lambda: "jid-1", 262144)
    before = flash.device.erased.total()
    for second in range(seconds):
        act(journal, second)
        if second % 10 == 9:
            journal.ack(journal.hi)
    journal.close()
    return (flash.device.erased.total() - before) / seconds, flash


def years(erases):
    return CYCLES * BLOCKS / (erases * EVENTS_A_YEAR)


def a_second_at_work(journal, second):
    event, durable = event_of(second)
    if durable:
        journal.append(event, None, FINAL)
    else:
        journal.gather(event, None, second * 1000)
    if second % 60 == 30:  # the mark goes up before the next gram is drawn
        journal.note(mark(second), FINAL)


@pytest.mark.parametrize("port", sorted(PAGES))
def test_flash_lasts_five_years_at_one_event_a_second(port):
    erases, flash = wear(PAGES[port], SECONDS, a_second_at_work)
    print(f"{port}: {erases:.3f} erases an event, {years(erases):.1f} years at one a second")
    assert years(erases) >= YEARS, f"{port}: {erases:.3f} erases an event"
    assert len(flash.device.erased) > BLOCKS // 4  # LittleFS moves on over the blocks


@pytest.mark.parametrize("port", sorted(PAGES))
def test_a_record_that_must_be_durable_wears_no_more_than_stated(port):
    erases, _ = wear(PAGES[port], 240, lambda journal, n: journal.append(material(n)))
    print(
        f"{port}: {erases:.2f} erases a durable record, {years(erases):.2f} years at one a second"
    )
    assert erases <= 1.25, f"{port}: {erases:.2f} erases a record"
