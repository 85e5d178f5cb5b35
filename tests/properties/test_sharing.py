"""Sites share needs over partitions, freezes, restarts, skew and forgers: once, and all."""

import pytest

from controller.commons import leases
from support.sharing import World

STEPS = 400


@pytest.mark.parametrize("seed", [1, 2])
def test_every_need_is_made_once_whatever_the_wire_does(tmp_path, seed):
    world = World(tmp_path, 60, seed)
    for _ in range(STEPS):
        world.step()
        if world.counts() == {leases.DONE: 60}:
            break
    assert world.counts() == {leases.DONE: 60}
    assert len(world.made) == 60
    assert {need: who for need, who in world.made.items() if len(who) != 1} == {}
    assert world.forged == world.found_out > 3
    world.close()
