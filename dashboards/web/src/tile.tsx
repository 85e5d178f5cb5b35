// One machine: state by colour, shape and word; what it makes and for whom; what comes next.
import { memo } from "preact/compat";
import * as api from "./api";
import { AskButton, HoldButton } from "./ask";
import { clockTime, type FloorClock, floorNow, realMs, span, useTick, utc } from "./clock";
import { Shape } from "./shapes";
import type { MachineState, MachineView, MaterialView } from "./types";
import { grams, STATE_MEANING, STATE_WORDS } from "./words";

type Props = {
  machine: MachineView;
  clock: FloorClock;
  /** performance.now() of the last change received, if any since the page was opened */
  changedMs: number | undefined;
  openNeed: (id: string) => void;
};

export const Tile = memo(function Tile({ machine, clock, changedMs, openNeed }: Props) {
  const { state } = machine;
  return (
    <li class={`tile is-${state}`} id={`machine-${machine.id}`}>
      <header class="tile-head">
        <Shape state={state} />
        <h3>
          <span class="machine-name">{machine.name}</span>
          <span class="word" title={`${machine.name} ${STATE_MEANING[state]}`}>
            {STATE_WORDS[state]}
          </span>
        </h3>
        <Age machine={machine} clock={clock} changedMs={changedMs} />
      </header>
      <div class="tile-body">
        {machine.why ? <p class={["person", "clear"].includes(machine.state) ? "todo" : "why"}>{machine.why}</p> : null}
        <Work machine={machine} clock={clock} openNeed={openNeed} />
        <Materials machine={machine} />
        {machine.next ? (
          <p class="next">
            <span class="tag">Next</span>
            <span>
              {machine.next}
              {machine.next_at ? <When at={machine.next_at} clock={clock} before=" at " /> : null}
            </span>
          </p>
        ) : null}
      </div>
      <Controls machine={machine} />
    </li>
  );
});

/** How old what is shown is. A machine that is not silent was heard of within 50 s. */
function Age({ machine, clock, changedMs }: Omit<Props, "openNeed">) {
  useTick(5000);
  if (machine.state === "silent") {
    const age = machine.seen_at
      ? `last heard ${span((floorNow(clock) - machine.seen_at) / clock.rate)} ago`
      : "never heard";
    return <span class="age old">{age}</span>;
  }
  const text = changedMs === undefined ? "live" : `${span(realMs() - changedMs)} ago`;
  return (
    <span class="age" title="time since the last change; the machine was heard within 50 s">
      <i aria-hidden="true" /> {text}
    </span>
  );
}

export function When({ at, clock, before = "" }: { at: number; clock: FloorClock; before?: string }) {
  return (
    <time dateTime={new Date(at).toISOString()} title={utc(at)}>
      {before}
      {clockTime(at, floorNow(clock))}
    </time>
  );
}

function Work({ machine, clock, openNeed }: Omit<Props, "changedMs">) {
  if (machine.settle && machine.state !== "person") {
    return (
      <div class="work">
        <p class="label">{machine.label}</p>
        <p class="for">is on it, to be taken off</p>
      </div>
    );
  }
  if (!machine.order) {
    return <p class="none">{machine.state === "ready" ? "Waits for work" : "No order"}</p>;
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
      {machine.community ? <p class="for">for {machine.community}</p> : null}
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
            aria-label={`${machine.name} progress`}
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
    return <span class="eta late">late, was due <When at={machine.eta_at} clock={clock} /></span>;
  }
  return (
    <span class="eta">
      done by <When at={machine.eta_at} clock={clock} />
    </span>
  );
}

function Materials({ machine }: { machine: MachineView }) {
  const loaded = Object.entries(machine.material ?? {});
  return (
    <>
      {loaded.map(([ch, item]) => (
        <Material key={ch} item={item} percent={machine.percent ?? 0} />
      ))}
    </>
  );
}

function Material({ item, percent }: { item: MaterialView; percent: number }) {
  const needs = ((item.needs_mg ?? 0) * (100 - percent)) / 100;
  const short = needs > item.left_mg;
  return (
    <p class={`material ${short ? "short" : ""}`}>
      <span class="tag">Material</span>
      <span>
        {[item.material.toUpperCase(), item.colour].filter(Boolean).join(" ")}{" "}
        <b>{grams(item.left_mg)}</b> left
        {item.needs_mg ? `, ${needs < 1000 ? "under 1 g" : grams(needs)} needed` : ""}
        {short ? " — runs out!" : ""}
      </span>
    </p>
  );
}

const MOVING: readonly MachineState[] = ["running", "starting"];
const TO_CLEAR: readonly MachineState[] = ["clear", "person", "fault", "stopped"];

function Controls({ machine }: { machine: MachineView }) {
  const { id, name, state, saw } = machine;
  return (
    <div class="controls" role="group" aria-label={`Controls of ${name}`}>
      {TO_CLEAR.includes(state) ? (
        <ClearButtons machine={id} name={name} saw={saw} settle={machine.settle !== undefined || state === "person"} />
      ) : null}
      {state === "paused" ? (
        <AskButton
          label={`Resume ${name}`}
          done={`${name}: resume sent`}
          run={() => api.control(id, "resume", saw)}
        >
          Resume
        </AskButton>
      ) : null}
      {TO_CLEAR.includes(state) || state === "paused" ? null : (
        <AskButton
          label={`Pause ${name}`}
          done={`${name}: pause sent`}
          disabled={state !== "running"}
          run={() => api.control(id, "pause", saw)}
        >
          Pause
        </AskButton>
      )}
      {TO_CLEAR.includes(state) ? null : (
        <HoldButton
          label={`Cancel ${name}`}
          done={`${name}: cancel sent`}
          disabled={!MOVING.includes(state) && state !== "paused"}
          run={() => api.control(id, "cancel", saw)}
        >
          Cancel
        </HoldButton>
      )}
      {machine.kind === "station" ? null : (
      <AskButton
        class="stop"
        label={`Emergency stop ${name}`}
        done={`${name}: STOP sent`}
        run={() => api.stop(id)}
      >
        Stop
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
        label={`It is clear: ${name}`}
        done={`${name}: said to be clear`}
        run={() => api.clear(machine, "good", 0, saw)}
      >
        It is clear
      </AskButton>
    );
  }
  return (
    <>
      <AskButton
        class="good"
        label={`${name} is clear, the part is good`}
        done={`${name}: clear, part good`}
        run={() => api.clear(machine, "good", 1, saw)}
      >
        ✓ Good
      </AskButton>
      <AskButton
        class="bad"
        label={`${name} is clear, the part is bad`}
        done={`${name}: clear, part bad`}
        run={() => api.clear(machine, "bad", 0, saw)}
      >
        ✗ Bad
      </AskButton>
    </>
  );
}
