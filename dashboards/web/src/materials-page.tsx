// Material on the floor: what is here, what open work will take, what runs low, what does not agree.
import { useState } from "preact/hooks";
import { AgeAt, ReadAge } from "./age";
import * as api from "./api";
import { useAsk } from "./ask";
import type { FloorClock } from "./clock";
import { useFetched } from "./fetched";
import { t } from "./i18n";
import type { Live } from "./live";
import { Link, machinePath } from "./router";
import { ToSettle, Weigh } from "./settle";
import { SwapButton } from "./swap";
import type { LotDetail, MaterialsPage as Page, StockView } from "./types";
import { exactGrams, grams, KIND_WORDS } from "./words";

const SHOWN = ["spool", "plate", "stock"];

export default function MaterialsPage({ live }: { live: Live }) {
  const page = useFetched<Page>("/api/materials", live.floor.lots, 3000);
  const { value } = page;
  if (!value) return <p class="reading">{page.error || t("Reading…")}</p>;
  return (
    <>
      <ToSettle page={value} clock={live.clock} again={page.again} />
      <section class="panel" aria-labelledby="stock-title">
        <h2 id="stock-title">
          {t("Stock")} <ReadAge readMs={page.readMs} />
        </h2>
        <div class="scroll" tabIndex={0} role="region" aria-labelledby="stock-title">
          <table>
            <thead>
              <tr>
                <th scope="col">{t("Material")}</th>
                <th scope="col" class="number">{t("Here")}</th>
                <th scope="col" class="number">{t("On machines")}</th>
                <th scope="col" class="number">{t("Reserved (estimate)")}</th>
                <th scope="col">{t("Tell us below")}</th>
                <th scope="col">{t("State")}</th>
              </tr>
            </thead>
            <tbody>
              {Object.values(value.stock).map((stock) => (
                <Stock key={stock.material} stock={stock} again={page.again} />
              ))}
            </tbody>
          </table>
        </div>
      </section>
      <Lots page={value} live={live} readMs={page.readMs} again={page.again} />
    </>
  );
}

function Stock({ stock, again }: { stock: StockView; again: () => void }) {
  const [busy, ask] = useAsk("govern");
  const name = stock.material.toUpperCase();
  const short = stock.left_mg < stock.reserved_mg;
  return (
    <tr class={short || stock.low ? "low" : ""}>
      <th scope="row">{name}</th>
      <td class="number">
        {stock.pieces ? `${t("{n} pcs", { n: stock.pieces })}, ` : ""}
        {grams(stock.left_mg)}
      </td>
      <td class="number">{grams(stock.loaded_mg)}</td>
      <td class="number">
        {grams(stock.reserved_mg)} <span class="sub">{t("{n} operations", { n: stock.operations })}</span>
      </td>
      <td>
        <form
          class="inline"
          onSubmit={(event) => {
            event.preventDefault();
            const low = Number(new FormData(event.currentTarget).get("low"));
            ask(() => api.threshold(stock.material, Math.round(low * 1000)).then(again), t("{what}: noted", { what: name }));
          }}
        >
          <input
            name="low"
            type="number"
            min={0}
            aria-label={t("Tell us when {what} falls below, g", { what: name })}
            defaultValue={String((stock.low_mg ?? 0) / 1000)}
          />
          <span class="sub">g</span>
          <button type="submit" aria-busy={busy} aria-label={t("Set the threshold of {what}", { what: name })}>
            {t("Set")}
          </button>
        </form>
      </td>
      <td>{short ? `▲ ${t("short of what is asked for")}` : stock.low ? `▼ ${t("low")}` : `● ${t("enough")}`}</td>
    </tr>
  );
}

type LotsProps = { page: Page; live: Live; readMs: number; again: () => void };

function Lots({ page, live, readMs, again }: LotsProps) {
  const [all, setAll] = useState(false);
  const rows = Object.entries(page.lots)
    .filter(([, lot]) => all || SHOWN.includes(lot.kind))
    .sort(([a, x], [b, y]) => Number(!x.machine) - Number(!y.machine) || a.localeCompare(b, undefined, { numeric: true }));
  return (
    <section class="panel" aria-labelledby="all-lots-title">
      <div class="panel-head">
        <h2 id="all-lots-title">
          {t("Lots")} <span class="sub">{rows.length}</span> <ReadAge readMs={readMs} />
        </h2>
        <button type="button" aria-pressed={all} onClick={() => setAll(!all)}>
          {t("Parts and scrap too")}
        </button>
      </div>
      <div class="scroll" tabIndex={0} role="region" aria-labelledby="all-lots-title">
        <table>
          <thead>
            <tr>
              <th scope="col">{t("Lot and code")}</th>
              <th scope="col">{t("Material")}</th>
              <th scope="col">{t("Where")}</th>
              <th scope="col" class="number">{t("Left by the ledger")}</th>
              <th scope="col">{t("Reserved for")}</th>
              <th scope="col">{t("On the scale")}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(([id, lot]) => (
              <LotRow key={id} id={id} lot={lot} live={live} clock={live.clock} again={again} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

type RowProps = { id: string; lot: LotDetail; live: Live; clock: FloorClock; again: () => void };

function LotRow({ id, lot, live, clock, again }: RowProps) {
  const machine = lot.machine ? live.floor.machines[lot.machine] : undefined;
  return (
    <tr>
      <th scope="row">
        {id} <code class="sub">{lot.code}</code>
      </th>
      <td>
        {[lot.material.toUpperCase(), lot.colour].filter(Boolean).join(" ")}{" "}
        <span class="sub">{KIND_WORDS[lot.kind] ?? lot.kind}</span>
      </td>
      <td>
        {machine ? (
          <span class="inline">
            <Link to={machinePath(machine.id)}>{machine.name}</Link>
            <SwapButton floor={live.floor} machine={machine} ch={lot.ch ?? 0} material={lot.material} />
          </span>
        ) : (
          t("shelf")
        )}
      </td>
      <td class="number">
        {lot.pieces ? `${t("{n} pcs", { n: lot.pieces })}, ` : ""}
        {exactGrams(lot.mass_mg)}
        {lot.moved_at ? (
          <span class="sub">
            {" "}
            {t("moved")} <AgeAt at={lot.moved_at} clock={clock} />
          </span>
        ) : null}
      </td>
      <td>{lot.reserved_by ?? "—"}</td>
      <td>{lot.kind === "spool" ? <Weigh id={id} lot={lot} again={again} /> : "—"}</td>
    </tr>
  );
}
