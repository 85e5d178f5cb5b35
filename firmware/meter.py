"""Material an order draws, counted per lot and kept in the journal ahead of its use.

Every channel has a counter in ``firmware.memory``. Before a line that would draw past the
counter's high-water mark is sent, a higher mark is made durable; so after a power cut the mass
drawn lies between ``cum_mg`` and ``hwm_mg`` and the difference is declared uncertain. Stock is
drawn whole, when cutting begins. The journal nearly full, marks go up in bigger steps and progress
is not told; with no room at all ``before`` says no and the line waits.
"""

from firmware.journal import CLAIM, FINAL, PROGRESS, JournalFull
from protocols.filament import Accountant, drawn_nm, length_nm, mass_mg
from protocols.gcode import SCALE, words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from firmware.journal import Journal
    from protocols.records import Record

DEEP_STEP_NM = 500000  # pulled further back by so much: written to the journal
STEP_MG = 1000  # mark this far ahead of use: what a power cut leaves uncertain
TIGHT_STEP_MG = 50000
TELL_MS = 60000  # drawn mass is told at least so often
# a piece is begun by the spindle (M3, M4) or, where that is switched by hand, by a feed move
_CUTS = tuple([("M", n * SCALE) for n in (3, 4)] + [("G", n * SCALE) for n in (1, 2, 3)])
_UNEXECUTED = 20  # acknowledged moves a stopped Marlin may not have made: planner 16 + queue 4


class _Draw:
    """One channel during one order."""

    def __init__(self, counter: "Record", lot: "Record", used_nm: int) -> None:
        self.ch: int = lot["ch"]
        self.lot: str = lot["lot"]
        self.ug_per_m: int = lot.get("ug_per_m", 0)
        self.piece_mg: int = lot.get("piece_mg", 0)
        self.base_nm: int = counter["nm"]
        self.back_nm: int = counter["back_nm"]
        self.base_mg: int = counter["cum_mg"]
        self.unc_mg: int = counter["unc_mg"]
        self.hwm_mg: int = counter["cum_mg"]
        self.told_mg: int = counter["cum_mg"]
        self.gathered_mg = self.told_mg  # told, but perhaps not durable yet
        self.start_nm = used_nm
        self.used_nm = used_nm
        self.limit_nm = used_nm  # a line that uses more needs a higher mark first
        self.cut = False
        self.cut_line = 0  # 1 + number of the line that begins the piece; 0 = told
        self.deep_nm = 0  # how far back the filament may be pulled, as the journal knows it
        self._recent = [used_nm] * _UNEXECUTED
        self._at = 0

    def length_nm(self, used_nm: int) -> int:
        """Length drawn from the lot in this journal when the program used so much."""
        return self.base_nm + drawn_nm(used_nm - self.start_nm, self.back_nm)

    def mass_mg(self, used_nm: int) -> int:
        """Mass drawn from the lot in this journal when the program used so much."""
        drawn = mass_mg(self.length_nm(used_nm), self.ug_per_m)
        return max(self.base_mg, drawn) + (self.piece_mg if self.cut else 0)

    def use(self, used_nm: int) -> None:
        """Count a line that was let through."""
        if used_nm != self.used_nm:
            self._recent[self._at] = self.used_nm
            self._at = (self._at + 1) % _UNEXECUTED
            self.used_nm = used_nm

    def certain_nm(self) -> int:
        """What was certainly used when the machine stopped short."""
        return self._recent[self._at]

    def open_mg(self) -> int:
        """Mass of the lines that were let through and are perhaps not executed yet."""
        return self.mass_mg(self.used_nm) - self.mass_mg(self.certain_nm())

    def pulled_nm(self) -> int:
        """How far back the filament may be pulled until the journal knows more."""
        left_nm = self.back_nm - (self.certain_nm() - self.start_nm)  # by the program before
        return max(0, left_nm) + self.deep_nm

    def set_mark(self, mark_mg: int) -> None:
        """Take a mark that is now durable."""
        self.hwm_mg = mark_mg
        if self.ug_per_m:
            ahead = length_nm(mark_mg, self.ug_per_m) - self.length_nm(self.used_nm)
            self.limit_nm = self.used_nm + max(0, ahead)


