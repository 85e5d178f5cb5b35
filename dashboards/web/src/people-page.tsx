// Accounts: one's own, everybody's for an admin, and who did what.
import { useContext, useState } from "preact/hooks";
import { ReadAge } from "./age";
import * as api from "./api";
import { AskButton, useAsk } from "./ask";
import { useFetched } from "./fetched";
import { locale, t } from "./i18n";
import type { Live } from "./live";
import { MeContext, ROLE_WORDS } from "./me";
import { OwnAccount } from "./own-account";
import { said } from "./said";
import type { AccountView, AuditView } from "./types";
import { utc } from "./clock";

const ROLES = ["member", "technician", "steward", "admin"] as const;
const roleWord = (role: string): string => t(ROLE_WORDS[role] ?? "Public");
const day = new Intl.DateTimeFormat(locale(), { dateStyle: "medium" });
const moment = new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "medium" });

export default function PeoplePage({ live }: { live: Live }) {
  const { me } = useContext(MeContext);
  return (
    <>
      {me.name ? <OwnAccount /> : null}
      {me.rights.includes("manage") ? <Accounts first={!me.accounts} /> : null}
      {me.rights.includes("audit") ? <Audit when={live.floor.notices} /> : null}
      {me.name ? null : (
        <p class="sub">
          {t("As long as nobody has an account, whoever is at this computer may do all, and nobody else gets in.")}
        </p>
      )}
    </>
  );
}

function Accounts({ first }: { first: boolean }) {
  const { refresh } = useContext(MeContext);
  const page = useFetched<AccountView[]>("/api/accounts", 0);
  const rows = page.value ?? [];
  const again = (): void => {
    page.again();
    if (first) refresh(); // with the first account this floor asks who comes
  };
  return (
    <section class="panel" aria-labelledby="accounts-title">
      <h2 id="accounts-title">
        {t("Accounts")} <span class="sub">{rows.length}</span> <ReadAge readMs={page.readMs} />
      </h2>
      {page.error ? <p class="problem">{page.error}</p> : null}
      {rows.length ? (
        <div class="scroll" tabIndex={0} role="region" aria-labelledby="accounts-title">
          <table>
            <thead>
              <tr>
                <th scope="col">{t("Name")}</th>
                <th scope="col">{t("Role")}</th>
                <th scope="col">{t("Comes by")}</th>
                <th scope="col">{t("Votes as")}</th>
                <th scope="col">{t("Since")}</th>
                <th scope="col">{t("State")}</th>
                <th scope="col">{t("New password")}</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((one) => (
                <AccountRow key={one.name} one={one} again={page.again} />
              ))}
            </tbody>
          </table>
        </div>
      ) : null}
      <AddAccount first={first} again={again} />
    </section>
  );
}

function AccountRow({ one, again }: { one: AccountView; again: () => void }) {
  const [busy, ask] = useAsk("manage");
  const change = (change: api.AccountChange, done: string): void =>
    ask(() => api.changeAccount(one.name, change).finally(again), done);
  return (
    <tr class={one.disabled ? "is-out" : ""}>
      <th scope="row">{one.name}</th>
      <td>
        <select
          value={one.role}
          aria-busy={busy}
          aria-label={t("Role of {name}", { name: one.name })}
          onChange={(event) =>
            change({ role: event.currentTarget.value }, t("{name}: role changed", { name: one.name }))
          }
        >
          {ROLES.map((role) => (
            <option key={role} value={role}>
              {roleWord(role)}
            </option>
          ))}
        </select>
      </td>
      <td>{one.oidc ? t("another place's log-in") : t("password")}</td>
      <td>{one.member ?? "—"}</td>
      <td title={utc(one.created_at)}>{day.format(one.created_at)}</td>
      <td>
        <span class="inline">
          {one.disabled ? (
            <AskButton
              label={t("Let in {name} again", { name: one.name })}
              done={t("{name}: may come in again", { name: one.name })}
              right="manage"
              run={() => api.changeAccount(one.name, { disabled: false }).finally(again)}
            >
              {t("Let in")}
            </AskButton>
          ) : (
            <AskButton
              label={t("Shut out {name}", { name: one.name })}
              done={t("{name}: shut out", { name: one.name })}
              right="manage"
              run={() => api.changeAccount(one.name, { disabled: true }).finally(again)}
            >
              {t("Shut out")}
            </AskButton>
          )}
          {one.disabled ? <b>{t("shut out")}</b> : null}
        </span>
      </td>
      <td>
        <form
          class="inline"
          onSubmit={(event) => {
            event.preventDefault();
            const form = event.currentTarget;
            const password = String(new FormData(form).get("password"));
            change({ password }, t("{name}: has a new password", { name: one.name }));
            form.reset();
          }}
        >
          <input
            name="password"
            type="password"
            required
            minLength={10}
            autoComplete="new-password"
            aria-label={t("New password of {name}", { name: one.name })}
          />
          <button type="submit" aria-label={t("Set the password of {name}", { name: one.name })}>
            {t("Set")}
          </button>
        </form>
      </td>
    </tr>
  );
}

