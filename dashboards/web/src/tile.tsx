// One machine: state by colour, shape and word; what it makes and for whom; what comes next.
import { memo } from "preact/compat";
import * as api from "./api";
import { AskButton, HoldButton } from "./ask";
import { type FloorClock, floorNow, realMs, span, useTick } from "./clock";
import { Shape } from "./shapes";
import { t } from "./i18n";
import { Link, machinePath } from "./router";
import { SwapButton } from "./swap";
import { Told, When } from "./told";
import type { FloorDocument, MachineState, MachineView, MaterialView } from "./types";
import { grams, STATE_MEANING, STATE_WORDS } from "./words";

type Props = {
  machine: MachineView;
  floor: FloorDocument;
  clock: FloorClock;
  /** performance.now() of the last change received, if any since the page was opened */
  changedMs: number | undefined;
  openNeed: (id: string) => void;
  /** whether the name leads to the machine's page */
  linked?: boolean;
};

/** Drawn again when what it shows has changed; of the floor it needs the lots alone. */
function same(a: Props, b: Props): boolean {
  return (
    a.machine === b.machine &&
    a.clock === b.clock &&
    a.changedMs === b.changedMs &&
    a.openNeed === b.openNeed &&
    a.floor.lots === b.floor.lots
  );
}

export const Tile = memo(function Tile(props: Props) {
  const { machine, floor, clock, changedMs, openNeed, linked = true } = props;
  const { state } = machine;
  return (
    <li class={`tile is-${state}`} id={`machine-${machine.id}`}>
      <header class="tile-head">
        <Shape state={state} />
        <h3>
          <span class="machine-name">
            {linked ? <Link to={machinePath(machine.id)}>{machine.name}</Link> : machine.name}
          </span>
          <span class="word" title={`${machine.name}: ${STATE_MEANING[state]}`}>
            {STATE_WORDS[state]}
          </span>
        </h3>
        <Age machine={machine} clock={clock} changedMs={changedMs} />
      </header>
      <div class="tile-body">
        {machine.why ? <p class={["person", "clear"].includes(machine.state) ? "todo" : "why"}><Told text={machine.why} /></p> : null}
        {machine.robot ? <p class="robot"><Told text={machine.robot} /></p> : null}
        <Work machine={machine} clock={clock} openNeed={openNeed} />
        <Materials machine={machine} floor={floor} />
        {machine.next ? (
          <p class="next">
            <span class="tag">{t("Next")}</span>
            <span>
              {machine.next}
              {machine.next_at ? <When at={machine.next_at} before={t(" at ")} /> : null}
            </span>
          </p>
        ) : null}
      </div>
      <Controls machine={machine} />
    </li>
  );
}, same);

type AgeProps = Pick<Props, "machine" | "clock" | "changedMs">;

/** How old what is shown is. A machine that is not silent was heard of within 50 s. */
function Age({ machine, clock, changedMs }: AgeProps) {
  useTick(5000);
  if (machine.state === "silent") {
    const age = machine.seen_at
      ? t("last heard {age} ago", { age: span((floorNow(clock) - machine.seen_at) / clock.rate) })
      : t("never heard");
    return <span class="age old">{age}</span>;
  }
  const text = changedMs === undefined ? t("live") : t("{age} ago", { age: span(realMs() - changedMs) });
  return (
    <span class="age" title={t("time since the last change; the machine was heard within 50 s")}>
      <i aria-hidden="true" /> {text}
    </span>
  );
}

function Work({ machine, clock, openNeed }: Pick<Props, "machine" | "clock" | "openNeed">) {
  if (machine.settle && machine.state !== "person") {
    return (
      <div class="work">
        <p class="label">{machine.label}</p>
        <p class="for">{t("is on it, to be taken off")}</p>
      </div>
    );
  }
  if (!machine.order) {
    return <p class="none">{machine.state === "ready" ? t("Waits for work") : t("No order")}</p>;
  }
  const { need, percent } = machine;
  return (
    <div class="work">
      <p class="label">
        {need ? (
          <button type="button" class="link" onClick={() => openNeed(need)}>
            {machine.label ?? machine.order}
          </button>
        ) : (
          (machine.label ?? machine.order)
        )}
      </p>
      {machine.community ? <p class="for">{t("for {whom}", { whom: machine.community })}</p> : null}
      {percent === undefined || machine.state === "person" ? null : (
        <>
          <p class="figures">
            <strong>
              {percent}
              <small> %</small>
            </strong>
            <Eta machine={machine} clock={clock} />
          </p>
          <div
            class="bar"
            role="progressbar"
            aria-label={t("Progress of {name}", { name: machine.name })}
            aria-valuenow={percent}
            aria-valuemin={0}
            aria-valuemax={100}
          >
            <span style={{ width: `${percent}%` }} />
          </div>
        </>
      )}
    </div>
  );
}

