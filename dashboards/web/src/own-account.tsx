// One's own account: password, and tokens for programs that act for one.
import { useContext, useState } from "preact/hooks";
import * as api from "./api";
import { AskButton, useAsk } from "./ask";
import { utc } from "./clock";
import { useFetched } from "./fetched";
import { locale, t } from "./i18n";
import { MeContext, RIGHT_WORDS, ROLE_WORDS } from "./me";
import type { TokenView } from "./types";

const day = new Intl.DateTimeFormat(locale(), { dateStyle: "medium" });
const DAYS = 90;

export function OwnAccount() {
  const { me } = useContext(MeContext);
  return (
    <section class="panel" aria-labelledby="own-title">
      <h2 id="own-title">
        {t("Your account")}{" "}
        <span class="sub">
          {me.name} · {t(ROLE_WORDS[me.role] ?? "Public")}
          {me.member ? ` · ${t("votes as {member}", { member: me.member })}` : ""}
        </span>
      </h2>
      <Password />
      <Tokens rights={me.rights} />
    </section>
  );
}

function Password() {
  const { refresh } = useContext(MeContext);
  const [busy, ask] = useAsk("read");
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const data = new FormData(form);
    ask(
      () =>
        api.ownPassword(String(data.get("old")), String(data.get("new"))).then(() => {
          form.reset();
          refresh();
        }),
      t("Your password is changed; everywhere else you are logged out"),
    );
  };
  return (
    <form class="add" onSubmit={submit}>
      <label>
        {t("Password until now")}
        <input name="old" type="password" required maxLength={256} autoComplete="current-password" />
      </label>
      <label>
        {t("New password")}
        <input name="new" type="password" required minLength={10} maxLength={256} autoComplete="new-password" />
      </label>
      <button type="submit" aria-busy={busy}>
        {t("Change it")}
      </button>
    </form>
  );
}

function Tokens({ rights }: { rights: string[] }) {
  const page = useFetched<TokenView[]>("/api/me/tokens", 0);
  const [text, setText] = useState("");
  const [busy, ask] = useAsk("read");
  const alive = (page.value ?? []).filter((one) => one.revoked_at === undefined);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const data = new FormData(form);
    ask(
      () =>
        api.giveToken(String(data.get("name")), [String(data.get("scope"))], DAYS).then((made) => {
          setText(made.token ?? "");
          form.reset();
          page.again();
        }),
      t("The token is made"),
    );
  };
  return (
    <>
      <h3>{t("Tokens for programs and sensors")}</h3>
      <ul class="due">
        {alive.map((one) => (
          <li key={one.id}>
            <span>
              <b>{one.name}</b>{" "}
              <span class="sub">
                {one.scopes.map((scope) => RIGHT_WORDS[scope] ?? scope).join(", ")} · <span title={utc(one.expires_at)}>{t("until {when}", { when: day.format(one.expires_at) })}</span>
              </span>
            </span>
            <AskButton
              label={t("End the token {name}", { name: one.name })}
              done={t("{name}: ended", { name: one.name })}
              right="read"
              run={() => api.revokeToken(one.id).then(page.again)}
            >
              {t("End it")}
            </AskButton>
          </li>
        ))}
      </ul>
      <form class="add" onSubmit={submit}>
        <label>
          {t("What for")}
          <input name="name" required maxLength={60} autoComplete="off" />
        </label>
        <label>
          {t("It may")}
          <select name="scope">
            {Object.keys(RIGHT_WORDS).filter((right) => rights.includes(right)).map((right) => (
              <option key={right} value={right}>
                {RIGHT_WORDS[right]}
              </option>
            ))}
          </select>
        </label>
        <button type="submit" aria-busy={busy}>
          {t("Make a token for {n} days", { n: DAYS })}
        </button>
      </form>
      {text ? (
        <p class="secret" role="status">
          {t("Shown this one time:")} <code>{text}</code>
        </p>
      ) : null}
    </>
  );
}
