// What does not add up: a person weighs, counts, or says that it was so. Nothing is settled by itself.
import { useState } from "preact/hooks";
import { AgeAt } from "./age";
import * as api from "./api";
import { AskButton, useAsk } from "./ask";
import type { FloorClock } from "./clock";
import { t } from "./i18n";
import { Told } from "./told";
import type { DiscrepancyView, LotDetail, MaterialsPage, PickView } from "./types";
import { exactGrams, figure } from "./words";

type Props = { page: MaterialsPage; clock: FloorClock; again: () => void };

export function ToSettle({ page, clock, again }: Props) {
  const uncertain = Object.entries(page.lots).filter(([, lot]) => lot.uncertain_mg);
  const open = uncertain.length + page.mismatches.length + page.picks.length + page.discrepancies.length;
  return (
    <section class="panel" aria-labelledby="odd-title">
      <h2 id="odd-title">
        {t("To be settled")} {open ? <span class="sub">{open}</span> : null}
      </h2>
      {open === 0 ? <p class="none">{t("Everything adds up: nothing is uncertain.")}</p> : null}
      <ul class="due">
        {page.discrepancies.map((one) => (
          <Doubt key={one.order + one.kind} one={one} clock={clock} again={again} />
        ))}
        {page.picks.map((one) => (
          <Pick key={one.order + one.lot} one={one} clock={clock} again={again} />
        ))}
        {uncertain.map(([id, lot]) => (
          <Uncertain key={id} id={id} lot={lot} again={again} />
        ))}
        {page.mismatches.map((odd) => (
          <li key={odd.subject + odd.what} class="late-item">
            ▲ {t("{subject}: the ledger keeps {kept} {what}, its lines say {derived}", odd)}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** A job order whose figures nobody would believe as they are. */
function Doubt({ one, clock, again }: { one: DiscrepancyView; clock: FloorClock; again: () => void }) {
  const [busy, ask] = useAsk();
  const done = t("{order}: settled", { order: one.order });
  return (
    <li>
      <span>
        <b>{one.order}</b> <Told text={one.words} /> <AgeAt at={one.opened_at} clock={clock} />
      </span>
      <span class="inline">
        {one.kind === "mass" ? (
          <form
            class="inline"
            onSubmit={(event) => {
              event.preventDefault();
              const mass = Math.round(Number(new FormData(event.currentTarget).get("mass")) * 1000);
              ask(() => api.settle(one.order, one.kind, mass).then(again), done);
            }}
          >
            <input
              name="mass"
              type="number"
              min={0}
              step="any"
              required
              aria-label={t("What {order} really drew, g", { order: one.order })}
              placeholder={figure(one.expected_mg / 1000, 1)}
            />
            <span class="sub">g</span>
            <button type="submit" aria-busy={busy} aria-label={t("Correct what {order} drew", { order: one.order })}>
              {t("Correct")}
            </button>
          </form>
        ) : null}
        <AskButton
          label={t("It was so: {order} as the machine reported", { order: one.order })}
          done={done}
          run={() => api.settle(one.order, one.kind).then(again)}
        >
          {t("It was so")}
        </AskButton>
      </span>
    </li>
  );
}

/** A cell took other pieces than planned: the lot is counted and settled to what is there. */
function Pick({ one, clock, again }: { one: PickView; clock: FloorClock; again: () => void }) {
  const [busy, ask] = useAsk();
  const [key] = useState(api.newKey);
  return (
    <li>
      <span>
        <b>{one.lot}</b> {t("{order} took {taken}, {planned} were planned", one)} <AgeAt at={one.at} clock={clock} />
      </span>
      <form
        class="inline"
        onSubmit={(event) => {
          event.preventDefault();
          const pieces = Number(new FormData(event.currentTarget).get("pieces"));
          ask(() => api.counted(one.order, one.lot, pieces, key).then(again), t("{lot}: counted", { lot: one.lot }));
        }}
      >
        <input
          name="pieces"
          type="number"
          min={0}
          step={1}
          required
          aria-label={t("Pieces of {lot} that are there", { lot: one.lot })}
        />
        <span class="sub">{t("pcs")}</span>
        <button type="submit" aria-busy={busy} aria-label={t("Count {lot}: settle it to what is there", { lot: one.lot })}>
          {t("Count")}
        </button>
      </form>
    </li>
  );
}

function Uncertain({ id, lot, again }: { id: string; lot: LotDetail; again: () => void }) {
  return (
    <li>
      <span>
        <b>{id}</b> {lot.material.toUpperCase()}: {t("{mass} drawn that no machine can vouch for", { mass: exactGrams(lot.uncertain_mg ?? 0) })}
      </span>
      <Weigh id={id} lot={lot} again={again} />
    </li>
  );
}

export function Weigh({ id, lot, again }: { id: string; lot: LotDetail; again: () => void }) {
  const [busy, ask] = useAsk();
  const [key, setKey] = useState(api.newKey);
  return (
    <form
      class="inline"
      onSubmit={(event) => {
        event.preventDefault();
        const mass = Math.round(Number(new FormData(event.currentTarget).get("mass")) * 1000);
        ask(
          () =>
            api.weigh(id, mass, key).then(() => {
              setKey(api.newKey());
              again();
            }),
          t("{lot}: weighed", { lot: id }),
        );
      }}
    >
      <input
        name="mass"
        type="number"
        min={0}
        step="any"
        required
        aria-label={t("The scale says of {lot}, without its spool, g", { lot: id })}
        placeholder={figure(lot.mass_mg / 1000, 1)}
      />
      <span class="sub">g</span>
      <button type="submit" aria-busy={busy} aria-label={t("Weigh {lot}: settle it to the scale", { lot: id })}>
        {t("Weigh")}
      </button>
    </form>
  );
}
