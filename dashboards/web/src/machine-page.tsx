// One machine: what it does, drawn and charted; its orders, its maintenance, its firmware.
import { useEffect, useMemo, useState } from "preact/hooks";
import { AgeAt, ReadAge } from "./age";
import * as api from "./api";
import { AskButton } from "./ask";
import { Chart, GROUPS, SPANS_H } from "./chart";
import { type FloorClock, span } from "./clock";
import { Console } from "./console";
import { useFetched } from "./fetched";
import { locale, t, type Text } from "./i18n";
import type { Live } from "./live";
import { Link, partPath } from "./router";
import { said } from "./said";
import { Told, When } from "./told";
import { Tile } from "./tile";
import { Toolpath } from "./toolpath";
import type { MachinePage as Page, ReadingsView, ReadingView, RanView } from "./types";
import { UpkeepPanel } from "./upkeep";
import { CODE_WORDS, COMMAND_WORDS, exactGrams, figure, MACHINE_WORDS, RESULT_WORDS } from "./words";

type Props = { id: string; live: Live; openNeed: (id: string) => void };
const OLD_MS = 60_000;

export default function MachinePage({ id, live, openNeed }: Props) {
  const machine = live.floor.machines[id];
  const page = useFetched<Page>(`/api/machines/${encodeURIComponent(id)}`, machine);
  if (!machine) return <p class="none">{t("There is no machine {id}.", { id })}</p>;
  const { value } = page;
  return (
    <div class="machine-page">
      <div class="two">
        <section aria-label={machine.name}>
          <ul class="tiles one">
            <Tile
              machine={machine}
              floor={live.floor}
              clock={live.clock}
              changedMs={live.changedMs[id]}
              openNeed={openNeed}
              linked={false}
            />
          </ul>
          <Use id={id} name={machine.name} saw={machine.saw} out={machine.out_at !== undefined} again={page.again} />
        </section>
        <section class="panel" aria-labelledby="path-title">
          <h2 id="path-title">{t("What it makes")}</h2>
          {value?.program ? (
            <Toolpath
              sha256={value.program.sha256}
              kind={value.program.kind}
              size={value.program.size}
              name={machine.label ?? value.program.name}
              share={(machine.percent ?? 0) / 100}
            />
          ) : (
            <p class="none">{machine.order ? t("This order has no program to draw.") : t("It holds no order.")}</p>
          )}
        </section>
      </div>
      <Readings id={id} clock={live.clock} rate={live.clock.rate} />
      {page.error ? <p class="problem">{page.error}</p> : null}
      {value ? (
        <>
          <UpkeepPanel page={value} again={page.again} />
          <Console page={value} again={page.again} />
          <Orders page={value} readMs={page.readMs} />
          <Facts page={value} clock={live.clock} />
        </>
      ) : (
        <p class="reading">{t("Reading…")}</p>
      )}
    </div>
  );
}

type UseProps = { id: string; name: string; saw: string; out: boolean; again: () => void };

function Use({ id, name, saw, out, again }: UseProps) {
  const run = (ask: Promise<unknown>): Promise<unknown> => ask.then(again);
  return (
    <div class="controls use">
      {out ? (
        <AskButton
          label={t("Put {name} back in use", { name })}
          done={t("{name}: back in use", { name })}
          run={() => run(api.back(id))}
        >
          {t("Back in use")}
        </AskButton>
      ) : (
        <AskButton
          label={t("Take out for maintenance: {name}", { name })}
          done={t("{name}: out of use", { name })}
          run={() => run(api.out(id, saw, t("maintenance")))}
        >
          {t("Take out for maintenance")}
        </AskButton>
      )}
    </div>
  );
}

const POLL_MS = 2000;
// what people read in place of the wire's smallest units
const UNITS: Readonly<Record<string, readonly [number, string]>> = {
  mdegC: [1000, "°C"],
  ppm: [10_000, "%"],
  "um/s": [1000, "mm/s"],
  um: [1000, "mm"],
  mW: [1000, "W"],
  "1": [1, ""],
};

function human({ value, unit }: ReadingView): string {
  const [scale, name] = UNITS[unit] ?? [1, unit];
  return `${(value / scale).toLocaleString(locale(), { maximumFractionDigits: 1 })} ${name}`;
}

function Readings({ id, clock, rate }: { id: string; clock: FloorClock; rate: number }) {
  const [beat, setBeat] = useState(0);
  const [hours, setHours] = useState<number>(SPANS_H[0]);
  useEffect(() => {
    const timer = setInterval(() => document.hidden || setBeat((n) => n + 1), POLL_MS);
    return () => clearInterval(timer);
  }, []);
  const read = useFetched<ReadingsView>(`/api/readings/${encodeURIComponent(id)}`, beat);
  const last = useMemo(() => read.value?.last ?? [], [read.value]);
  const groups = GROUPS.filter((group) => last.some((r) => r.name === group.fields[0]));
  return (
    <section class="panel" aria-labelledby="readings-title">
      <div class="panel-head">
        <h2 id="readings-title">
          {t("Readings")} <ReadAge readMs={read.readMs} />
        </h2>
        {groups.length ? (
          <div class="choice" role="group" aria-label={t("How much time is shown")}>
            {SPANS_H.map((h) => (
              <button key={h} type="button" aria-pressed={h === hours} onClick={() => setHours(h)}>
                {h < 48 ? `${h} h` : t("{n} days", { n: h / 24 })}
              </button>
            ))}
          </div>
        ) : null}
      </div>
      {last.length === 0 ? <p class="none">{t("It has measured nothing yet.")}</p> : null}
      <div class="charts">
        {groups.map((group) => (
          <Chart key={group.title} machine={id} group={group} last={last} hours={hours} />
        ))}
      </div>
      {last.length ? (
        <dl class="readings">
          {last.map((r) => (
            <div key={r.name}>
              <dt title={r.name}><Told text={r.meaning} /></dt>
              <dd>
                <span class="number">{human(r)}</span> <AgeAt at={r.at} clock={clock} oldMs={OLD_MS * rate} />
              </dd>
            </div>
          ))}
        </dl>
      ) : null}
    </section>
  );
}

