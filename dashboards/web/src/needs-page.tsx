// Needs: stated, voted on, followed to the part; rounds with what each decided and why.
import { useState } from "preact/hooks";
import { ReadAge } from "./age";
import { clockTime, floorNow, utc } from "./clock";
import { useFetched } from "./fetched";
import { t } from "./i18n";
import type { Live } from "./live";
import { Queue } from "./queue";
import { said } from "./said";
import type { CommunityView, RoundLine, RoundView } from "./types";
import { Ballot } from "./vote";
import { CLASS_WORDS, ROUND_WORDS } from "./words";

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
          {list.length ? (
            <label>
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
        <Communities found={communities.value ?? {}} />
      </div>
    </div>
  );
}

function Round({ id, live, openNeed }: { id: string; live: Live; openNeed: (id: string) => void }) {
  const page = useFetched<RoundView>(`/api/rounds/${encodeURIComponent(id)}`, live.floor.needs, 3000);
  const { value } = page;
  if (!value) return <p class="reading">{page.error || t("Reading…")}</p>;
  const now = floorNow(live.clock);
  const needs = Object.values(value.needs).sort(
    (a, b) => (a.place ?? Infinity) - (b.place ?? Infinity) || b.points - a.points || a.need.localeCompare(b.need),
  );
  return (
    <>
      <p>
        <b>{ROUND_WORDS[value.state] ?? value.state}</b>{" "}
        <span title={utc(value.closes_at)}>
          {t(value.state === "open" ? "until {when}" : "closed {when}", { when: clockTime(value.closed_at ?? value.closes_at, now) })}
        </span>
        , {t("ballots: {n}", { n: value.ballot_count })}
      </p>
      {value.state === "open" ? <Ballot round={value} again={page.again} /> : null}
      <ol class="round-needs">
        {needs.map((need) => (
          <li key={need.need}>
            <button type="button" class="link" onClick={() => openNeed(need.need)}>
              {need.title}
            </button>{" "}
            <span class="sub">
              {live.floor.communities[need.community] ?? need.community} · {CLASS_WORDS[need.need_class] ?? need.need_class} ·{" "}
              {t("{n} approve, {p} points", { n: need.approvals, p: need.points })}
            </span>
            {need.state ? (
              <p class="reason">
                <b>
                  {need.state === "accepted" ? "✓ " : need.state === "refused" ? "✗ " : "… "}
                  {ROUND_WORDS[need.state] ?? need.state}
                </b>{" "}
                {said(need.reason)}
              </p>
            ) : null}
          </li>
        ))}
      </ol>
      {value.files.length ? (
        <p class="sub">
          {t("Published files, to check the count:")}{" "}
          {value.files.map((name) => (
            <a key={name} href={`/api/rounds/${encodeURIComponent(id)}/files/${encodeURIComponent(name)}`}>
              {name}{" "}
            </a>
          ))}
        </p>
      ) : null}
    </>
  );
}

function Communities({ found }: { found: Readonly<Record<string, CommunityView>> }) {
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
            <b>{(community.part_ppm / 10_000).toFixed(1)} %</b>
          </li>
        ))}
      </ul>
    </section>
  );
}
