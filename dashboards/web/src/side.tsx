// Beside the queue: material on the floor, the last events, what was refused and why.
import { type FloorClock, useTick, utc, wallTime } from "./clock";
import { t } from "./i18n";
import { said } from "./said";
import { Told } from "./told";
import type { FloorDocument } from "./types";
import { grams } from "./words";

const LOW_MG = 100_000;
const EVENTS_SHOWN = 14;

export function Lots({ floor }: { floor: FloorDocument }) {
  const lots = Object.entries(floor.lots).sort(
    ([a, x], [b, y]) => Number(!x.machine) - Number(!y.machine) || a.localeCompare(b),
  );
  return (
    <section class="panel" aria-labelledby="lots-title">
      <h2 id="lots-title">{t("Material")}</h2>
      {lots.length === 0 ? <p class="none">{t("No lot is known.")}</p> : null}
      <div class="scroll" tabIndex={0} role="region" aria-labelledby="lots-title">
        <table>
          <thead>
            <tr>
              <th scope="col">{t("Lot")}</th>
              <th scope="col">{t("Material")}</th>
              <th scope="col">{t("Where")}</th>
              <th scope="col" class="number">
                {t("Left")}
              </th>
            </tr>
          </thead>
          <tbody>
            {lots.map(([id, lot]) => (
              <tr key={id} class={lot.kind === "spool" && lot.mass_mg < LOW_MG ? "low" : ""}>
                <th scope="row">{id}</th>
                <td>{[lot.material.toUpperCase(), lot.colour].filter(Boolean).join(" ")}</td>
                <td>{lot.machine ? (floor.machines[lot.machine]?.name ?? lot.machine) : t("shelf")}</td>
                <td class="number">
                  {lot.pieces ? `${t("{n} pcs", { n: lot.pieces })}, ` : ""}
                  {grams(lot.mass_mg)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

export function LastEvents({ floor }: { floor: FloorDocument }) {
  const events = Object.entries(floor.notices)
    .sort(([a], [b]) => Number(b) - Number(a))
    .slice(0, EVENTS_SHOWN);
  return (
    <section class="panel" aria-labelledby="events-title">
      <h2 id="events-title">{t("Last events")}</h2>
      {events.length === 0 ? <p class="none">{t("Nothing has happened yet.")}</p> : null}
      <ol class="events">
        {events.map(([seq, event]) => (
          <li key={seq} class={`kind-${event.kind}`}>
            <time dateTime={new Date(event.at).toISOString()} title={utc(event.at)}>
              {wallTime(event.at)}
            </time>
            <span>
              <b>{said(event.subject)}</b> <Told text={event.text} />
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}

/** Bad input is counted and shown, with the last reasons. */
export function Refused({ floor }: { floor: FloorDocument }) {
  const { counters } = floor;
  const last = Object.entries(floor.refused).sort(([a], [b]) => Number(b) - Number(a));
  const figures: [string, number][] = [
    [t("messages refused"), counters.dead_letters],
    [t("orders in doubt"), counters.in_doubt],
    [t("dropped, queue full"), counters.dropped],
    [t("events not yet sent"), counters.unsent_events],
  ];
  return (
    <section class="panel" aria-labelledby="refused-title">
      <h2 id="refused-title">{t("Trouble counted")}</h2>
      <dl class="figures-list">
        {figures.map(([name, n]) => (
          <div key={name} class={n ? "some" : ""}>
            <dd>{n}</dd>
            <dt>{name}</dt>
          </div>
        ))}
      </dl>
      <ol class="events">
        {last.map(([id, letter]) => (
          <li key={id}>
            <time dateTime={new Date(letter.at).toISOString()} title={utc(letter.at)}>
              {wallTime(letter.at)}
            </time>
            <span>
              <code>{letter.code}</code> <Told text={letter.reason} /> <code>{letter.topic}</code>
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}

export function Clock({ clock, now }: { clock: FloorClock; now: () => number }) {
  useTick(clock.rate > 20 ? 250 : 1000);
  const at = now();
  return (
    <time class="clock" dateTime={new Date(at).toISOString()} title={utc(at)}>
      {wallTime(at)}
    </time>
  );
}