function Orders({ page, readMs }: { page: Page; readMs: number }) {
  return (
    <section class="panel" aria-labelledby="orders-title">
      <h2 id="orders-title">
        {t("Orders")} <span class="sub">{t("{h} h run in all", { h: figure(page.run_h, 1) })}</span> <ReadAge readMs={readMs} />
      </h2>
      {page.orders.length === 0 ? <p class="none">{t("It has had no order yet.")}</p> : null}
      <div class="scroll" tabIndex={0} role="region" aria-labelledby="orders-title">
        <table>
          <thead>
            <tr>
              <th scope="col">{t("Order")}</th>
              <th scope="col">{t("What")}</th>
              <th scope="col">{t("State")}</th>
              <th scope="col">{t("Began")}</th>
              <th scope="col">{t("Ran")}</th>
              <th scope="col" class="number">
                {t("Measured")}
              </th>
              <th scope="col">{t("Result")}</th>
            </tr>
          </thead>
          <tbody>
            {page.orders.map((order) => (
              <OrderRow key={order.id} order={order} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function OrderRow({ order }: { order: RanView }) {
  const began = order.started_at ?? order.offered_at;
  return (
    <tr>
      <th scope="row">{order.id}</th>
      <td>{order.need ? <Link to={partPath(order.need)}>{order.label}</Link> : order.label}</td>
      <td>
        <Told text={order.words} />
        {order.why ? <span class="sub"> <Told text={order.why} /></span> : null}
      </td>
      <td>
        <When at={began} />
      </td>
      <td>{order.run_ms ? span(order.run_ms) : "—"}</td>
      <td class="number">
        {order.measured_mg ? exactGrams(order.measured_mg) : "—"}
        {order.uncertain_mg ? <span class="sub"> ± {exactGrams(order.uncertain_mg)}</span> : null}
      </td>
      <td>
        {order.result ? (RESULT_WORDS[order.result] ?? order.result) : "—"}
        {order.by ? <span class="sub"> {order.by}</span> : null}
      </td>
    </tr>
  );
}

const ABILITIES: Readonly<Record<string, Text>> = {
  nozzle_um: "Nozzle",
  volume_um: "Room for a part",
  volume_mm: "Room for a part",
  layer_um: "Layer",
  spindle_rpm: "Spindle",
  materials: "Materials",
  processes: "Processes",
  process: "Processes",
  tools: "Tools",
  clears: "Clears the bed of",
  pose: "Place confirmed by",
  slicer_profile: "Slicer profile",
};
const worded = (words: Readonly<Record<string, Text>>, name: string): string => {
  const known = words[name];
  return known ? t(known) : name;
};

/** An ability as people say it: lengths in mm; a name nobody knows here stays as the machine says it. */
function ability(name: string, value: string): [string, string] {
  const known = ABILITIES[name];
  if (!known) return [name.replaceAll("_", " "), value];
  const scale = { um: 1000, mm: 1, rpm: 1 }[/_(um|mm|rpm)$/.exec(name)?.[1] ?? ""];
  if (!scale) return [t(known), value];
  const numbers = value.split(", ").map((n) => Number(n) / scale);
  if (numbers.some(Number.isNaN)) return [t(known), value];
  const figures = numbers.map((n) => n.toLocaleString(locale()));
  return [t(known), `${figures.join(" × ")} ${name.endsWith("rpm") ? "1/min" : "mm"}`];
}

function Facts({ page, clock }: { page: Page; clock: FloorClock }) {
  const facts: [string, string][] = [
    [t("Kind"), t(MACHINE_WORDS[page.machine.kind] ?? "machine")],
    [t("Link"), page.link],
    [t("Firmware"), page.fw || t("not said")],
    [t("Journal"), page.journal ? `${page.journal}, ${page.acked_s}` : "—"],
    [t("Start"), page.boot ?? "—"],
    ...page.capability.map(([name, value]): [string, string] => ability(name, value)),
  ];
  return (
    <section class="panel" aria-labelledby="facts-title">
      <h2 id="facts-title">
        {t("Firmware and abilities")}{" "}
        {page.seen_at ? (
          <span class="sub">
            {t("heard")} <AgeAt at={page.seen_at} clock={clock} oldMs={OLD_MS * clock.rate} />
          </span>
        ) : null}
      </h2>
      <dl class="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <h3>{t("Commands of people")}</h3>
      {page.commands.length === 0 ? <p class="none">{t("Nobody has asked anything of it yet.")}</p> : null}
      <ol class="events">
        {page.commands.map((given) => (
          <li key={given.id}>
            <When at={given.at} />
            <span>
              <b>{given.line ?? worded(COMMAND_WORDS, given.do)}</b> {said(given.who)} →{" "}
              {given.code ? worded(CODE_WORDS, given.code) : t("no answer yet")}
              {given.message ? <>: <Told text={given.message} /></> : null}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
