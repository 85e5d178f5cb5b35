// Moments as people read them: in the zone of the place, UTC on hover; in sentences too.
import { type ComponentChildren, createContext, Fragment } from "preact";
import { useContext } from "preact/hooks";
import { clockTime, type FloorClock, floorNow, utc } from "./clock";
import { template, type Text } from "./i18n";
import { said } from "./said";

/** The floor's clock: what is today there is told without its day. */
export const FloorTime = createContext<FloorClock | undefined>(undefined);
const MOMENT = /(\d{4}-\d\d-\d\d) (\d\d:\d\d) UTC/;

/** A moment, ms UTC, as local time. */
export function When({ at, before = "" }: { at: number; before?: string }) {
  const clock = useContext(FloorTime);
  return (
    <time dateTime={new Date(at).toISOString()} title={utc(at)}>
      {before}
      {clockTime(at, clock ? floorNow(clock) : Date.now())}
    </time>
  );
}

/** A sentence of the controller: in the person's language, its moments as local time. */
export function Told({ text }: { text: string | undefined | null }) {
  return <>{moments(said(text)).map((part, n) => (typeof part === "number" ? <When key={n} at={part} /> : part))}</>;
}

/** The same where only plain text can stand, e.g. in a title. */
export function toldPlain(text: string | undefined | null, now: number): string {
  return moments(said(text))
    .map((part) => (typeof part === "number" ? clockTime(part, now) : part))
    .join("");
}

/** A text cut at its moments, which become ms UTC. */
function moments(text: string): (string | number)[] {
  const parts = text.split(MOMENT);
  const found: (string | number)[] = [];
  for (let n = 0; n < parts.length; n += 3) {
    found.push(parts[n] ?? "");
    if (n + 2 < parts.length) found.push(Date.parse(`${parts[n + 1]}T${parts[n + 2]}Z`));
  }
  return found;
}

/** A text of the page whose places hold more than text. */
export function Words({ text, values }: { text: Text; values: Readonly<Record<string, ComponentChildren>> }) {
  return (
    <>
      {template(text)
        .split(/\{(\w+)\}/)
        .map((part, n) => (
          <Fragment key={n}>{n % 2 ? values[part] : part}</Fragment>
        ))}
    </>
  );
}

/** Parts that say something, with a sign between them. */
export function Listed({ parts, by = " · " }: { parts: readonly ComponentChildren[]; by?: string }) {
  const kept = parts.filter((part) => part !== "" && part !== undefined && part !== null && part !== false);
  return (
    <>
      {kept.map((part, n) => (
        <Fragment key={n}>
          {n ? by : ""}
          {part}
        </Fragment>
      ))}
    </>
  );
}
