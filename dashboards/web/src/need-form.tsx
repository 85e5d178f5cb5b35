// Stating a need: what, how many, for whom, by when. Sent twice by accident, it is stated once.
import { useContext, useEffect, useRef, useState } from "preact/hooks";
import * as api from "./api";
import { SayContext } from "./ask";
import { t } from "./i18n";
import { said } from "./said";
import { toldPlain } from "./told";
import type { FloorDocument, ProblemView } from "./types";
import { CLASS_WORDS, NEED_WORDS } from "./words";

type Props = { floor: FloorDocument; close: () => void };

export function NeedForm({ floor, close }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const say = useContext(SayContext);
  const [key] = useState(api.newKey);
  const [problems, setProblems] = useState<ProblemView[]>([]);
  const [busy, setBusy] = useState(false);
  useEffect(() => dialog.current?.showModal(), []);
  const designs = Object.entries(floor.designs);
  const communities = Object.entries(floor.communities);

  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    api
      .stateNeed(readForm(new FormData(event.target as HTMLFormElement)), key)
      .then((answer) => {
        const line = answer.lines[0];
        say(`${t("Need {id}", { id: line?.need ?? "" })}: ${NEED_WORDS[line?.state ?? "stated"] ?? ""}${line?.reason ? `: ${toldPlain(line.reason, Date.now())}` : ""}`, false);
        dialog.current?.close();
      })
      .catch((error: unknown) => {
        const found = error instanceof api.Refusal ? error.problems : undefined;
        setProblems(found ?? [{ code: "net", message: t("not sent: {why}; try again", { why: error instanceof Error ? error.message : String(error) }) }]);
      })
      .finally(() => setBusy(false));
  };

  return (
    <dialog ref={dialog} class="form" aria-labelledby="need-form-title" onClose={close}>
      <form onSubmit={submit}>
        <h2 id="need-form-title">{t("State a need")}</h2>
        {problems.length > 0 ? (
          <ul class="problem" role="alert">
            {problems.map((p) => (
              <li key={p.field + p.message}>
                <b>{api.fieldOf(p)}</b> {said(p.message)}
              </li>
            ))}
          </ul>
        ) : null}
        <label>
          {t("What is needed")}
          <select name="design" required>
            {designs.map(([id, design]) => (
              <option key={id} value={id}>
                {design.title}
              </option>
            ))}
          </select>
        </label>
        <label>
          {t("How many")}
          <input name="quantity" type="number" inputMode="numeric" min={1} max={1000} value={1} required />
        </label>
        <label>
          {t("For which community")}
          <select name="community" required>
            {communities.map(([id, name]) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label>
          {t("How pressing")}
          <select name="need_class" defaultValue="normal">
            {["normal", "urgent", "floor"].map((cls) => (
              <option key={cls} value={cls}>
                {CLASS_WORDS[cls]}
              </option>
            ))}
          </select>
        </label>
        <label>
          {t("Needed by")} <span class="sub">{t("(may stay empty)")}</span>
          <input name="due" type="datetime-local" />
        </label>
        <label>
          {t("Note")} <span class="sub">{t("(may stay empty)")}</span>
          <input name="note" maxLength={500} />
        </label>
        <div class="form-end">
          <button type="button" onClick={() => dialog.current?.close()}>
            {t("Not now")}
          </button>
          <button type="submit" class="primary" aria-busy={busy}>
            {t("State this need")}
          </button>
        </div>
      </form>
    </dialog>
  );
}

function readForm(form: FormData): api.NeedForm {
  const text = (name: string): string => String(form.get(name) ?? "").trim();
  const due = text("due");
  return {
    design: text("design"),
    community: text("community"),
    quantity: Number(text("quantity")),
    need_class: text("need_class"),
    ...(due ? { due_at: new Date(due).getTime() } : {}),
    ...(text("note") ? { note: text("note") } : {}),
  };
}