function Eta({ machine, clock }: { machine: MachineView; clock: FloorClock }) {
  useTick(10_000);
  if (!machine.eta_at || machine.state === "silent") return null;
  if (machine.eta_at + 60_000 < floorNow(clock)) {
    return <span class="eta late">{t("late, was due")} <When at={machine.eta_at} /></span>;
  }
  return (
    <span class="eta">
      {t("done by")} <When at={machine.eta_at} />
    </span>
  );
}

function Materials({ machine, floor }: Pick<Props, "machine" | "floor">) {
  const loaded = Object.entries(machine.material ?? {});
  return (
    <>
      {loaded.map(([ch, item]) => (
        <div key={ch} class="material-row">
          <Material item={item} percent={machine.percent ?? 0} />
          <SwapButton floor={floor} machine={machine} ch={Number(ch)} material={item.material} />
        </div>
      ))}
    </>
  );
}

function Material({ item, percent }: { item: MaterialView; percent: number }) {
  const needs = ((item.needs_mg ?? 0) * (100 - percent)) / 100;
  const short = needs > item.left_mg;
  return (
    <p class={`material ${short ? "short" : ""}`}>
      <span class="tag">{t("Material")}</span>
      <span>
        {[item.material.toUpperCase(), item.colour].filter(Boolean).join(" ")}{" "}
        <b>{grams(item.left_mg)}</b> {t("left")}
        {item.needs_mg ? `, ${t("{mass} needed", { mass: needs < 1000 ? t("under 1 g") : grams(needs) })}` : ""}
        {short ? ` — ${t("runs out!")}` : ""}
      </span>
    </p>
  );
}

const MOVING: readonly MachineState[] = ["running", "starting"];
const TO_CLEAR: readonly MachineState[] = ["clear", "person", "fault", "stopped"];

function Controls({ machine }: { machine: MachineView }) {
  const { id, name, state, saw } = machine;
  return (
    <div class="controls" role="group" aria-label={t("Controls of {name}", { name })}>
      {TO_CLEAR.includes(state) ? (
        <ClearButtons machine={id} name={name} saw={saw} settle={machine.settle !== undefined || state === "person"} />
      ) : null}
      {state === "paused" ? (
        <AskButton
          label={t("Resume {name}", { name })}
          done={t("{name}: resume sent", { name })}
          run={() => api.control(id, "resume", saw)}
        >
          {t("Resume")}
        </AskButton>
      ) : null}
      {TO_CLEAR.includes(state) || state === "paused" ? null : (
        <AskButton
          label={t("Pause {name}", { name })}
          done={t("{name}: pause sent", { name })}
          disabled={state !== "running"}
          run={() => api.control(id, "pause", saw)}
        >
          {t("Pause")}
        </AskButton>
      )}
      {TO_CLEAR.includes(state) ? null : (
        <HoldButton
          label={t("Cancel {name}", { name })}
          done={t("{name}: cancel sent", { name })}
          disabled={!MOVING.includes(state) && state !== "paused"}
          run={() => api.control(id, "cancel", saw)}
        >
          {t("Cancel")}
        </HoldButton>
      )}
      {machine.kind === "station" ? null : (
      <AskButton
        class="stop"
        label={t("Emergency stop {name}", { name })}
        done={t("{name}: STOP sent", { name })}
        right="stop"
        run={() => api.stop(id)}
      >
        {t("Stop")}
      </AskButton>
      )}
    </div>
  );
}

type ClearProps = { machine: string; name: string; saw: string; settle: boolean };

/** Clear, and with the same tap what became of the part; without a part there is one button. */
export function ClearButtons({ machine, name, saw, settle }: ClearProps) {
  if (!settle) {
    return (
      <AskButton
        label={t("It is clear: {name}", { name })}
        done={t("{name}: said to be clear", { name })}
        run={() => api.clear(machine, "good", 0, saw)}
      >
        {t("It is clear")}
      </AskButton>
    );
  }
  return (
    <>
      <AskButton
        class="good"
        label={t("{name} is clear, the part is good", { name })}
        done={t("{name}: clear, part good", { name })}
        run={() => api.clear(machine, "good", 1, saw)}
      >
        ✓ {t("Good")}
      </AskButton>
      <AskButton
        class="bad"
        label={t("{name} is clear, the part is bad", { name })}
        done={t("{name}: clear, part bad", { name })}
        run={() => api.clear(machine, "bad", 0, saw)}
      >
        ✗ {t("Bad")}
      </AskButton>
    </>
  );
}
