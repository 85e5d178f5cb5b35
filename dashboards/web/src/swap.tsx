// Another lot into a machine's channel: one press opens the choice, the second loads. A handheld
// scanner types the code of the spool, which counts as the second press.
import { useEffect, useRef, useState } from "preact/hooks";
import * as api from "./api";
import { AskButton, useAsk } from "./ask";
import { t } from "./i18n";
import type { FloorDocument, LotView, MachineView } from "./types";
import { grams } from "./words";

const CODE = "fab:lot:";
const KINDS: Readonly<Record<string, string>> = { printer: "spool", mill: "plate" };

type Props = { floor: FloorDocument; machine: MachineView; ch: number; material?: string };

export function SwapButton(props: Props & { saw?: string }) {
  const [open, setOpen] = useState(false);
  const { machine, ch } = props;
  return (
    <>
      <button
        type="button"
        class="swap"
        aria-label={t("Swap the material in channel {ch} of {name}", { ch, name: machine.name })}
        onClick={() => setOpen(true)}
      >
        {t("Swap")}
      </button>
      {open ? <SwapDialog {...props} close={() => setOpen(false)} /> : null}
    </>
  );
}

type Row = { id: string; lot: LotView };

/** Lots that stand free, those of the same material first, then the fullest. */
export function freeLots(floor: FloorDocument, kind: string, material: string | undefined): Row[] {
  return Object.entries(floor.lots)
    .filter(([, lot]) => !lot.machine && lot.kind === (KINDS[kind] ?? lot.kind))
    .map(([id, lot]) => ({ id, lot }))
    .sort(
      (a, b) =>
        Number(b.lot.material === material) - Number(a.lot.material === material) ||
        b.lot.mass_mg - a.lot.mass_mg ||
        a.id.localeCompare(b.id),
    );
}

function SwapDialog({ floor, machine, ch, material, close }: Props & { close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const code = useRef<HTMLInputElement>(null);
  const [, ask] = useAsk();
  useEffect(() => {
    dialog.current?.showModal();
    dialog.current?.querySelector<HTMLButtonElement>("li button")?.focus();
  }, []);
  const lots = freeLots(floor, machine.kind, material);
  const load = (id: string): Promise<unknown> =>
    api.load(machine.id, ch, id, machine.saw).then((answer) => {
      dialog.current?.close();
      return answer;
    });
  const scanned = (event: SubmitEvent): void => {
    event.preventDefault();
    const id = (code.current?.value ?? "").trim().replace(CODE, "");
    if (id) ask(() => load(id), t("{name}: {lot} loaded", { name: machine.name, lot: id }));
  };
  return (
    <dialog
      ref={dialog}
      class="form"
      aria-labelledby="swap-title"
      onClose={close}
      onKeyDown={(event) => {
        const typed = event.key.length === 1 && event.key !== " " && event.target !== code.current;
        if (typed) code.current?.focus();
      }}
    >
      <form onSubmit={scanned}>
        <h2 id="swap-title">{t("What goes into {name}?", { name: machine.name })}</h2>
        {lots.length === 0 ? <p class="none">{t("No other lot stands free.")}</p> : null}
        <ul class="choices">
          {lots.slice(0, 12).map(({ id, lot }) => (
            <li key={id}>
              <AskButton
                label={t("Load {lot} on {name}", { lot: id, name: machine.name })}
                done={t("{name}: {lot} loaded", { name: machine.name, lot: id })}
                run={() => load(id)}
              >
                <b>{id}</b> {[lot.material.toUpperCase(), lot.colour].filter(Boolean).join(" ")}{" "}
                {lot.pieces ? t("{n} pcs", { n: lot.pieces }) : grams(lot.mass_mg)}
              </AskButton>
            </li>
          ))}
        </ul>
        <label>
          {t("or scan its code")}
          <input ref={code} placeholder={`${CODE}…`} autoComplete="off" maxLength={80} />
        </label>
        <div class="form-end">
          <button type="button" onClick={() => dialog.current?.close()}>
            {t("Not now")}
          </button>
        </div>
      </form>
    </dialog>
  );
}
