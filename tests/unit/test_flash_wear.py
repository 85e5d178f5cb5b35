"""How much of the flash a journal wears out, counted on real LittleFS."""

import pytest

from firmware.journal import Journal
from firmware.memory import Memory
from support.lfs_flash import BLOCKS, CYCLES, PAGES, LfsFlash

EVENTS = 240
EVENTS_A_YEAR = 365 * 86400  # at one a second


def material(n):
    fields = {"ty": "material", "t": 1795400575338 + n, "tq": "synced", "ch": 0, "lot": "lot-a"}
    return {**fields, "cum_mg": n, "unc_mg": 0, "order": "o-1", "ep": 1, "src": "lines"}


def erases_per_event(page_bytes):
    flash = LfsFlash(page_bytes)
    journal = Journal(flash, Memory(), lambda: "jid-1", 65536)
    before = flash.device.erased.total()
    for n in range(EVENTS):
        journal.append(material(n))
        if n % 10 == 9:
            journal.ack(journal.hi)
    journal.close()
    return (flash.device.erased.total() - before) / EVENTS, flash


@pytest.mark.parametrize("port", sorted(PAGES))
def test_an_event_wears_no_more_flash_than_stated(port):
    erases, flash = erases_per_event(PAGES[port])
    years = CYCLES * BLOCKS / (erases * EVENTS_A_YEAR)
    print(f"{port}: {erases:.2f} erases an event, {years:.2f} years at one event a second")
    assert erases <= 1.25, f"{port}: {erases:.2f} erases an event, {years:.2f} years"
    assert len(flash.device.erased) > BLOCKS // 2  # LittleFS moves on over the blocks
