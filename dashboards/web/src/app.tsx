// The floor page: what needs a person, the machines, the needs, material, events.
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { WHO_KEY, who } from "./api";
import { SayContext } from "./ask";
import { Attention } from "./attention";
import { floorNow, realMs, span, useTick } from "./clock";
import { type Live, useLive } from "./live";
import { NeedForm } from "./need-form";
import { Queue } from "./queue";
import { Clock, LastEvents, Lots, Refused } from "./side";
import { Story } from "./story";
import { Tile } from "./tile";

type Said = { text: string; bad: boolean; n: number };
const SAID_MS = 6000;

export function App() {
  const live = useLive();
  const [said, setSaid] = useState<Said | undefined>(undefined);
  const n = useRef(0);
  const say = useCallback((text: string, bad: boolean) => {
    n.current += 1;
    setSaid({ text, bad, n: n.current });
  }, []);
  useEffect(() => {
    if (!said || said.bad) return undefined;
    const timer = setTimeout(() => setSaid(undefined), SAID_MS);
    return () => clearTimeout(timer);
  }, [said]);
  return (
    <SayContext.Provider value={say}>
      <a class="skip" href="#machines">
        To the machines
      </a>
      {live ? <Page live={live} /> : <p class="reading">Reading the floor…</p>}
      <div class={`said ${said?.bad ? "bad" : ""}`} role={said?.bad ? "alert" : "status"}>
        {said ? (
          <p key={said.n}>
            {said.text}
            <button type="button" onClick={() => setSaid(undefined)}>
              OK
            </button>
          </p>
        ) : null}
      </div>
    </SayContext.Provider>
  );
}

function Page({ live }: { live: Live }) {
  const { floor, clock } = live;
  const [need, setNeed] = useState(() => location.hash.replace(/^#need=/, "").replace(/^#.*/, ""));
  const [form, setForm] = useState(false);
  const openNeed = useCallback((id: string) => setNeed(id), []);
  const machines = useMemo(
    () =>
      Object.values(floor.machines).sort((a, b) =>
        a.id.localeCompare(b.id, undefined, { numeric: true }),
      ),
    [floor.machines],
  );
  return (
    <div class={live.connected ? "floor" : "floor is-lost"}>
      <Head live={live} />
      {live.connected ? null : <Lost live={live} />}
      <main>
        <Attention floor={floor} clock={clock} openNeed={openNeed} />
        <section aria-labelledby="machines-title" id="machines" tabIndex={-1}>
          <h2 id="machines-title">
            Machines <span class="sub">{machines.length}</span>
          </h2>
          {machines.length === 0 ? <p class="none">No machine has said hello yet.</p> : null}
          <ul class="tiles">
            {machines.map((machine) => (
              <Tile
                key={machine.id}
                machine={machine}
                clock={clock}
                changedMs={live.changedMs[machine.id]}
                openNeed={openNeed}
              />
            ))}
          </ul>
        </section>
        <div class="below">
          <Queue floor={floor} clock={clock} openNeed={openNeed} stateNeed={() => setForm(true)} />
          <div class="side">
            <Lots floor={floor} />
            <LastEvents floor={floor} />
            <Refused floor={floor} />
          </div>
        </div>
      </main>
      {need ? <Story id={need} row={floor.needs[need]} clock={clock} close={() => setNeed("")} /> : null}
      {form ? <NeedForm floor={floor} close={() => setForm(false)} /> : null}
    </div>
  );
}

function Head({ live }: { live: Live }) {
  return (
    <header class="head">
      <h1>
        Floor <span class="sub">{live.site}</span>
      </h1>
      <p class="head-clock">
        <Clock clock={live.clock} now={() => floorNow(live.clock)} />
        {live.clock.rate > 1 ? <span class="chip sim">simulated, {live.clock.rate} × speed</span> : null}
        <span class={`link-state ${live.connected ? "on" : "off"}`}>
          <i aria-hidden="true" /> {live.connected ? "live" : "not connected"}
        </span>
      </p>
      <Who />
      <ThemeButton />
    </header>
  );
}

function Who() {
  const [name, setName] = useState(() => (who().startsWith("someone") ? "" : who()));
  return (
    <label class="who">
      You are
      <input
        value={name}
        placeholder="your name"
        maxLength={60}
        autoComplete="name"
        onInput={(event) => {
          setName(event.currentTarget.value);
          remember(WHO_KEY, event.currentTarget.value);
        }}
      />
    </label>
  );
}

function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // storage may be forbidden: the choice then lasts as long as the page
  }
}

function ThemeButton() {
  const [dark, setDark] = useState(
    () =>
      (document.documentElement.dataset["theme"] ??
        (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark",
  );
  const toggle = (): void => {
    const theme = dark ? "light" : "dark";
    document.documentElement.dataset["theme"] = theme;
    remember("fabcommons.theme", theme);
    setDark(!dark);
  };
  return (
    <button type="button" class="theme" aria-pressed={dark} onClick={toggle}>
      Dark
    </button>
  );
}

/** Nothing old is shown as if it were now. */
function Lost({ live }: { live: Live }) {
  useTick(1000);
  return (
    <div class="lost">
      <b role="alert">Not connected.</b> Everything below is {span(realMs() - live.sinceMs)} old and
      may be wrong. Trying again…
    </div>
  );
}
