"""Communities that do not exist: their members hold one allocation round of a demo.

Seeded: members approve needs of their own community more often than others', stewards attest what
was stated as urgent or basic. The round they hold is published into a folder and checked there.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from controller.adapters.store import Tx
from controller.commons import boxes, members, rounds, urgent
from controller.commons.records import Round, RoundNeed
from controller.commons.settings import RoundSettings
from controller.rounds_verify.verify import verify_file
from fabcommons.running import RunningSite

SETTINGS = RoundSettings(tries=1, ballot_h=1, protected=["petg"])
VOTERS_PER_MEMBERS = 5  # one in five members votes
LIMIT_MG = (3_500_000, 6_000_000)
OWN, OTHER = 0.6, 0.15  # how often a member approves a need


@dataclass(frozen=True, slots=True)
class Held:
    """A round that was held: what was published where, and what its check found."""

    round: str
    ballots: int
    accepted: int
    urgent: int
    inputs_sha256: str
    file: Path
    findings: tuple[str, ...]

    def words(self) -> str:
        """The round in one line."""
        checked = "; ".join(self.findings) or "its certificate is correct"
        return (
            f"round {self.round}: {self.ballots} ballots, {self.accepted} needs accepted, "
            f"{self.urgent} went ahead as urgent; {checked}"
        )


class Town:
    """Members and stewards of every community of a running site; ``held`` is their first round."""

    def __init__(self, running: RunningSite, seed: int) -> None:
        self._running = running
        self._chance = random.Random(f"{seed} town")
        self._voters: dict[str, list[str]] = {}
        self._stewards: dict[str, str] = {}
        self.held: Held | None = None
        running.site.submit(self._admit)

    def _admit(self, tx: Tx) -> None:
        for community in tx.communities.all():
            count = max(1, community.members // VOTERS_PER_MEMBERS - 1)
            new = members.admit_members(tx, community.id, count)
            self._voters[community.id] = [one.token for one in new]
            self._stewards[community.id] = members.admit_members(tx, community.id, 1, True)[0].token
        rounds.open_round(tx, SETTINGS.length_h)

    def hold(self, needs: Iterable[str], folder: Path) -> Held:
        """Attest, vote, close, count, publish and check the first round."""
        site, listed = self._running.site, list(needs)
        site.submit(self._running.share)
        ahead = site.submit(lambda tx: self._attest(tx, listed))
        site.submit(self._vote)
        with site.read() as tx:
            current = tx.rounds.current()
        assert current is not None
        found = self._running.rounds.close(current.id)
        self.held = self._publish(found, folder / f"round-{found.id}", ahead)
        return self.held

    def attend(self) -> None:
        """Let members vote in a round that was opened since, so that what people add is made."""
        with self._running.site.read() as tx:
            current = tx.rounds.current()
            waiting = current is not None and self._unsupported(tx, current)
        if waiting:
            self._running.site.submit(self._vote)

    @staticmethod
    def _unsupported(tx: Tx, current: Round) -> list[RoundNeed]:
        voted = {need for b in tx.rounds.ballots(current.id) for need in b.approvals}
        return [row for row in tx.rounds.needs(current.id) if row.need not in voted]

    def _attest(self, tx: Tx, needs: list[str]) -> int:
        """Stewards of other communities attest; how many urgent needs went ahead."""
        ahead = 0
        for name in needs:
            for community, token in sorted(self._stewards.items()):
                need = tx.needs.get(name)
                if need is None or need.state != "stated" or need.need_class == "normal":
                    break
                if need.community != community:
                    after = urgent.attest(tx, name, token)
                    ahead += after.state == "accepted"
        return ahead

    def _vote(self, tx: Tx) -> None:
        current = tx.rounds.current()
        if current is None or tx.now_ms >= current.closes_at:
            return
        rows = [(row.need, tx.needs.get(row.need)) for row in tx.rounds.needs(current.id)]
        home = {name: need.community for name, need in rows if need is not None}
        ballots = {
            (community, token): self._approvals(community, home)
            for community, tokens in sorted(self._voters.items())
            for token in tokens
        }
        approved = {need for approvals in ballots.values() for need in approvals}
        for need in sorted(set(home) - approved):  # nobody's wish is left without one voice
            first = min(key for key in ballots if key[0] == home[need])
            ballots[first][need] = 1
        for (_, token), approvals in ballots.items():
            limits = {"petg": self._chance.randint(*LIMIT_MG)}
            boxes.cast_ballot(tx, current.id, token, boxes.Wishes(approvals, limits))

    def _approvals(self, community: str, home: dict[str, str]) -> dict[str, int]:
        return {
            need: self._chance.randint(1, 3)
            for need in sorted(home)
            if self._chance.random() < (OWN if home[need] == community else OTHER)
        }

    def _publish(self, found: Round, folder: Path, ahead: int) -> Held:
        folder.mkdir(parents=True, exist_ok=True)
        with self._running.site.read() as tx:
            for file in tx.rounds.files(found.id):
                (folder / file.name).write_bytes(file.body.encode())
            ballots = len(tx.rounds.ballots(found.id))
            accepted = sum(d.state == "accepted" for d in tx.rounds.decisions(found.id))
        file = folder / "round.json"
        wrong = verify_file(file, found.inputs_sha) if file.exists() else []
        findings = tuple(map(str, wrong))
        sha = found.inputs_sha or ""
        return Held(found.id, ballots, accepted, ahead, sha, file, findings)
