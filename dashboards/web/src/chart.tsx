// Readings over time: raw for hours, rollups of five minutes for days, of hours for a month; then
// the last values as they come.
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { get } from "./api";
import { locale, t, type Text } from "./i18n";
import type { ReadingsView, ReadingView } from "./types";

export type Group = { title: Text; unit: string; scale: number; fields: readonly string[] };

export const GROUPS: readonly Group[] = [
  { title: "Nozzle", unit: "°C", scale: 1000, fields: ["nozzle_mc", "nozzle_set_mc"] },
  { title: "Bed", unit: "°C", scale: 1000, fields: ["bed_mc", "bed_set_mc"] },
  { title: "Spindle", unit: "1/min", scale: 1, fields: ["spindle_rpm"] },
  { title: "Feed", unit: "mm/s", scale: 1000, fields: ["feed_um_s"] },
  { title: "Power", unit: "W", scale: 1000, fields: ["power_mw"] },
  { title: "Progress", unit: "%", scale: 10_000, fields: ["done_ppm"] },
];

export const SPANS_H = [3, 24, 24 * 7, 24 * 30] as const;
const TAIL = 900;
type Columns = { times: number[]; values: Map<string, (number | null)[]> };

type Props = { machine: string; group: Group; last: readonly ReadingView[]; hours: number };

export function Chart({ machine, group, last, hours }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const data = useRef<Columns>({ times: [], values: new Map() });
  const [ready, setReady] = useState(false);
  const fields = group.fields.filter((name) => last.some((r) => r.name === name));
  const key = fields.join(" ");
  useEffect(() => {
    let here = true;
    setReady(false);
    const since = Math.max(0, Math.max(...last.map((r) => r.at)) - hours * 3_600_000);
    void Promise.all(fields.map((name) => read(machine, name, since))).then((found) => {
      if (!here || !place.current) return;
      data.current = join(fields, found, group.scale);
      plot.current = draw(place.current, group, hours, fields, table(data.current, fields));
      setReady(true);
    });
    return () => {
      here = false;
      plot.current?.destroy();
    };
  }, [machine, key, hours]);
  useEffect(() => {
    const shown = last.filter((r) => fields.includes(r.name));
    if (!ready || !plot.current || shown.length === 0) return;
    if (append(data.current, shown, group.scale)) plot.current.setData(table(data.current, fields));
  }, [last, ready]);
  useEffect(() => {
    const fit = (): void => {
      if (place.current) plot.current?.setSize({ width: place.current.clientWidth, height: 180 });
    };
    window.addEventListener("resize", fit);
    return () => window.removeEventListener("resize", fit);
  }, []);
  const first = last.find((r) => r.name === fields[0]);
  return (
    <figure class="chart">
      <figcaption>
        {t(group.title)}{" "}
        <b>{first ? (first.value / group.scale).toLocaleString(locale(), { maximumFractionDigits: 1 }) : "—"}</b>{" "}
        {group.unit}
      </figcaption>
      <div ref={place} role="img" aria-label={t("{what} over time", { what: t(group.title) })} />
    </figure>
  );
}

function read(machine: string, name: string, since: number): Promise<ReadingsView> {
  return get<ReadingsView>(`/api/readings/${encodeURIComponent(machine)}?name=${name}&since_at=${since}`);
}

function join(fields: readonly string[], found: ReadingsView[], scale: number): Columns {
  const times = [...new Set(found.flatMap((f) => f.times_s ?? []))].sort((a, b) => a - b);
  const place = new Map(times.map((time, n) => [time, n]));
  const values = new Map<string, (number | null)[]>();
  fields.forEach((name, n) => {
    const column: (number | null)[] = times.map(() => null);
    found[n]?.times_s?.forEach((time, i) => {
      column[place.get(time) ?? 0] = (found[n]?.mean?.[i] ?? 0) / scale;
    });
    values.set(name, column);
  });
  return { times, values };
}

function append(data: Columns, shown: readonly ReadingView[], scale: number): boolean {
  const at = Math.max(...shown.map((r) => r.at)) / 1000;
  if (at <= (data.times.at(-1) ?? 0)) return false;
  data.times.push(at);
  for (const [name, column] of data.values) {
    const reading = shown.find((r) => r.name === name);
    column.push(reading ? reading.value / scale : null);
  }
  if (data.times.length > TAIL * 2) {
    data.times.splice(0, TAIL);
    for (const column of data.values.values()) column.splice(0, TAIL);
  }
  return true;
}

function table(data: Columns, fields: readonly string[]): uPlot.AlignedData {
  return [data.times, ...fields.map((name) => data.values.get(name) ?? [])];
}

function draw(place: HTMLElement, group: Group, hours: number, fields: readonly string[], data: uPlot.AlignedData): uPlot {
  const style = getComputedStyle(place);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const axis = { stroke: colour("--muted"), grid: { stroke: colour("--line"), width: 1 } };
  const days = { day: "numeric", month: "short" } as const;
  const clock = { hour: "2-digit", minute: "2-digit" } as const;
  const time = new Intl.DateTimeFormat(locale(), hours > 48 ? days : clock);
  return new uPlot(
    {
      width: place.clientWidth,
      height: 180,
      legend: { show: false },
      cursor: { show: true, points: { show: false } },
      axes: [
        { ...axis, values: (_: uPlot, at: number[]) => at.map((s) => time.format(s * 1000)) },
        { ...axis, size: 56, values: (_: uPlot, at: number[]) => at.map((v) => `${v} ${group.unit}`.replace(/ (°C|1\/min|mm\/s)$/, "")) },
      ],
      series: [
        {},
        ...fields.map((name, n) => ({
          label: name,
          stroke: colour(n ? "--chart-asked" : "--chart"),
          width: n ? 1 : 2,
          spanGaps: true,
          points: { show: false },
          ...(n ? { dash: [6, 4] } : {}),
        })),
      ],
    },
    data,
    place,
  );
}
