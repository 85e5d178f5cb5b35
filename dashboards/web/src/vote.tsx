// A member's ballot: how strongly they approve each need. The token stays in this page only.
import { useContext, useState } from "preact/hooks";
import * as api from "./api";
import { useAsk } from "./ask";
import { t } from "./i18n";
import { MeContext } from "./me";
import type { RoundView } from "./types";

const LEVELS = [0, 1, 2, 3] as const;

type Props = { round: RoundView; communities: Readonly<Record<string, string>>; again: () => void };

export function Ballot({ round, communities, again }: Props) {
  const { me } = useContext(MeContext);
  const [open, setOpen] = useState(false);
  const [token, setToken] = useState("");
  const [levels, setLevels] = useState<Readonly<Record<string, number>>>({});
  const [busy, ask] = useAsk("vote");
  if (!open) {
    return (
      <button type="button" class="primary" onClick={() => setOpen(true)}>
        {t("Vote")}
      </button>
    );
  }
  const read = (): void => {
    ask(
      () =>
        api.ownBallot(round.id, token).then((found) => {
          setLevels(found.approvals);
          return found;
        }),
      (found) => (found.version ? t("Your ballot as it counts now") : t("You have not voted in this round yet")),
    );
  };
  const cast = (event: SubmitEvent): void => {
    event.preventDefault();
    ask(
      () =>
        api.castBallot(round.id, token, levels).then((receipt) => {
          setOpen(false);
          again();
          return receipt;
        }),
      t("Your ballot counts"),
    );
  };
  return (
    <form class="ballot" onSubmit={cast}>
      {me.member ? null : (
      <label>
        {t("Your token")}
        <input type="password" required autoComplete="off" value={token} onInput={(event) => setToken(event.currentTarget.value)} />
      </label>
      )}
      <ul>
        {Object.values(round.needs).map((need) => (
          <li key={need.need}>
            <fieldset>
              <legend>
                <b>{need.title.replace(" x ", " × ")}</b> {t("for {whom}", { whom: communities[need.community] ?? need.community })}
              </legend>
              {LEVELS.map((level) => (
                <label key={level} class="level">
                  <input
                    type="radio"
                    name={need.need}
                    checked={(levels[need.need] ?? 0) === level}
                    onChange={() => setLevels({ ...levels, [need.need]: level })}
                  />
                  {level === 0 ? t("no") : "●".repeat(level)}
                  <span class="unseen">{level ? t("strength {n}", { n: level }) : ""}</span>
                </label>
              ))}
            </fieldset>
          </li>
        ))}
      </ul>
      <div class="form-end">
        <button type="button" disabled={!token && !me.member} onClick={read}>
          {t("Read my ballot")}
        </button>
        <button type="submit" class="primary" aria-busy={busy}>
          {t("Cast it")}
        </button>
      </div>
    </form>
  );
}