function AddAccount({ first, again }: { first: boolean; again: () => void }) {
  const [busy, ask] = useAsk("manage");
  const add = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const data = new FormData(form);
    const name = String(data.get("name"));
    ask(
      () =>
        api.addAccount(name, String(data.get("role") ?? "admin"), String(data.get("password"))).then(() => {
          form.reset();
          again();
        }),
      t("{name}: has an account", { name }),
    );
  };
  return (
    <form class="add" onSubmit={add}>
      <label>
        {t("Name")}
        <input name="name" required maxLength={60} pattern="[a-z0-9][a-z0-9._@\-]*" autoComplete="off" />
      </label>
      <label>
        {t("Role")}
        <select name="role" disabled={first} value={first ? "admin" : undefined}>
          {ROLES.map((role) => (
            <option key={role} value={role}>
              {roleWord(role)}
            </option>
          ))}
        </select>
      </label>
      <label>
        {t("Password")}
        <input name="password" type="password" required minLength={10} maxLength={256} autoComplete="new-password" />
      </label>
      <button type="submit" class="primary" aria-busy={busy}>
        {first ? t("Make the first account") : t("Add an account")}
      </button>
      <p class="sub">
        {t("Small letters, digits and . _ @ - make a name; at least 10 characters a password.")}
        {first ? ` ${t("The first account is an admin's; from then on everybody logs in.")}` : ""}
      </p>
    </form>
  );
}

const AUDIT_SHOWN = 50;

function Audit({ when }: { when: unknown }) {
  const page = useFetched<AuditView[]>(`/api/audit?limit=${AUDIT_SHOWN}`, when, 3000);
  const rows = page.value ?? [];
  const [all, setAll] = useState(false);
  const shown = all ? rows : rows.slice(0, 12);
  return (
    <section class="panel" aria-labelledby="audit-title">
      <div class="panel-head">
        <h2 id="audit-title">
          {t("Who did what")} <ReadAge readMs={page.readMs} />
        </h2>
        {rows.length > 12 ? (
          <button type="button" aria-pressed={all} onClick={() => setAll(!all)}>
            {t("The last {n}", { n: AUDIT_SHOWN })}
          </button>
        ) : null}
      </div>
      {rows.length === 0 ? <p class="none">{t("Nobody has changed anything yet.")}</p> : null}
      {rows.length ? (
        <div class="scroll" tabIndex={0} role="region" aria-labelledby="audit-title">
          <table>
            <thead>
              <tr>
                <th scope="col">{t("When")}</th>
                <th scope="col">{t("Who")}</th>
                <th scope="col">{t("What")}</th>
                <th scope="col">{t("From")}</th>
                <th scope="col">{t("Outcome")}</th>
              </tr>
            </thead>
            <tbody>
              {shown.map((line) => (
                <tr key={line.id}>
                  <td title={utc(line.at)}>{moment.format(line.at)}</td>
                  <th scope="row">{said(line.who) || "—"}</th>
                  <td>
                    <code>{line.what}</code>
                  </td>
                  <td>{line.address}</td>
                  <td>{/^2/.test(line.outcome) ? `✓ ${t("done")}` : `✗ ${t("refused")} (${line.outcome})`}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : null}
    </section>
  );
}
