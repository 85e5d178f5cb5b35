// A need from start to finish: stated, its operations, the orders on machines, material, ledger.
import { useEffect, useRef, useState } from "preact/hooks";
import * as api from "./api";
import { clockTime, type FloorClock, floorNow, span, utc } from "./clock";
import { t } from "./i18n";
import { Link, partPath } from "./router";
import { said } from "./said";
import type { NeedStory, NeedView, OperationStory, OrderStory } from "./types";
import {
  ACTION_WORDS,
  CLASS_WORDS,
  exactGrams,
  grams,
  MEASURE_WORDS,
  NEED_WORDS,
  OPERATION_WORDS,
  RESULT_WORDS,
} from "./words";

type Props = {
  id: string;
  /** the need's row: when it changes, the story is read again */
  row: NeedView | undefined;
  clock: FloorClock;
  close: () => void;
};

export function Story({ id, row, clock, close }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [story, setStory] = useState<NeedStory | undefined>(undefined);
  const [error, setError] = useState("");
  useEffect(() => dialog.current?.showModal(), []);
  useEffect(() => {
    let here = true;
    api
      .needStory(id)
      .then((read) => here && (setStory(read), setError("")))
      .catch((e: unknown) => here && setError(e instanceof Error ? e.message : String(e)));
    return () => {
      here = false;
    };
  }, [id, row]);
  return (
    <dialog
      ref={dialog}
      class="drawer"
      aria-labelledby="story-title"
      onClose={close}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
    >
      <div class="drawer-in">
        <div class="panel-head">
          <h2 id="story-title">{story ? `${story.quantity} × ${story.part}` : t("Need {id}", { id })}</h2>
          <button type="button" onClick={() => dialog.current?.close()}>
            {t("Close")}
          </button>
        </div>
        {error ? <p class="problem">{error}</p> : null}
        {story ? <Told story={story} clock={clock} /> : <p>{t("Reading…")}</p>}
      </div>
    </dialog>
  );
}

function Told({ story, clock }: { story: NeedStory; clock: FloorClock }) {
  const now = floorNow(clock);
  const facts: [string, string | undefined][] = [
    [t("For"), story.community],
    [
      t("State"),
      `${NEED_WORDS[story.state] ?? story.state}, ${t("{n} of {of} made", { n: story.made, of: story.quantity })}`,
    ],
    [t("Class"), CLASS_WORDS[story.cls] ?? story.cls],
    [t("Stated"), [clockTime(story.created_at, now), story.stated_by].filter(Boolean).join(", ")],
    [t("Due"), story.due_at ? clockTime(story.due_at, now) : undefined],
    [t("Expected"), story.eta_at && !story.delivered_at ? clockTime(story.eta_at, now) : undefined],
    [t("Delivered"), story.delivered_at ? clockTime(story.delivered_at, now) : undefined],
    [t("Design"), story.title ?? story.design],
    [t("License"), [story.license, story.licensor].filter(Boolean).join(", ") || undefined],
    [t("Why"), said(story.reason)],
    [t("Note"), story.note],
  ];
  const units = byUnit(story.operations);
  return (
    <>
      <dl class="facts">
        {facts.map(([name, value]) =>
          value ? (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ) : null,
        )}
      </dl>
      <p>
        <Link to={partPath(story.id)}>{t("The public record of its parts")}</Link>
      </p>
      {[...units].map(([unit, operations]) => (
        <section key={unit} class="unit">
          <h3>
            {t("Piece {n} of {of}", { n: unit + 1, of: story.quantity })}
          </h3>
          <ol class="timeline">
            {operations.map((op) => (
              <Operation key={op.id} op={op} now={now} />
            ))}
          </ol>
        </section>
      ))}
      <Lines story={story} now={now} />
    </>
  );
}

function byUnit(operations: OperationStory[]): Map<number, OperationStory[]> {
  const units = new Map<number, OperationStory[]>();
  for (const op of operations) units.set(op.unit, [...(units.get(op.unit) ?? []), op]);
  return units;
}

function Operation({ op, now }: { op: OperationStory; now: number }) {
  return (
    <li class={`op op-${op.state}`}>
      <p class="op-head">
        <b>{op.step}</b>
        <span class={`chip op-${op.state}`}>{OPERATION_WORDS[op.state] ?? op.state}</span>
        {op.machine ? <span>{t("on {machine}", { machine: op.machine })}</span> : null}
        {op.planned_start_at && !op.orders.length ? (
          <span>{t("from {when}", { when: clockTime(op.planned_start_at, now) })}</span>
        ) : null}
        {op.estimated_mg ? <span>{t("about {mass}", { mass: grams(op.estimated_mg) })}</span> : null}
      </p>
      {op.reason ? <p class="reason">{said(op.reason)}</p> : null}
      {op.instructions ? <p class="note">{op.instructions}</p> : null}
      {op.orders.map((order) => (
        <Attempt key={order.id} order={order} now={now} />
      ))}
    </li>
  );
}

function Attempt({ order, now }: { order: OrderStory; now: number }) {
  const times = [
    order.started_at ? t("began {when}", { when: clockTime(order.started_at, now) }) : "",
    order.ended_at ? t("ended {when}", { when: clockTime(order.ended_at, now) }) : "",
    order.run_ms ? t("ran {span}", { span: span(order.run_ms) }) : "",
  ].filter(Boolean);
  const mass = [
    order.measured_mg ? t("{mass} measured", { mass: exactGrams(order.measured_mg) }) : "",
    order.uncertain_mg ? t("{mass} uncertain", { mass: exactGrams(order.uncertain_mg) }) : "",
  ].filter(Boolean);
  return (
    <p class={`attempt order-${order.state}`}>
      <b>{order.machine}</b> {order.words}
      {order.percent === undefined ? "" : ` ${order.percent} %`}
      {order.result ? `, ${RESULT_WORDS[order.result] ?? order.result}` : ""}
      {order.by ? ` (${t("said {who}", { who: order.by })})` : ""}
      {order.why ? ` — ${said(order.why)}` : ""}
      <span class="sub" title={order.started_at ? utc(order.started_at) : undefined}>
        {[...times, ...mass, t("order {id}", { id: order.id })].join(" · ")}
      </span>
    </p>
  );
}

function Lines({ story, now }: { story: NeedStory; now: number }) {
  if (story.lines.length === 0) return null;
  return (
    <section class="unit">
      <h3>{t("Ledger of this need")}</h3>
      <ol class="events">
        {story.lines.map((line) => (
          <li key={line.id}>
            <time title={utc(line.happened_at)}>{clockTime(line.happened_at, now)}</time>
            <span>
              <b>{ACTION_WORDS[line.action] ?? line.action}</b>{" "}
              {[
                line.mass_mg ? `${exactGrams(line.mass_mg)} ${MEASURE_WORDS[line.measure] ?? line.measure}` : "",
                line.pieces ? t("{n} pcs", { n: line.pieces }) : "",
                line.duration_ms ? span(line.duration_ms) : "",
                line.lot ? t("lot {lot}", { lot: line.lot }) : "",
                line.to_lot ? t("to lot {lot}", { lot: line.to_lot }) : "",
                `${line.provider} → ${line.receiver}`,
                line.note ?? "",
              ]
                .filter(Boolean)
                .join(" · ")}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
