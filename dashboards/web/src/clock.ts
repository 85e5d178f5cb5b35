// The floor's clock as the page sees it. A simulated floor runs `rate` times faster than real time.
import { useEffect, useState } from "preact/hooks";
import { locale, t } from "./i18n";

export type FloorClock = { at: number; rate: number; heardMs: number };

export function realMs(): number {
  return performance.now();
}

export function floorNow(clock: FloorClock): number {
  return clock.at + (realMs() - clock.heardMs) * clock.rate;
}

export function useTick(everyMs: number): number {
  const [tick, setTick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setTick((n) => n + 1), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return tick;
}

const sameDay = new Intl.DateTimeFormat(locale(), { hour: "2-digit", minute: "2-digit" });
const otherDay = new Intl.DateTimeFormat(locale(), {
  weekday: "short",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
});
const seconds = new Intl.DateTimeFormat(locale(), {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});

export function clockTime(at: number, now: number): string {
  const near = new Date(at).toDateString() === new Date(now).toDateString();
  return (near ? sameDay : otherDay).format(at);
}

export function wallTime(at: number): string {
  return seconds.format(at);
}

export function utc(at: number): string {
  return new Date(at).toISOString().replace("T", " ").slice(0, 19) + " UTC";
}

/** Local time with UTC behind it, for texts that cannot be hovered. */
export function bothTimes(at: number, now: number): string {
  const day = Math.floor(at / 86_400_000) === Math.floor(now / 86_400_000) ? 11 : 0;
  return `${clockTime(at, now)} (${utc(at).slice(day, 16)} UTC)`;
}

export function span(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 90) return `${s} s`;
  const min = Math.round(s / 60);
  if (min < 90) return `${min} min`;
  const h = Math.floor(min / 60);
  return h < 48 ? `${h} h ${min % 60} min` : t("{n} days", { n: Math.round(h / 24) });
}
