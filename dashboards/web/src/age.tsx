// How old a figure is, beside it: nothing is shown without its age.
import { type FloorClock, floorNow, realMs, span, useTick, utc } from "./clock";
import { t } from "./i18n";

/** Age of something the floor dated itself, in floor time. */
export function AgeAt({ at, clock, oldMs }: { at: number; clock: FloorClock; oldMs?: number }) {
  useTick(2000);
  const ms = Math.max(0, floorNow(clock) - at);
  return (
    <time class={`aged ${oldMs && ms > oldMs ? "old" : ""}`} dateTime={new Date(at).toISOString()} title={utc(at)}>
      {t("{age} ago", { age: span(ms) })}
    </time>
  );
}

/** Age of what the page has read, in real time. */
export function ReadAge({ readMs }: { readMs: number }) {
  useTick(2000);
  if (!readMs) return null;
  return <span class="sub read-age">{t("read {age} ago", { age: span(realMs() - readMs) })}</span>;
}
