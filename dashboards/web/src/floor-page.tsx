// The floor: what needs a person, the machines, the needs, material, events.
import { useMemo } from "preact/hooks";
import { Attention } from "./attention";
import { t } from "./i18n";
import type { Live } from "./live";
import { Queue } from "./queue";
import { LastEvents, Lots, Refused } from "./side";
import { Tile } from "./tile";

type Props = { live: Live; openNeed: (id: string) => void; stateNeed: () => void };

export function FloorPage({ live, openNeed, stateNeed }: Props) {
  const { floor, clock } = live;
  const machines = useMemo(
    () =>
      Object.values(floor.machines).sort((a, b) =>
        a.id.localeCompare(b.id, undefined, { numeric: true }),
      ),
    [floor.machines],
  );
  return (
    <>
      <Attention floor={floor} clock={clock} openNeed={openNeed} />
      <section aria-labelledby="machines-title" id="machines">
        <h2 id="machines-title">
          {t("Machines")} <span class="sub">{machines.length}</span>
        </h2>
        {machines.length === 0 ? <p class="none">{t("No machine has said hello yet.")}</p> : null}
        <ul class="tiles">
          {machines.map((machine) => (
            <Tile
              key={machine.id}
              machine={machine}
              floor={floor}
              clock={clock}
              changedMs={live.changedMs[machine.id]}
              openNeed={openNeed}
            />
          ))}
        </ul>
      </section>
      <div class="below">
        <Queue floor={floor} clock={clock} openNeed={openNeed} stateNeed={stateNeed} />
        <div class="side">
          <Lots floor={floor} />
          <LastEvents floor={floor} />
          <Refused floor={floor} />
        </div>
      </div>
    </>
  );
}
