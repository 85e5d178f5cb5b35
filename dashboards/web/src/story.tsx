// A need from start to finish: stated, its operations, the orders on machines, material, ledger.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import * as api from "./api";
import { span } from "./clock";
import { t } from "./i18n";
import { Link, partPath } from "./router";
import { said } from "./said";
import { Listed, Told, When, Words } from "./told";
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
  close: () => void;
};

export function Story({ id, row, close }: Props) {
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
        {story ? <Whole story={story} /> : <p>{t("Reading…")}</p>}
      </div>
    </dialog>
  );
}

function Whole({ story }: { story: NeedStory }) {
  const when = (at: number | undefined): ComponentChildren => (at ? <When at={at} /> : undefined);
  const facts: [string, ComponentChildren][] = [
    [t("For"), story.community],
    [
      t("State"),
      `${NEED_WORDS[story.state] ?? story.state}, ${t("{n} of {of} made", { n: story.made, of: story.quantity })}`,
    ],
    [t("Class"), CLASS_WORDS[story.cls] ?? story.cls],
    [t("Stated"), <Listed key="stated" parts={[when(story.created_at), story.stated_by]} by=", " />],
    [t("Due"), when(story.due_at)],
    [t("Expected"), story.delivered_at ? undefined : when(story.eta_at)],
    [t("Delivered"), when(story.delivered_at)],
    [t("Design"), story.title ?? story.design],
    [t("License"), [story.license, story.licensor].filter(Boolean).join(", ") || undefined],
    [t("Why"), story.reason ? <Told key="why" text={story.reason} /> : undefined],
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
              <Operation key={op.id} op={op} />
            ))}
          </ol>
        </section>
      ))}
      <Lines story={story} />
    </>
  );
}

function byUnit(operations: OperationStory[]): Map<number, OperationStory[]> {
  const units = new Map<number, OperationStory[]>();
  for (const op of operations) units.set(op.unit, [...(units.get(op.unit) ?? []), op]);
  return units;
}

function Operation({ op }: { op: OperationStory }) {
  return (
    <li class={`op op-${op.state}`}>
      <p class="op-head">
        <b>{op.step}</b>
        <span class={`chip op-${op.state}`}>{OPERATION_WORDS[op.state] ?? op.state}</span>
        {op.machine ? <span>{t("on {machine}", { machine: op.machine })}</span> : null}
        {op.planned_start_at && !op.orders.length ? (
          <span>
            <Words text="from {when}" values={{ when: <When at={op.planned_start_at} /> }} />
          </span>
        ) : null}
        {op.estimated_mg ? <span>{t("about {mass}", { mass: grams(op.estimated_mg) })}</span> : null}
      </p>
      {op.reason ? <p class="reason"><Told text={op.reason} /></p> : null}
      {op.instructions ? <p class="note">{op.instructions}</p> : null}
      {op.orders.map((order) => (
        <Attempt key={order.id} order={order} />
      ))}
    </li>
  );
}

function Attempt({ order }: { order: OrderStory }) {
  const times = [
    order.started_at ? <Words text="began {when}" values={{ when: <When at={order.started_at} /> }} /> : "",
    order.ended_at ? <Words text="ended {when}" values={{ when: <When at={order.ended_at} /> }} /> : "",
    order.run_ms ? t("ran {span}", { span: span(order.run_ms) }) : "",
  ];
  const mass = [
    order.measured_mg ? t("{mass} measured", { mass: exactGrams(order.measured_mg) }) : "",
    order.uncertain_mg ? t("{mass} uncertain", { mass: exactGrams(order.uncertain_mg) }) : "",
  ];
  return (
    <p class={`attempt order-${order.state}`}>
      <b>{order.machine}</b> <Told text={order.words} />
      {order.percent === undefined ? "" : ` ${order.percent} %`}
      {order.result ? `, ${RESULT_WORDS[order.result] ?? order.result}` : ""}
      {order.by ? ` (${t("said {who}", { who: order.by })})` : ""}
      {order.why ? (
        <>
          {" "}
          — <Told text={order.why} />
        </>
      ) : null}
      <span class="sub">
        <Listed parts={[...times, ...mass, t("order {id}", { id: order.id })]} />
      </span>
    </p>
  );
}

function Lines({ story }: { story: NeedStory }) {
  if (story.lines.length === 0) return null;
  return (
    <section class="unit">
      <h3>{t("Ledger of this need")}</h3>
      <ol class="events">
        {story.lines.map((line) => (
          <li key={line.id}>
            <When at={line.happened_at} />
            <span>
              <b>{ACTION_WORDS[line.action] ?? line.action}</b>{" "}
              {[
                line.mass_mg ? `${exactGrams(line.mass_mg)} ${MEASURE_WORDS[line.measure] ?? line.measure}` : "",
                line.pieces ? t("{n} pcs", { n: line.pieces }) : "",
                line.duration_ms ? span(line.duration_ms) : "",
                line.lot ? t("lot {lot}", { lot: line.lot }) : "",
                line.to_lot ? t("to lot {lot}", { lot: line.to_lot }) : "",
                `${said(line.provider)} → ${said(line.receiver)}`,
                said(line.note),
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
