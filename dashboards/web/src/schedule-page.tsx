// Work over machines in time: planned above, as it happened below; why what waits is waiting.
import { useState } from "preact/hooks";
import { ReadAge } from "./age";
import { bothTimes, floorNow, span, useTick } from "./clock";
import { useFetched } from "./fetched";
import { locale, t } from "./i18n";
import type { Live } from "./live";
import { Link, machinePath } from "./router";
import { Shape } from "./shapes";
import { Told, toldPlain } from "./told";
import type { BarView, FloorDocument, TimelinePage, WaitView } from "./types";
import { WhatIf } from "./what-if";
import { STATE_WORDS } from "./words";

type Props = { live: Live; openNeed: (id: string) => void };
const HOUR_MS = 3_600_000;
const SPANS = [2, 6, 12, 24, 72];
const LEAST_SHARE = 4.5; // percent of the lane: 24 px of the narrowest

export default function SchedulePage({ live, openNeed }: Props) {
  const page = useFetched<TimelinePage>("/api/timeline", live.floor, 3000);
  const [hours, setHours] = useState(12);
  const [out, setOut] = useState("");
  useTick(5000);
  const { value } = page;
  if (!value) return <p class="reading">{page.error || t("Reading…")}</p>;
  const now = floorNow(live.clock);
  const view: View = { from: now - (hours * HOUR_MS) / 4, to: now + (hours * HOUR_MS * 3) / 4, now };
  return (
    <>
      <section class="panel" aria-labelledby="gantt-title">
        <div class="panel-head">
          <h2 id="gantt-title">
            {t("Schedule")} <ReadAge readMs={page.readMs} />
          </h2>
          <div class="choice" role="group" aria-label={t("How much time is shown")}>
            {SPANS.map((h) => (
              <button key={h} type="button" aria-pressed={h === hours} onClick={() => setHours(h)}>
                {h < 48 ? `${h} h` : t("{n} days", { n: h / 24 })}
              </button>
            ))}
          </div>
        </div>
        <Legend away={value.away.length > 0} />
        <Gantt page={value} floor={live.floor} view={view} openNeed={openNeed} />
      </section>
      <WhatIf floor={live.floor} out={out} setOut={setOut} />
      <Waits waits={value.waits} now={now} openNeed={openNeed} />
    </>
  );
}

type View = { from: number; to: number; now: number };

function Legend({ away }: { away: boolean }) {
  return (
    <p class="legend">
      <span><i class="bar-key planned" aria-hidden="true" /> {t("planned")}</span>
      <span><i class="bar-key ran" aria-hidden="true" /> {t("as it ran")}</span>
      <span><i class="bar-key runs" aria-hidden="true" /> {t("runs now")}</span>
      <span><i class="bar-key bad" aria-hidden="true" /> {t("failed or stopped")}</span>
      <span><i class="bar-key late" aria-hidden="true" /> {t("after its due time")}</span>
      <span><i class="bar-key due" aria-hidden="true" /> {t("due")}</span>
      {away ? <span><i class="bar-key away" aria-hidden="true" /> {t("nobody is here")}</span> : null}
    </p>
  );
}

type GanttProps = { page: TimelinePage; floor: FloorDocument; view: View; openNeed: (id: string) => void };

function Gantt({ page, floor, view, openNeed }: GanttProps) {
  const machines = Object.keys(page.rows).sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));
  const ticks = ticksOf(view);
  return (
    <div class="scroll gantt-scroll" tabIndex={0} role="region" aria-labelledby="gantt-title">
      <div class="gantt">
        <div class="gantt-axis" aria-hidden="true">
          {ticks.map((at) => (
            <span key={at} style={{ left: place(view, at) }}>
              {tickText(at, view)}
            </span>
          ))}
        </div>
        <ol>
          {machines.map((id) => {
            const machine = floor.machines[id];
            return (
              <li key={id} class="gantt-row">
                <div class={`gantt-name is-${machine?.state ?? "silent"}`}>
                  {machine ? <Shape state={machine.state} /> : null}
                  <Link to={machinePath(id)}>{machine?.name ?? id}</Link>
                  <span class="sub">{machine ? STATE_WORDS[machine.state] : ""}</span>
                </div>
                <div class="lane">
                  {ticks.map((at) => (
                    <i key={at} class="tick" aria-hidden="true" style={{ left: place(view, at) }} />
                  ))}
                  {page.away.map(([begin, end]) => {
                    const box = stretch(view, begin, end);
                    return box ? <i key={begin} class="away" style={{ left: box.left, width: box.width }} /> : null;
                  })}
                  {(page.rows[id] ?? []).map((bar) => (
                    <Bar key={bar.id} bar={bar} view={view} openNeed={openNeed} />
                  ))}
                  <i class="now" aria-hidden="true" style={{ left: place(view, view.now) }} />
                </div>
              </li>
            );
          })}
        </ol>
      </div>
    </div>
  );
}

function ticksOf({ from, to }: View): number[] {
  const steps = [0.25, 0.5, 1, 2, 3, 6, 12, 24].map((h) => h * HOUR_MS);
  const step = steps.find((s) => (to - from) / s <= 12) ?? 24 * HOUR_MS;
  const zone = new Date(from).getTimezoneOffset() * 60_000;
  const found: number[] = [];
  for (let at = Math.ceil((from - zone) / step) * step + zone; at < to; at += step) found.push(at);
  return found;
}

