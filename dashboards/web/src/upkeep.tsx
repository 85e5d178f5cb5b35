// Maintenance of a machine: what is due after how many hours of running, what was done by whom.
import { useRef } from "preact/hooks";
import * as api from "./api";
import { useAsk } from "./ask";
import { t } from "./i18n";
import { When, Words } from "./told";
import type { DueView, MachinePage } from "./types";
import { figure } from "./words";

type Props = { page: MachinePage; again: () => void };

export function UpkeepPanel({ page, again }: Props) {
  const { id } = page.machine;
  return (
    <section class="panel" aria-labelledby="upkeep-title">
      <h2 id="upkeep-title">{t("Maintenance")}</h2>
      {page.due.length === 0 ? <p class="none">{t("No maintenance is planned by hours yet.")}</p> : null}
      <ul class="due">
        {page.due.map((due) => (
          <Due key={due.what} machine={id} due={due} again={again} />
        ))}
      </ul>
      <div class="forms">
        <Noted machine={id} again={again} />
        <Rule machine={id} again={again} />
      </div>
      <ol class="events">
        {page.upkeep.map((done) => (
          <li key={done.at + done.what}>
            <When at={done.at} />
            <span>
              <b>{done.what}</b> {done.who}, {t("after {h} h", { h: figure(done.run_h, 1) })}
              {done.note ? ` — ${done.note}` : ""}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}

type DueProps = { machine: string; due: DueView; again: () => void };

function Due({ machine, due, again }: DueProps) {
  const [busy, ask] = useAsk();
  const late = due.left_h < 0;
  const left = t(late ? "{h} h overdue" : "due in {h} h of running", { h: figure(Math.abs(due.left_h), 1) });
  return (
    <li class={late ? "late-item" : ""}>
      <span>
        {late ? "▲ " : ""}
        <b>{due.what}</b> {left} <span class="sub">{t("every {h} h", { h: due.every_h })}</span>
        {due.last_at ? (
          <span class="sub">
            {" "}
            <Words text="last {when}" values={{ when: <When at={due.last_at} /> }} />
          </span>
        ) : null}
      </span>
      <button
        type="button"
        aria-busy={busy}
        aria-label={t("{what} was done", { what: due.what })}
        onClick={() => ask(() => api.upkeep(machine, due.what, "").then(again), t("{what}: noted", { what: due.what }))}
      >
        {t("Done")}
      </button>
    </li>
  );
}

function text(form: FormData, name: string): string {
  return String(form.get(name) ?? "").trim();
}

function Noted({ machine, again }: { machine: string; again: () => void }) {
  const [busy, ask] = useAsk();
  const form = useRef<HTMLFormElement>(null);
  return (
    <form
      ref={form}
      onSubmit={(event) => {
        event.preventDefault();
        const data = new FormData(event.currentTarget);
        const what = text(data, "what");
        ask(() => api.upkeep(machine, what, text(data, "note")).then(again), t("{what}: noted", { what }));
        form.current?.reset();
      }}
    >
      <label>
        {t("What was done")}
        <input name="what" required maxLength={80} />
      </label>
      <label>
        {t("Note")}
        <input name="note" maxLength={300} />
      </label>
      <button type="submit" aria-busy={busy}>
        {t("Note it")}
      </button>
    </form>
  );
}

function Rule({ machine, again }: { machine: string; again: () => void }) {
  const [busy, ask] = useAsk();
  const form = useRef<HTMLFormElement>(null);
  return (
    <form
      ref={form}
      onSubmit={(event) => {
        event.preventDefault();
        const data = new FormData(event.currentTarget);
        const what = text(data, "what");
        ask(() => api.upkeepRule(machine, what, Number(text(data, "every"))).then(again), t("{what}: planned", { what }));
        form.current?.reset();
      }}
    >
      <label>
        {t("What is due")}
        <input name="what" required maxLength={80} />
      </label>
      <label>
        {t("every … hours of running")}
        <input name="every" type="number" min={1} max={100000} required />
      </label>
      <button type="submit" aria-busy={busy}>
        {t("Plan it")}
      </button>
    </form>
  );
}