class Meter:
    """Counts the lines of one order at a time."""

    def __init__(self, journal: "Journal", stamp: "Callable[[], Record]") -> None:
        self._journal = journal
        self._stamp = stamp
        self._order: "Record" = {}
        self._draws: "dict[int, _Draw]" = {}
        self._pieces: "list[_Draw]" = []
        self._owed: "list[_Draw]" = []  # pieces begun, not told yet
        self._accountant = Accountant()
        self._told_ms = self._now_ms = 0
        self._taken = 0  # lines let through
        self._waits = False  # the line that comes next was counted already
        self.lines = 0  # lines acknowledged, kept with each record

    # one order -----------------------------------------------------------------------------------
    def begin(self, order: "Record", lots: "list[Record]", g90_sets_e: bool, now_ms: int) -> None:
        """Begin an order {order, ep} that draws from these lots."""
        self._order = {"order": order["order"], "ep": order["ep"]}
        self._accountant = Accountant(g90_sets_e)
        self._draws = {}
        self._told_ms = now_ms
        self._taken = self.lines = 0
        self._waits = False
        for lot in lots:
            counter = self._journal.memory.counter(lot["ch"], lot["lot"])
            self._draws[lot["ch"]] = _Draw(counter, lot, 0)
        self._pieces = [d for d in self._draws.values() if d.piece_mg]
        self._owed = []

    def before(self, code: str) -> bool:
        """Count a line about to be sent; False when it must wait: for room, or to write quietly."""
        if self._journal.due or self._piece_is_owed():
            if not self._journal.is_quiet():
                return False
            self._journal.flush()
            self._tell_pieces()
        if self._pieces and _begins_cutting(code) and not self._cut_pieces():
            return False
        accountant = self._accountant
        if not self._waits:
            accountant.feed(code)
        draw = self._draws.get(accountant.tool)
        self._waits = draw is not None and not self._may_draw(draw, accountant)
        self._taken += not self._waits
        return not self._waits

    def _may_draw(self, draw: _Draw, accountant: Accountant) -> bool:
        used_nm = accountant.used_nm(accountant.tool)
        if draw.ug_per_m:
            back_nm = used_nm - accountant.position_nm(accountant.tool)
            known_nm = draw.deep_nm
            if back_nm > known_nm:
                draw.deep_nm = -(-back_nm // DEEP_STEP_NM) * DEEP_STEP_NM
            if used_nm > draw.limit_nm or draw.deep_nm > known_nm:
                if not self._raise_mark(draw, used_nm):
                    draw.deep_nm = known_nm
                    return False
        draw.use(used_nm)
        return True

    def modes(self) -> "list[str]":
        """Lines that restore the modes the order's program is in."""
        return self._accountant.modes()

    def used_um(self) -> "list[int]":
        """Filament the order used so far, per tool."""
        return self._accountant.used_um()

    def reload(self, ch: int, lot: str) -> None:
        """A person put another lot into a channel of the order; count on from there."""
        old = self._draws.get(ch)
        if old is None or old.lot == lot:
            return
        self._settle(old, True, PROGRESS)
        self._owed = [draw for draw in self._owed if draw is not old]
        fields: "Record" = {"ch": ch, "lot": lot, "ug_per_m": old.ug_per_m}
        self._draws[ch] = _Draw(self._journal.memory.counter(ch, lot), fields, old.used_nm)

    def tick(self, now_ms: int) -> None:
        """Tell what was drawn when it was not told for a while."""
        self._now_ms = now_ms
        if self._owed and self._journal.is_quiet():
            self._tell_pieces()
        if not self._draws or now_ms - self._told_ms < TELL_MS:
            return
        self._told_ms = now_ms
        for draw in self._draws.values():
            if self._journal.has_room(CLAIM):
                self._gather(draw, draw.mass_mg(draw.used_nm), now_ms)

    def end(self, certain: bool) -> None:
        """Settle all counters of the order; certain = the machine did all that was acknowledged.

        Raise JournalFull; may be called again then.
        """
        for ch in sorted(self._draws):
            self._settle(self._draws[ch], certain, FINAL)
            del self._draws[ch]
        self._pieces, self._owed = [], []

    def recover(self, order: "Record") -> None:
        """After a power cut: what may have been drawn counts as drawn, and as uncertain."""
        self._order = {"order": order["order"], "ep": order["ep"]}
        for counter in list(self._journal.memory.counters.values()):
            ahead = counter["hwm_mg"] - counter["cum_mg"]
            if ahead > 0:
                ctr: "Record" = dict(counter)
                if counter["ug_per_m"]:
                    ctr["nm"] = length_nm(counter["hwm_mg"], counter["ug_per_m"])
                # it may be pulled back now, which the next program would count once more
                back = mass_mg(counter["back_nm"], counter["ug_per_m"])
                ctr["back_nm"] = ctr["open_mg"] = 0
                ctr["cum_mg"] = counter["hwm_mg"]
                ctr["unc_mg"] = counter["unc_mg"] + counter.get("open_mg", 0) + ahead + back
                self._journal.append(self._event(ctr, "lines"), {"ctr": ctr}, FINAL)

    # records -------------------------------------------------------------------------------------
    def _event(self, counter: "Record", src: str) -> "Record":
        event: "Record" = {"ty": "material", "src": src}
        event.update(self._stamp())
        event.update(self._order)
        for name in ("ch", "lot", "cum_mg", "unc_mg"):
            event[name] = counter[name]
        return event

    def _note(self, draw: _Draw, mass: int, mark_mg: int) -> "Record":
        """Where a counter stands; cum_mg is known here for certain, told or not."""
        counter: "Record" = {
            "ch": draw.ch,
            "lot": draw.lot,
            "cum_mg": mass,
            "hwm_mg": mark_mg,
            "nm": draw.length_nm(draw.used_nm),
            "back_nm": draw.pulled_nm(),
            "open_mg": draw.open_mg(),
            "ug_per_m": draw.ug_per_m,
        }
        return {"ctr": counter, "lines": self.lines}

    def _told(self, draw: _Draw, mass: int, unc_mg: int, src: str) -> "Record":
        value = {"ch": draw.ch, "lot": draw.lot, "cum_mg": mass, "unc_mg": unc_mg}
        return self._event(value, src)

    def _gather(self, draw: _Draw, mass: int, now_ms: int) -> None:
        """Tell progress when there is any; a power cut before it is durable costs nothing."""
        if mass > draw.gathered_mg:
            self._journal.gather(self._told(draw, mass, draw.unc_mg, "lines"), None, now_ms)
            draw.gathered_mg = mass

    def _raise_mark(self, draw: _Draw, used_nm: int) -> bool:
        """Make a mark ahead of a line durable, in a quiet moment; progress goes with it."""
        if not self._journal.is_quiet():
            return False
        mass = draw.mass_mg(draw.used_nm)
        tight = not self._journal.has_room(CLAIM)
        mark = draw.mass_mg(used_nm) + (TIGHT_STEP_MG if tight else STEP_MG)
        try:
            if not tight:
                self._gather(draw, mass, self._now_ms)
            self._journal.note(self._note(draw, mass, mark), FINAL)
        except JournalFull:
            return False
        draw.set_mark(mark)
        return True

    def _cut_pieces(self) -> bool:
        """Stock is drawn whole: a mark before the tool touches it, told when it has."""
        if not self._journal.is_quiet():
            return False
        while self._pieces:
            draw = self._pieces[-1]
            mass = draw.base_mg + draw.piece_mg
            try:
                self._journal.note(self._note(draw, draw.base_mg, mass), FINAL)
            except JournalFull:
                return False
            draw.cut = True
            draw.cut_line = self._taken + 1
            self._owed.append(draw)
            draw.set_mark(mass)
            self._pieces.pop()
        return True

    def _tell_pieces(self) -> None:
        """A piece is certainly begun once the machine has taken the line that begins it."""
        for draw in list(self._owed):
            if self.lines >= draw.cut_line and self._journal.has_room(CLAIM):
                mass = draw.mass_mg(draw.used_nm)
                event = self._told(draw, mass, draw.unc_mg, "piece")
                try:
                    self._journal.append(event, self._note(draw, mass, mass), FINAL)
                except JournalFull:
                    return  # the counter is cumulative: told later
                draw.told_mg = draw.gathered_mg = mass
                draw.cut_line = 0
                self._owed.remove(draw)

    def _piece_is_owed(self) -> bool:
        """Say whether a piece was begun for certain that was not told."""
        return bool(self._owed) and self.lines >= self._owed[0].cut_line

    def _settle(self, draw: _Draw, certain: bool, level: int) -> None:
        mass = draw.mass_mg(draw.used_nm)
        # stopped short it may be pulled back now, which the next program would count once more
        uncertain = 0 if certain else draw.open_mg() + mass_mg(draw.pulled_nm(), draw.ug_per_m)
        if not certain and draw.cut_line > self.lines:
            uncertain += draw.piece_mg
        unc_mg = draw.unc_mg + uncertain
        note = self._note(draw, mass, mass)
        note["ctr"]["back_nm"] = self._left_nm(draw) if certain else 0
        note["ctr"]["open_mg"] = 0
        if mass > draw.told_mg or uncertain:
            src = "piece" if draw.piece_mg else "lines"
            self._journal.append(self._told(draw, mass, unc_mg, src), note, level)
        else:
            self._journal.note(note, level)
        draw.told_mg, draw.unc_mg = mass, unc_mg

    def _left_nm(self, draw: _Draw) -> int:
        """How far back the filament of a lot is pulled now."""
        gone = draw.length_nm(draw.used_nm) - draw.base_nm
        moved = self._accountant.position_nm(draw.ch) - draw.start_nm
        return draw.back_nm + gone - moved


def _begins_cutting(code: str) -> bool:
    """Say whether a line switches the spindle on or moves at a feed: the piece is begun."""
    return any([(k, v) in _CUTS for k, v in words(code)])
