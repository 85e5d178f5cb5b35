// Coming in: name and password, the code of a new floor, or another place that vouches for you.
import { useContext, useEffect, useRef, useState } from "preact/hooks";
import { logIn, logOut, setUp, stop } from "./api";
import { AskButton } from "./ask";
import { t } from "./i18n";
import { MeContext, ROLE_WORDS } from "./me";
import { Link } from "./router";
import { Who } from "./who";

export function LogIn() {
  const { me, refresh } = useContext(MeContext);
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);
  const name = useRef<HTMLInputElement>(null);
  useEffect(() => name.current?.focus(), []);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const text = (field: string): string => String(data.get(field) ?? "");
    setBusy(true);
    const came = me.accounts
      ? logIn(text("name"), text("password"))
      : setUp(text("name"), text("password"), text("code"));
    came
      .then(refresh)
      .catch((error: unknown) => {
        setWrong(error instanceof Error ? error.message : String(error));
        name.current?.focus();
      })
      .finally(() => setBusy(false));
  };
  return (
    <main id="main" class="log-in">
      <h1>{me.accounts ? t("Log in") : t("The first account")}</h1>
      {me.accounts ? null : (
        <p>{t("Nobody has an account yet. The controller printed a code at its start.")}</p>
      )}
      <form onSubmit={submit} aria-busy={busy}>
        {me.accounts ? null : (
          <label>
            {t("Code")}
            <input name="code" required maxLength={100} autoComplete="one-time-code" />
          </label>
        )}
        <label>
          {t("Name")}
          <input ref={name} name="name" required maxLength={60} autoComplete="username" />
        </label>
        <label>
          {t("Password")}
          <input
            name="password"
            type="password"
            required
            maxLength={256}
            autoComplete={me.accounts ? "current-password" : "new-password"}
          />
        </label>
        <p class="wrong" role="alert">
          {wrong}
        </p>
        <button type="submit" class="primary" disabled={busy}>
          {t("Log in")}
        </button>
      </form>
      {me.oidc ? (
        <p>
          <a href="/oidc/log-in">{t("Log in by {place}", { place: me.oidc })}</a>
        </p>
      ) : null}
      {me.stops?.length ? (
        <section class="stops" aria-labelledby="stops-title">
          <h2 id="stops-title">{t("Emergency stop, without logging in")}</h2>
          {me.stops.map((name) => (
            <AskButton
              key={name}
              class="stop"
              label={t("Emergency stop {name}", { name })}
              done={t("{name}: STOP sent", { name })}
              right="stop"
              run={() => stop(name)}
            >
              {t("Stop")} {name}
            </AskButton>
          ))}
        </section>
      ) : null}
      <p>{t("What is public needs no account: records of parts, at the address on their label.")}</p>
    </main>
  );
}

/** Who is logged in, and the way out; on a floor without accounts a name to be remembered by. */
export function Account() {
  const { me, refresh } = useContext(MeContext);
  if (!me.name) {
    return (
      <>
        <Who />
        {me.log_in ? null : (
          <Link to="/people" class="account" title={t("Nobody has an account: whoever is at this computer may do all.")}>
            <span class="chip sim">{t("no accounts")}</span>
          </Link>
        )}
      </>
    );
  }
  return (
    <span class="who">
      <Link to="/people" class="account" title={t("Your account")}>
        {me.name} · {t(ROLE_WORDS[me.role] ?? "Public")}
      </Link>
      <button type="button" onClick={() => void logOut().finally(refresh)}>
        {t("Log out")}
      </button>
    </span>
  );
}
