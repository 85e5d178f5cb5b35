// Other sites this one shares needs with: when each was heard, what is made for whom, what is wrong.
import { useState } from "preact/hooks";
import { AgeAt, ReadAge } from "./age";
import * as api from "./api";
import { HoldButton, useAsk } from "./ask";
import { useFetched } from "./fetched";
import { t } from "./i18n";
import type { Live } from "./live";
import { useWhyNot } from "./me";
import { Told } from "./told";
import type { CommonsView, PeerView } from "./types";

type RowProps = { peer: PeerView; live: Live; again: () => void };

export default function CommonsPage({ live }: { live: Live }) {
  const page = useFetched<CommonsView>("/api/commons", live.floor.notices, 3000);
  const may = !useWhyNot("govern");
  const { value } = page;
  if (!value) return <p class={page.error ? "problem" : "reading"}>{page.error || t("Reading…")}</p>;
  return (
    <>
      <section class="panel" aria-labelledby="joined-title">
        <h2 id="joined-title">
          {t("Joined sites")} <span class="sub">{value.peers.length}</span> <ReadAge readMs={page.readMs} />
        </h2>
        {value.peers.length === 0 ? (
          <p class="none">{t("No other site is joined: what is needed here is made here.")}</p>
        ) : (
          <ul class="peers">
            {value.peers.map((peer) => (
              <Peer key={peer.site} peer={peer} live={live} again={page.again} />
            ))}
          </ul>
        )}
      </section>
      <section class="panel" aria-labelledby="own-site-title">
        <h2 id="own-site-title">{t("This site, for others to join")}</h2>
        <dl class="facts">
          <div>
            <dt>{t("Site")}</dt>
            <dd>{value.site}</dd>
          </div>
          <div>
            <dt>{t("Public key")}</dt>
            <dd>
              <code>{value.public_key}</code>
            </dd>
          </div>
        </dl>
        {may ? <Join again={page.again} /> : null}
      </section>
    </>
  );
}

function Peer({ peer, live, again }: RowProps) {
  const bad = peer.why !== "";
  const may = !useWhyNot("govern");
  const word = peer.left ? t("left: what was begun ends") : bad ? t("does not answer as it should") : !peer.url ? t("only asks here") : peer.reached_at ? t("answers") : t("not asked yet");
  const facts: [string, preact.ComponentChildren][] = [
    [t("Last heard"), peer.reached_at ? <AgeAt at={peer.reached_at} clock={live.clock} /> : "—"],
    [t("Its answers"), { signed: t("signed"), unsigned: t("not signed, and believed") }[peer.answers] ?? "—"],
    [t("We make for it"), counts(peer.taken)],
    [t("It makes for us"), counts(peer.lent)],
    [t("Its offers read up to"), peer.url ? t("number {n}", { n: peer.cursor }) : "—"],
    [t("Answers not its own"), peer.forged ? t("{n}, none used", { n: peer.forged }) : t("none")],
  ];
  return (
    <li class={bad ? "is-bad" : ""}>
      <div class="panel-head">
        <h3>
          {bad ? "▲ " : peer.left ? "○ " : "● "}
          {peer.site} <span class="sub">{word}</span>
        </h3>
        {may && !peer.left ? (
          <HoldButton
            label={t("Leave {site}", { site: peer.site })}
            done={t("{site}: left; what was begun ends", { site: peer.site })}
            right="govern"
            run={() => api.leaveCommons(peer.site).then(again)}
          >
            {t("Leave")}
          </HoldButton>
        ) : null}
      </div>
      {bad ? (
        <p class="problem">
          <Told text={peer.why} />
          {peer.fix ? (
            <>
              {" — "}
              <b>
                <Told text={peer.fix} />
              </b>
            </>
          ) : null}
        </p>
      ) : null}
      {peer.url ? <p class="sub">{peer.url}</p> : null}
      <dl class="facts">
        {facts.map(([name, text]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </li>
  );
}

const STATES = ["claimed", "leased", "begun", "done"] as const;

/** Needs by what became of them, as "1 claimed, 2 begun". */
function counts(by: Readonly<Record<string, number>>): string {
  const words = {
    claimed: t("{n} claimed", { n: by["claimed"] ?? 0 }),
    leased: t("{n} on lease", { n: by["leased"] ?? 0 }),
    begun: t("{n} begun", { n: by["begun"] ?? 0 }),
    done: t("{n} done", { n: by["done"] ?? 0 }),
  };
  return STATES.filter((state) => by[state]).map((state) => words[state]).join(", ") || t("nothing");
}

function Join({ again }: { again: () => void }) {
  const [busy, ask] = useAsk("govern");
  const [key, setKey] = useState(0);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string): string => String(data.get(name) ?? "").trim();
    const done = (): void => {
      setKey(key + 1);
      again();
    };
    ask(() => api.joinCommons(text("site"), text("url"), text("public_key")).then(done), t("{site}: joined", { site: text("site") }));
  };
  return (
    <form class="add" key={key} onSubmit={submit} aria-label={t("Join another site")}>
      <label>
        {t("Its id")}
        <input name="site" required maxLength={32} pattern="[a-z0-9\-]+" autoComplete="off" />
      </label>
      <label>
        {t("Its address")} <span class="sub">{t("(empty: it only asks here)")}</span>
        <input name="url" type="url" maxLength={300} placeholder="https://" autoComplete="off" />
      </label>
      <label>
        {t("Its public key")}
        <input name="public_key" required maxLength={64} pattern="[0-9a-f]{64}" autoComplete="off" />
      </label>
      <button type="submit" class="primary" aria-busy={busy}>
        {t("Join it")}
      </button>
      <p class="sub">{t("Joining is mutual: it must join this site there, too.")}</p>
    </form>
  );
}
