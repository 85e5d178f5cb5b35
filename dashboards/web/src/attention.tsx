// What needs a person, first on the page: one card each, its one verb on it.
import * as api from "./api";
import { AskButton } from "./ask";
import { type FloorClock, floorNow, span, useTick } from "./clock";
import { t } from "./i18n";
import { Shape } from "./shapes";
import { ClearButtons } from "./tile";
import { Listed, Told } from "./told";
import type { AttentionView, FloorDocument, MachineState } from "./types";
import { CARD_ADVICE, CARD_TITLES } from "./words";

type Card = { key: string; card: AttentionView };
type Props = { floor: FloorDocument; clock: FloorClock; openNeed: (id: string) => void };

const SHAPES: Readonly<Record<AttentionView["kind"], MachineState>> = {
  fault: "fault",
  stopped: "stopped",
  unknown: "unknown",
  quarantine: "maintenance",
  clear: "clear",
  pose: "clear",
  person: "person",
  material: "paused",
  held: "unknown",
  silent: "silent",
  paused: "paused",
};

/** Worst kind first, then what holds up most, then what has waited longest. */
export function byCost(a: Card, b: Card): number {
  return (
    a.card.rank - b.card.rank ||
    b.card.blocked - a.card.blocked ||
    (a.card.since_at ?? Infinity) - (b.card.since_at ?? Infinity) ||
    a.key.localeCompare(b.key)
  );
}

export function Attention({ floor, clock, openNeed }: Props) {
  useTick(5000);
  const cards = Object.entries(floor.attention).map(([key, card]) => ({ key, card }));
  cards.sort(byCost);
  return (
    <section class={`attention ${cards.length ? "" : "calm"}`} aria-labelledby="attention-title">
      <h2 id="attention-title">
        {cards.length ? (
          <>
            <span class="count">{cards.length}</span> {cards.length === 1 ? t("needs you") : t("need you")}
          </>
        ) : (
          t("Nothing needs you")
        )}
      </h2>
      <ul class="cards">
        {cards.map(({ key, card }) => (
          <li key={key} class={`card is-${SHAPES[card.kind]}`}>
            <Shape state={SHAPES[card.kind]} />
            <div class="card-text">
              <h3>
                <span class="card-machine">{nameOf(floor, card)}</span> {CARD_TITLES[card.kind]}
              </h3>
              <p>
                <Listed parts={[card.label, card.text ? <Told text={card.text} /> : ""]} by=" — " />
              </p>
              <p class="advice">{CARD_ADVICE[card.kind]}</p>
              <p class="cost">{cost(card, clock)}</p>
            </div>
            <div class="verbs">
              <Verbs card={card} name={nameOf(floor, card)} floor={floor} openNeed={openNeed} />
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

function nameOf(floor: FloorDocument, card: AttentionView): string {
  return floor.machines[card.machine]?.name ?? (card.machine || t("Need {id}", { id: card.need ?? "" }));
}

function cost(card: AttentionView, clock: FloorClock): string {
  const parts: string[] = [];
  if (card.since_at) parts.push(t("waits {span}", { span: span(floorNow(clock) - card.since_at) }));
  if (card.blocked) parts.push(card.blocked === 1 ? t("1 operation could use it") : t("{n} operations could use it", { n: card.blocked }));
  return parts.join(" · ");
}

type VerbProps = {
  card: AttentionView;
  name: string;
  floor: FloorDocument;
  openNeed: (id: string) => void;
};

function Verbs({ card, name, floor, openNeed }: VerbProps) {
  const { kind, machine, saw, order, need } = card;
  if (kind === "pose") {
    return (
      <>
        <AskButton
          class="primary"
          label={t("The part on {name} lies where the robot takes it", { name })}
          done={t("{name}: its place is confirmed", { name })}
          run={() => api.pose(machine, saw)}
        >
          {t("It lies right")}
        </AskButton>
        <ClearButtons machine={machine} name={name} saw={saw} settle={order !== undefined} />
      </>
    );
  }
  if (kind === "clear" || kind === "person" || kind === "fault" || kind === "stopped") {
    return <ClearButtons machine={machine} name={name} saw={saw} settle={order !== undefined} />;
  }
  if (kind === "unknown" && order) {
    // one tap settles the order and says that the machine is clear, when it can hear that
    return floor.machines[machine]?.state === "silent" ? (
      <ResolveButtons order={order} name={name} />
    ) : (
      <ClearButtons machine={machine} name={name} saw={saw} settle />
    );
  }
  if (kind === "quarantine") {
    return (
      <AskButton
        label={t("Trust {name} again", { name })}
        done={t("{name}: trusted again", { name })}
        run={() => api.release(machine)}
      >
        {t("Trust it again")}
      </AskButton>
    );
  }
  if (kind === "paused") {
    return (
      <AskButton
        label={t("Resume {name}", { name })}
        done={t("{name}: resume sent", { name })}
        run={() => api.control(machine, "resume", saw)}
      >
        {t("Resume")}
      </AskButton>
    );
  }
  if (kind === "material") return <SwapMenu card={card} name={name} floor={floor} />;
  const { operation } = card;
  if (kind === "held" && operation && need) {
    return (
      <>
        <AskButton
          label={t("Try {what} of need {need} again", { what: card.label ?? "", need })}
          done={t("need {need}: tried again", { need })}
          run={() => api.retry(operation)}
        >
          {t("Try again")}
        </AskButton>
        <button type="button" onClick={() => openNeed(need)}>
          {t("Look")}
        </button>
      </>
    );
  }
  return null;
}

function ResolveButtons({ order, name }: { order: string; name: string }) {
  return (
    <>
      <AskButton
        class="good"
        label={t("The part on {name} is good", { name })}
        done={t("{name}: settled as good", { name })}
        run={() => api.resolve(order, "good", 1)}
      >
        ✓ {t("Good")}
      </AskButton>
      <AskButton
        class="bad"
        label={t("The part on {name} is bad", { name })}
        done={t("{name}: settled as bad", { name })}
        run={() => api.resolve(order, "bad", 0)}
      >
        ✗ {t("Bad")}
      </AskButton>
    </>
  );
}

/** Fuller lots of the same material that stand free; one press loads one. */
function SwapMenu({ card, name, floor }: { card: AttentionView; name: string; floor: FloorDocument }) {
  const old = card.lot ? floor.lots[card.lot] : undefined;
  const free = Object.entries(floor.lots)
    .filter(([, lot]) => !lot.machine && lot.material === old?.material)
    .sort(([, a], [, b]) => b.mass_mg - a.mass_mg)
    .slice(0, 2);
  if (free.length === 0) return <p class="advice">{t("No other lot of {material} is here.", { material: old?.material ?? "" })}</p>;
  return (
    <>
      {free.map(([id, lot]) => (
        <AskButton
          key={id}
          label={t("Load {lot} on {name}", { lot: id, name })}
          done={t("{name}: {lot} loaded", { name, lot: id })}
          run={() => api.load(card.machine, card.ch ?? 0, id, card.saw)}
        >
          {t("Load {lot}", { lot: id })} ({Math.round(lot.mass_mg / 1000)} g)
        </AskButton>
      ))}
    </>
  );
}
