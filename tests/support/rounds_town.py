"""A floor whose communities share by rounds."""

from pathlib import Path

from controller import needs, resources
from controller.commons import boxes, members
from controller.commons.settings import RoundSettings, configure
from controller.commons.verbs import Commons
from controller.joints.sharing import sharer
from controller.values import Community

SHARE = sharer(resources.why_not)
PRINT_MG = 4210


class Town:
    """A floor that shares by rounds, with members of three communities and a steward in each."""

    def __init__(self, floor, small_floor, **settings):
        self.floor, self.small = floor, small_floor
        defaults = {"length_h": 10, "limits": {"petg": 10 * PRINT_MG}, "urgent_reserve_ppm": 0}
        self.tokens, self.stewards = {}, {}
        floor.do(self._fill, RoundSettings(**{**defaults, **settings}))
        self.commons = Commons(floor.do, floor.store.read)

    def _fill(self, tx, settings):
        configure(tx, settings)
        for name, count in (("north", 12), ("river", 6), ("hill", 3)):
            members.put_community(tx, Community(name, name.title(), count, count))
            self.tokens[name] = [m.token for m in members.admit_members(tx, name, 2)]
            self.stewards[name] = members.admit_members(tx, name, 1, True)[0].token

    def state(self, key, community="north", quantity=1, **fields):
        ask = self.small.request(key, community=community, quantity=quantity, **fields)
        need = self.floor.do(needs.state, ask, self.small.print_only)
        self.floor.do(SHARE)
        return need.id

    def vote(self, token, approvals, round_id="r1", **limits):
        wishes = boxes.Wishes(approvals, limits)
        return self.floor.do(boxes.cast_ballot, round_id, token, wishes)

    def need(self, need):
        with self.floor.store.read() as tx:
            return tx.needs.get(need)

    def carried(self, kind):
        with self.floor.store.read() as tx:
            return tx.rounds.carried(kind)

    def publish(self, folder: Path, round_id="r1"):
        folder.mkdir(parents=True, exist_ok=True)
        with self.floor.store.read() as tx:
            for file in tx.rounds.files(round_id):
                (folder / file.name).write_bytes(file.body.encode())
        return folder / "round.json"
