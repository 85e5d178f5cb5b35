// What would come of a machine being out: which needs end when, what nobody could make, what to load.
import { span } from "./clock";
import { useFetched } from "./fetched";
import { t } from "./i18n";
import { Told, When, Words } from "./told";
import type { FloorDocument, MovedView, WhatIfView } from "./types";

type Props = { floor: FloorDocument; out: string; setOut: (id: string) => void };

export function WhatIf({ floor, out, setOut }: Props) {
  const machines = Object.values(floor.machines).sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
  return (
    <section class="panel" aria-labelledby="what-if-title">
      <h2 id="what-if-title">{t("What if a machine were out?")}</h2>
      <label class="short">
        {t("Machine")}
        <select value={out} onChange={(event) => setOut(event.currentTarget.value)}>
          <option value="">{t("none: the plan as it is")}</option>
          {machines.map((machine) => (
            <option key={machine.id} value={machine.id}>
              {machine.name}
            </option>
          ))}
        </select>
      </label>
      {out ? <Without machine={out} name={floor.machines[out]?.name ?? out} /> : null}
    </section>
  );
}

function Without({ machine, name }: { machine: string; name: string }) {
  const page = useFetched<WhatIfView>(`/api/timeline/without/${encodeURIComponent(machine)}`, machine, 15_000);
  const { value } = page;
  if (!value || value.machine !== machine) return <p class="reading">{page.error || t("Planning without it…")}</p>;
  return (
    <div class="what-if" role="status">
      <p>
        <b>{verdict(value, name)}</b> <span class="sub">{t("What it runs now is taken as finished.")}</span>
      </p>
      {value.loads.length ? (
        <p class="reason">
          {t("For this somebody must load:")}{" "}
          {value.loads.map((load) => `${load.machine} (${load.materials.join(", ").toUpperCase()})`).join(", ")}.
        </p>
      ) : null}
      <ul class="events">
        {value.unplanned.map((wait) => (
          <li key={wait.id} class="late">
            <span>
              ▲ <b>{wait.label}</b> <Told text={wait.reason} />
            </span>
          </li>
        ))}
        {value.moved.map((moved) => (
          <Moved key={moved.need} moved={moved} />
        ))}
      </ul>
    </div>
  );
}

/** The answer in one sentence, worst first. */
function verdict(found: WhatIfView, name: string): string {
  const later = found.moved.filter((moved) => moved.end_without_at > moved.end_at).length;
  const earlier = found.moved.length - later;
  const delay = (found.end_without_at ?? 0) - (found.end_at ?? 0);
  const said = [
    found.unplanned.length ? t("Nobody else could do {n} operations.", { n: found.unplanned.length }) : "",
    later ? t("Needs that end later: {n}.", { n: later }) : "",
    earlier ? t("Needs that end earlier: {n}.", { n: earlier }) : "",
    later && delay >= 60_000 ? t("All work would end {span} later.", { span: span(delay) }) : "",
  ].filter(Boolean);
  if (said.length) return said.join(" ");
  return found.operations
    ? t("Nothing would change: other machines take its work.")
    : t("Nothing would change: nothing is planned on {name}.", { name });
}

function Moved({ moved }: { moved: MovedView }) {
  const { end_at, end_without_at, due_at } = moved;
  const late = due_at !== undefined && end_without_at > due_at;
  const by = end_without_at - end_at;
  return (
    <li class={late ? "late" : ""}>
      <span>
        <b>{moved.label}</b> <When at={end_at} /> → <When at={end_without_at} />,{" "}
        {by > 0 ? t("{span} later", { span: span(by) }) : t("{span} earlier", { span: span(-by) })}
        {late ? (
          <>
            {" "}
            ▲ <Words text="after its due time {when}" values={{ when: <When at={due_at} /> }} />
          </>
        ) : null}
      </span>
    </li>
  );
}
