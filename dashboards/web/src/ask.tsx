// Buttons that ask the floor for something: one press, one request, and what came of it in words.
import { createContext } from "preact";
import { useContext, useRef, useState } from "preact/hooks";
import { t } from "./i18n";
import { type Right, useWhyNot } from "./me";

export type Say = (text: string, bad: boolean) => void;
export const SayContext = createContext<Say>(() => undefined);

/** Ask for something; what to say when it was done may depend on the answer. */
type Ask = <Found>(run: () => Promise<Found>, done: string | ((found: Found) => string)) => void;

/** `right`: what asking needs; without it the person is told why and nothing is asked. */
export function useAsk(
  right: Right = "operate",
): [boolean, Ask, string] {
  const whyNot = useWhyNot(right);
  const say = useContext(SayContext);
  const [busy, setBusy] = useState(false);
  const asking = useRef(false);
  const ask: Ask = (run, done) => {
    if (asking.current) return; // a double press is one press
    if (whyNot) {
      say(whyNot, true);
      return;
    }
    asking.current = true;
    setBusy(true);
    run()
      .then((found) => say(typeof done === "string" ? done : done(found), false))
      .catch((error: unknown) => say(error instanceof Error ? error.message : String(error), true))
      .finally(() => {
        asking.current = false;
        setBusy(false);
      });
  };
  return [busy, ask, whyNot];
}

type Props = {
  class?: string;
  label: string;
  done: string;
  disabled?: boolean;
  right?: Right;
  run: () => Promise<unknown>;
  children: preact.ComponentChildren;
};

export function AskButton({ class: name = "", label, done, disabled, right, run, children }: Props) {
  const [busy, ask, whyNot] = useAsk(right);
  return (
    <button
      type="button"
      class={name}
      aria-label={label}
      disabled={disabled}
      aria-disabled={whyNot ? true : undefined}
      title={whyNot || undefined}
      aria-busy={busy}
      onClick={() => ask(run, done)}
    >
      {children}
    </button>
  );
}

export const HOLD_MS = 900;

/** Held down for a moment, by pointer or by key, so that a brush of the sleeve cancels nothing. */
export function HoldButton({ class: name = "", label, done, disabled, right, run, children }: Props) {
  const [busy, ask, whyNot] = useAsk(right);
  const say = useContext(SayContext);
  const [holding, setHolding] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const begin = (): void => {
    if (timer.current !== undefined || disabled) return;
    setHolding(true);
    timer.current = setTimeout(() => {
      end();
      ask(run, done);
    }, HOLD_MS);
  };
  /** Let go too early: nothing is asked, and the person is told how. */
  const release = (): void => {
    if (timer.current !== undefined) say(t("Keep it pressed for a moment"), false);
    end();
  };
  const end = (): void => {
    clearTimeout(timer.current);
    timer.current = undefined;
    setHolding(false);
  };
  const isPress = (event: KeyboardEvent): boolean => event.key === " " || event.key === "Enter";
  return (
    <button
      type="button"
      class={`hold ${holding ? "holding" : ""} ${name}`}
      aria-label={t("{what}: hold down", { what: label })}
      disabled={disabled}
      aria-disabled={whyNot ? true : undefined}
      title={whyNot || undefined}
      aria-busy={busy}
      onPointerDown={(event) => event.button === 0 && begin()}
      onPointerUp={release}
      onPointerLeave={end}
      onPointerCancel={end}
      onBlur={end}
      onContextMenu={(event) => event.preventDefault()}
      onKeyDown={(event) => {
        if (!isPress(event)) return;
        event.preventDefault();
        if (!event.repeat) begin();
      }}
      onKeyUp={(event) => isPress(event) && release()}
    >
      <span class="fill" aria-hidden="true" />
      <span class="text">{children}</span>
    </button>
  );
}
