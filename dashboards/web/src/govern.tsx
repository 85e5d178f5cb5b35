// What stewards do: open a round, close and count it, admit members.
import { useState } from "preact/hooks";
import * as api from "./api";
import { AskButton, HoldButton, useAsk } from "./ask";
import { useWhyNot } from "./me";
import { t } from "./i18n";
import type { AdmittedView, CommunityView } from "./types";

const WEEK_H = 168;

/** A round over every need that was stated; only one is open at a time. */
export function OpenRound({ again }: { again: () => void }) {
  const [busy, ask] = useAsk("govern");
  if (useWhyNot("govern")) return null;
  return (
    <form
      class="inline"
      onSubmit={(event) => {
        event.preventDefault();
        const hours = Number(new FormData(event.currentTarget).get("hours"));
        ask(() => api.openRound(hours).then(again), t("A round is open"));
      }}
    >
      <label class="inline">
        <span class="sub">{t("Open for")}</span>
        <input name="hours" type="number" min={1} max={8784} required defaultValue={String(WEEK_H)} aria-label={t("Hours the round stays open")} />
        <span class="sub">h</span>
      </label>
      <button type="submit" aria-busy={busy}>
        {t("Open a round")}
      </button>
    </form>
  );
}

export function CloseRound({ id, again }: { id: string; again: () => void }) {
  if (useWhyNot("govern")) return null;
  return (
    <HoldButton
      label={t("Close and count round {id}", { id })}
      done={t("Round {id} is closed and counted", { id })}
      right="govern"
      run={() => api.closeRound(id).then(again)}
    >
      {t("Close and count")}
    </HoldButton>
  );
}

/** New members get tokens, shown once, to be handed out on paper. */
export function Admit({ community, again }: { community: CommunityView; again: () => void }) {
  const [made, setMade] = useState<AdmittedView[]>([]);
  if (useWhyNot("govern")) return null;
  const { id, name } = community;
  return (
    <>
      <AskButton
        label={t("Admit a member to {name}", { name })}
        done={t("{name} has a new member", { name })}
        right="govern"
        run={() =>
          api.admit(id, 1).then((admitted) => {
            setMade([...made, ...admitted]);
            again();
          })
        }
      >
        {t("Admit")}
      </AskButton>
      {made.length ? (
        <div class="secret" role="status">
          {made.map((one) => (
            <p key={one.id}>
              {t("Shown this one time:")} <code>{one.token}</code>
            </p>
          ))}
        </div>
      ) : null}
    </>
  );
}