function tickText(at: number, view: View): string {
  const long = view.to - view.from > 30 * HOUR_MS;
  return new Intl.DateTimeFormat(locale(), {
    hour: "2-digit",
    minute: "2-digit",
    ...(long ? { weekday: "short" } : {}),
  }).format(at);
}

function place({ from, to }: View, at: number): string {
  return `${Math.min(100, Math.max(0, (100 * (at - from)) / (to - from)))}%`;
}

type Box = { left: string; width: string; share: number };

function stretch(view: View, start: number, end: number): Box | undefined {
  if (end <= view.from || start >= view.to) return undefined;
  const left = Math.max(start, view.from);
  const width = (100 * (Math.min(end, view.to) - left)) / (view.to - view.from);
  return { left: place(view, left), width: `max(4px, ${width}%)`, share: width };
}

const FAILED = ["FAILED", "CANCELLED", "ABORTED", "STOPPED", "UNKNOWN", "IN_DOUBT", "SCRAPPED", "DECLINED"];

function Bar({ bar, view, openNeed }: { bar: BarView; view: View; openNeed: (id: string) => void }) {
  const planned = bar.start_at && bar.end_at ? stretch(view, bar.start_at, bar.end_at) : undefined;
  const ended = bar.ended_at ?? Math.max(view.now, bar.began_at ?? 0);
  const ran = bar.began_at ? stretch(view, bar.began_at, ended) : undefined;
  const last = bar.ended_at ?? Math.max(bar.end_at ?? 0, bar.began_at ? view.now : 0);
  const late = bar.due_at !== undefined && last > bar.due_at;
  const due = late && bar.due_at && bar.due_at > view.from && bar.due_at < view.to ? bar.due_at : 0;
  const words = [
    bar.label,
    t("for {whom}", { whom: bar.community }),
    toldPlain(bar.words, view.now),
    bar.start_at ? t("planned {from} to {to}", { from: bothTimes(bar.start_at, view.now), to: bothTimes(bar.end_at ?? 0, view.now) }) : "",
    bar.began_at ? t("began {when}", { when: bothTimes(bar.began_at, view.now) }) : "",
    bar.ended_at ? t("ended {when}", { when: bothTimes(bar.ended_at, view.now) }) : "",
    bar.due_at ? t("due {when}", { when: bothTimes(bar.due_at, view.now) }) : "",
    late ? t("late by {span}", { span: span(last - (bar.due_at ?? 0)) }) : "",
  ].filter(Boolean);
  const kind = !bar.ended_at ? "runs" : FAILED.includes(bar.state) ? "failed" : "ran";
  const text = { words, open: () => openNeed(bar.need) };
  return (
    <>
      {planned ? (
        <Piece {...text} kind={`planned ${late ? "late" : ""}`} box={planned}>
          {ran ? "" : bar.label}
        </Piece>
      ) : null}
      {ran ? (
        <Piece {...text} kind={`${kind} ${late ? "late" : ""}`} box={ran}>
          {bar.label}
        </Piece>
      ) : null}
      {due ? <i class="due-mark" aria-hidden="true" title={words.join("\n")} style={{ left: place(view, due) }} /> : null}
    </>
  );
}

type PieceProps = { words: string[]; open: () => void; kind: string; box: Box; children: string };

/** A piece long enough to be hit is a button; a shorter one is only seen: show less time to press it. */
function Piece({ words, open, kind, box, children }: PieceProps) {
  const { left, width } = box;
  const said = { title: words.join("\n"), "aria-label": words.join(", "), style: { left, width } };
  if (box.share < LEAST_SHARE) return <span {...said} role="img" class={`work-bar ${kind}`} />;
  return (
    <button {...said} type="button" class={`work-bar ${kind}`} onClick={open}>
      {children}
    </button>
  );
}

function Waits({ waits, now, openNeed }: { waits: WaitView[]; now: number; openNeed: (id: string) => void }) {
  const groups = new Map<string, WaitView[]>();
  for (const wait of waits) groups.set(wait.reason, [...(groups.get(wait.reason) ?? []), wait]);
  const rows = [...groups].sort(([, a], [, b]) => b.length - a.length);
  return (
    <section class="panel" aria-labelledby="waits-title">
      <h2 id="waits-title">
        {t("What waits, and why")} <span class="sub">{waits.length}</span>
      </h2>
      {rows.length === 0 ? <p class="none">{t("Nothing waits.")}</p> : null}
      <ul class="waits">
        {rows.map(([reason, list]) => (
          <li key={reason}>
            <p class="reason">
              <Told text={reason} />
            </p>
            <p>
              {list.slice(0, 12).map((wait) => (
                <button
                  key={wait.id}
                  type="button"
                  class="link"
                  title={wait.due_at ? t("due {when}", { when: bothTimes(wait.due_at, now) }) : undefined}
                  onClick={() => openNeed(wait.need)}
                >
                  {wait.label} <span class="sub">{wait.community}</span>
                </button>
              ))}
              {list.length > 12 ? <span class="sub">{t("and {n} more", { n: list.length - 12 })}</span> : null}
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}
