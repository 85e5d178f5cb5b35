// The queue: every open need, how far each step is, and why what waits is waiting.
import { memo } from "preact/compat";
import { type FloorClock, floorNow } from "./clock";
import { t } from "./i18n";
import { Told, When } from "./told";
import type { FloorDocument, NeedView, StepView } from "./types";
import { CLASS_WORDS, NEED_WORDS } from "./words";

type Row = { id: string; need: NeedView };
const ENDED = ["delivered", "refused", "withdrawn"];

export function byTurn(a: Row, b: Row): number {
  return (
    Number(ENDED.includes(a.need.state)) - Number(ENDED.includes(b.need.state)) ||
    a.need.order - b.need.order ||
    (a.need.due_at ?? Infinity) - (b.need.due_at ?? Infinity) ||
    a.need.created_at - b.need.created_at ||
    a.id.localeCompare(b.id)
  );
}

type Props = {
  floor: FloorDocument;
  clock: FloorClock;
  openNeed: (id: string) => void;
  stateNeed: () => void;
};

export function Queue({ floor, clock, openNeed, stateNeed }: Props) {
  const rows = Object.entries(floor.needs).map(([id, need]) => ({ id, need }));
  rows.sort(byTurn);
  return (
    <section class="panel queue" aria-labelledby="queue-title">
      <div class="panel-head">
        <h2 id="queue-title">
          {t("Needs")} <span class="sub">{t("{n} open", { n: floor.counters.open_needs })}</span>
        </h2>
        <button type="button" class="primary" onClick={stateNeed}>
          {t("State a need")}
        </button>
      </div>
      {rows.length === 0 ? <p class="none">{t("No need has been stated yet.")}</p> : null}
      <ul class="needs">
        {rows.map(({ id, need }) => (
          <NeedRow key={id} id={id} need={need} clock={clock} openNeed={openNeed} />
        ))}
      </ul>
    </section>
  );
}

type RowProps = { id: string; need: NeedView; clock: FloorClock; openNeed: (id: string) => void };

const NeedRow = memo(function NeedRow({ id, need, clock, openNeed }: RowProps) {
  const steps = Object.entries(need.steps ?? {}).sort(([, a], [, b]) => a.n - b.n);
  const late = need.due_at !== undefined && need.due_at < floorNow(clock);
  return (
    <li class={`need cls-${need.cls} st-${need.state}`}>
      <div class="need-head">
        <button type="button" class="link need-title" onClick={() => openNeed(id)}>
          {need.quantity} × {need.part}
        </button>
        <span class="for">
          {t("for {whom}", { whom: need.community })}
          {need.home ? ` · ${t("a need of {site}", { site: need.home })}` : ""}
          {need.holder ? ` · ${t("made by {site}", { site: need.holder })}` : ""}
          {need.holder === "" ? ` · ${t("offered to other sites")}` : ""}
        </span>
        <span class={`chip cls-${need.cls}`}>{CLASS_WORDS[need.cls] ?? need.cls}</span>
        <span class={`chip st-${need.state}`}>
          {NEED_WORDS[need.state] ?? need.state}
          {need.made !== undefined && need.state === "making" ? ` ${need.made}/${need.quantity}` : ""}
        </span>
        <span class="dates">
          {need.due_at ? (
            <span class={late ? "late" : ""}>
              {t("due")} <When at={need.due_at} />
            </span>
          ) : null}
          {need.eta_at && !ENDED.includes(need.state) ? (
            <span>
              {t("expected")} <When at={need.eta_at} />
            </span>
          ) : null}
        </span>
      </div>
      {need.reason ? <p class="reason"><Told text={need.reason} /></p> : null}
      {steps.length > 0 && !ENDED.includes(need.state) ? (
        <ol class="steps">
          {steps.map(([name, step]) => (
            <Step key={name} name={name} step={step} told={Boolean(need.reason)} />
          ))}
        </ol>
      ) : null}
    </li>
  );
});

/** `told`: the need says itself why it waits. */
function Step({ name, step, told }: { name: string; step: StepView; told: boolean }) {
  const { total, done = 0, active = 0, waiting = 0 } = step;
  const words = [
    done ? t("{n} done", { n: done }) : "",
    active ? t("{n} now", { n: active }) : "",
    waiting ? t("{n} waiting", { n: waiting }) : "",
  ].filter(Boolean);
  const share = (n: number): { width: string } => ({ width: `${(100 * n) / total}%` });
  return (
    <li class={waiting ? "step has-wait" : "step"}>
      <span class="step-name">{name}</span>
      <span class="step-bar" aria-hidden="true">
        <i class="done" style={share(done)} />
        <i class="active" style={share(active)} />
      </span>
      <span class="step-count">
        {words.join(", ")}
        {words.length === 1 && total > 1 ? ` ${t("of {n}", { n: total })}` : ""}
      </span>
      {step.reason && !told ? <span class="step-reason"><Told text={step.reason} /></span> : null}
    </li>
  );
}
