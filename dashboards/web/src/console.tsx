// Single lines to a machine that holds no order, for who is qualified on it; what it answered below.
import { useEffect, useRef } from "preact/hooks";
import * as api from "./api";
import { useAsk } from "./ask";
import { t } from "./i18n";
import { When } from "./told";
import type { MachinePage } from "./types";

type Props = { page: MachinePage; again: () => void };
const LOOK_MS = [400, 1000, 2500, 6000, 15_000, 31_000];

export function Console({ page, again }: Props) {
  const { machine } = page;
  const [busy, ask] = useAsk();
  const form = useRef<HTMLFormElement>(null);
  const lines = page.commands.filter((given) => given.do === "console");
  const open = lines.some((given) => !given.code);
  useEffect(() => {
    if (!open) return undefined;
    const timers = LOOK_MS.map((ms) => setTimeout(again, ms));
    return () => timers.forEach(clearTimeout);
  }, [open]);
  if (!page.console) return null;
  const idle = !machine.order && machine.saw.startsWith("idle/");
  return (
    <section class="panel console" aria-labelledby="console-title">
      <h2 id="console-title">{t("Console")}</h2>
      <p class="sub">
        {t("For who is qualified on this machine. Lines that may move it take its readiness away until the bed is confirmed clear; every line is noted with its sender.")}
      </p>
      <form
        ref={form}
        onSubmit={(event) => {
          event.preventDefault();
          const line = String(new FormData(event.currentTarget).get("line") ?? "").trim();
          ask(() => api.consoleLine(machine.id, machine.saw, line).then(again), t("{line}: sent", { line }));
          form.current?.reset();
        }}
      >
        <label>
          {t("One line of G-code")}
          <input name="line" required maxLength={96} autocomplete="off" autocapitalize="characters" spellcheck={false} disabled={!idle} />
        </label>
        <button type="submit" aria-busy={busy} disabled={!idle}>
          {t("Send")}
        </button>
        {idle ? null : <p class="sub">{t("It takes lines only while it is idle without an order.")}</p>}
      </form>
      {lines.length ? (
        <div class="terminal" role="log" tabIndex={0} aria-label={t("Lines sent and what was answered")}>
        <ol>
          {lines.map((given) => (
            <li key={given.id} class={given.code && given.code !== "done" ? "refused" : ""}>
              <p>
                <b>{given.line}</b>{" "}
                <span class="sub">
                  {given.who} <When at={given.at} />
                </span>
              </p>
              <pre>{given.message || (given.code ? given.code : t("no answer yet"))}</pre>
            </li>
          ))}
        </ol>
        </div>
      ) : null}
    </section>
  );
}
