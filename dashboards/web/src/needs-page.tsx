// Needs: stated, voted on, followed to the part; rounds with what each decided and why.
import { useState } from "preact/hooks";
import { ReadAge } from "./age";
import { clockTime, floorNow } from "./clock";
import { useFetched } from "./fetched";
import { Admit, CloseRound, OpenRound } from "./govern";
import { t } from "./i18n";
import type { Live } from "./live";
import { Link } from "./router";
import { Queue } from "./queue";
import { Told, When, Words } from "./told";
import type { CommunityView, RoundLine, RoundView } from "./types";
import { Ballot } from "./vote";
import { CLASS_WORDS, figure, ROUND_WORDS } from "./words";

type Props = { live: Live; openNeed: (id: string) => void; stateNeed: () => void };

export default function NeedsPage({ live, openNeed, stateNeed }: Props) {
  const rounds = useFetched<RoundLine[]>("/api/rounds", live.floor.needs, 3000);
  const communities = useFetched<Record<string, CommunityView>>("/api/communities", live.floor.communities, 5000);
  const [chosen, setChosen] = useState("");
  const list = rounds.value ?? [];
  const shown = chosen || list[0]?.id || "";
  return (
    <div class="below">
      <Queue floor={live.floor} clock={live.clock} openNeed={openNeed} stateNeed={stateNeed} />
      <div class="side">
        <section class="panel" aria-labelledby="rounds-title">
          <h2 id="rounds-title">
            {t("Rounds")} <ReadAge readMs={rounds.readMs} />
          </h2>
          {list.length === 0 ? <p class="none">{t("No round has been opened yet.")}</p> : null}
          {list.some((round) => round.state === "open") || !rounds.value ? null : <OpenRound again={() => (setChosen(""), rounds.again())} />}
          {list.length ? (
            <label class="stacked">
              {t("Round")}
              <select value={shown} onChange={(event) => setChosen(event.currentTarget.value)}>
                {list.map((round) => (
                  <option key={round.id} value={round.id}>
                    {round.id} · {ROUND_WORDS[round.state] ?? round.state} · {clockTime(round.closes_at, floorNow(live.clock))}
                  </option>
                ))}
              </select>
            </label>
          ) : null}
          {shown ? <Round key={shown} id={shown} live={live} openNeed={openNeed} /> : null}
        </section>
        <p>
          <Link to="/commons">{t("Joined sites: needs shared with other workshops")}</Link>
        </p>
        <Communities found={communities.value ?? {}} again={communities.again} />
      </div>
    </div>
  );
}

function Round({ id, live, openNeed }: { id: string; live: Live; openNeed: (id: string) => void }) {
  const page = useFetched<RoundView>(`/api/rounds/${encodeURIComponent(id)}`, live.floor.needs, 3000);
  const { value } = page;
  if (!value) return <p class="reading">{page.error || t("Reading…")}</p>;
  const needs = Object.values(value.needs).sort(
    (a, b) => (a.place ?? Infinity) - (b.place ?? Infinity) || b.points - a.points || a.need.localeCompare(b.need),
  );
  return (
    <>
      <p>
        <b>{ROUND_WORDS[value.state] ?? value.state}</b>{" · "}
        <Words
          text={value.state === "open" ? "until {when}" : "closed {when}"}
          values={{ when: <When at={value.closed_at ?? value.closes_at} /> }}
        />
        {" · "}
        {t("ballots: {n}", { n: value.ballot_count })}
      </p>
      {value.state === "open" ? (
        <div class="round-verbs">
          <Ballot round={value} communities={live.floor.communities} again={page.again} />
          <CloseRound id={id} again={page.again} />
        </div>
      ) : null}
      <ol class="round-needs">
        {needs.map((need) => (
          <li key={need.need}>
            <button type="button" class="link" onClick={() => openNeed(need.need)}>
              {need.title.replace(" x ", " × ")}
            </button>{" "}
            <span class="sub">
              {live.floor.communities[need.community] ?? need.community} · {CLASS_WORDS[need.need_class] ?? need.need_class} ·{" "}
              {t("{n} approve, {p} points", { n: need.approvals, p: need.points })}
            </span>
            {need.state ? (
              <p class="reason">
                <b>
                  {need.state === "accepted" ? "✓ " : need.state === "refused" ? "✗ " : "… "}
                  {need.reason?.startsWith(`${need.state}: `) ? "" : (ROUND_WORDS[need.state] ?? need.state)}
                </b>{" "}
                <Told text={need.reason} />
              </p>
            ) : null}
          </li>
        ))}
      </ol>
      {value.files.length ? (
        <Published id={id} files={value.files} sha256={value.inputs_sha256} />
      ) : null}
    </>
  );
}

const FILE_WORDS: Readonly<Record<string, string>> = {
  "ballots.json": t("every ballot, under a name only its voter knows"),
  "round.json": t("what was counted, and the certificate of who paid for what"),
};

/** The files by which anybody can count again without trusting this floor. */
function Published({ id, files, sha256 }: { id: string; files: string[]; sha256: string | undefined }) {
  return (
    <section class="published" aria-label={t("Published files, to check the count:")}>
      <h3>{t("Published files, to check the count:")}</h3>
      <p class="sub">
        {t("Anybody checks it without trusting this floor:")} <code>fabcommons round verify {id}-round.json</code>
      </p>
      <ul>
        {files.map((name) => (
          <li key={name}>
            <a href={`/api/rounds/${encodeURIComponent(id)}/files/${encodeURIComponent(name)}`} download={`${id}-${name}`}>
              {name}
            </a>{" "}
            <span class="sub">{FILE_WORDS[name] ?? (name.endsWith(".pb") ? t("the ballots as PaBuLib, for other tools") : "")}</span>
          </li>
        ))}
      </ul>
      {sha256 ? (
        <p class="sub">
          {t("SHA-256 of the inputs")} <code>{sha256}</code>
        </p>
      ) : null}
    </section>
  );
}

function Communities({ found, again }: { found: Readonly<Record<string, CommunityView>>; again: () => void }) {
  const rows = Object.values(found).sort((a, b) => b.part_ppm - a.part_ppm || a.name.localeCompare(b.name));
  return (
    <section class="panel" aria-labelledby="communities-title">
      <h2 id="communities-title">{t("Communities and their part")}</h2>
      <ul class="parts-of">
        {rows.map((community) => (
          <li key={community.id}>
            <span>
              {community.name} <span class="sub">{t("{n} people", { n: community.members })}</span>
            </span>
            <b title={t("part of what is shared, by need")}>{figure(community.part_ppm / 10_000, 1)} %</b>
            <Admit community={community} again={again} />
          </li>
        ))}
      </ul>
    </section>
  );
}
