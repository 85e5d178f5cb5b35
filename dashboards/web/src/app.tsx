// The frame of every page: where you are, what needs a person, whether what is shown is live.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { SayContext } from "./ask";
import { Banners } from "./banners";
import { floorNow, realMs, span, useTick } from "./clock";
import { FloorPage } from "./floor-page";
import { More } from "./head";
import { t, type Text } from "./i18n";
import { lazy } from "./lazy";
import { type Live, useLive } from "./live";
import { LogIn } from "./log-in";
import { MeContext, useMe } from "./me";
import { NeedForm } from "./need-form";
import { Link, type PageName, type Route, useRoute } from "./router";
import { Clock } from "./side";
import { Story } from "./story";
import { FloorTime } from "./told";

const MachinePage = lazy(() => import("./machine-page").then((m) => m.default));
const MaterialsPage = lazy(() => import("./materials-page").then((m) => m.default));
const SchedulePage = lazy(() => import("./schedule-page").then((m) => m.default));
const NeedsPage = lazy(() => import("./needs-page").then((m) => m.default));
const PeoplePage = lazy(() => import("./people-page").then((m) => m.default));
const CommonsPage = lazy(() => import("./commons-page").then((m) => m.default));
const PartPage = lazy(() => import("./part-page").then((m) => m.default));

type Said = { text: string; bad: boolean; n: number };
const SAID_MS = 8000;

export function App() {
  const known = useMe();
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
      <a class="skip" href="#main">
        {t("To the content")}
      </a>
      {known ? (
        <MeContext.Provider value={known}>
          {known.me.rights.includes("read") ? <Floor /> : <LogIn />}
        </MeContext.Provider>
      ) : (
        <p class="reading">{t("Reading the floor…")}</p>
      )}
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

function Floor() {
  const live = useLive();
  return live ? (
    <FloorTime.Provider value={live.clock}>
      <Page live={live} />
    </FloorTime.Provider>
  ) : (
    <p class="reading">{t("Reading the floor…")}</p>
  );
}

const TITLES: Readonly<Record<PageName, Text>> = {
  floor: "Floor",
  schedule: "Schedule",
  needs: "Needs",
  materials: "Materials",
  machine: "Machine",
  part: "Part",
  people: "Accounts",
  commons: "Joined sites",
  tv: "Floor",
};

function Page({ live }: { live: Live }) {
  const route = useRoute();
  const [need, setNeed] = useState(() => location.hash.replace(/^#need=/, "").replace(/^#.*/, ""));
  const [form, setForm] = useState(false);
  const openNeed = useCallback((id: string) => setNeed(id), []);
  const stateNeed = useCallback(() => setForm(true), []);
  const main = useRef<HTMLElement>(null);
  const shown = useRef(route);
  const title = route.page === "machine" ? route.id : t(TITLES[route.page]);
  useEffect(() => {
    document.title = `${title} · Fabcommons`;
    document.documentElement.toggleAttribute("data-tv", route.page === "tv" || /[?&]tv\b/.test(location.search));
    if (shown.current.page === route.page && shown.current.id === route.id) return;
    shown.current = route;
    setNeed("");
    scrollTo(0, 0);
    main.current?.focus({ preventScroll: true }); // so that the keyboard goes on in the new page
  }, [route.page, route.id]);
  useEffect(() => {
    if (route.page === "needs" && route.id) setNeed(route.id);
  }, [route.page, route.id]);
  return (
    <div class={live.connected ? "floor" : "floor is-lost"}>
      <Head live={live} route={route} title={title} />
      {live.connected ? null : <Lost live={live} />}
      <Banners live={live} />
      <main id="main" ref={main} tabIndex={-1}>
        <Shown route={route} live={live} openNeed={openNeed} stateNeed={stateNeed} />
      </main>
      {need ? (
        <Story id={need} row={live.floor.needs[need]} close={() => setNeed("")} />
      ) : null}
      {form ? <NeedForm floor={live.floor} close={() => setForm(false)} /> : null}
    </div>
  );
}

type ShownProps = {
  route: Route;
  live: Live;
  openNeed: (id: string) => void;
  stateNeed: () => void;
};

function Shown({ route, live, openNeed, stateNeed }: ShownProps) {
  switch (route.page) {
    case "machine":
      return <MachinePage key={route.id} id={route.id} live={live} openNeed={openNeed} />;
    case "materials":
      return <MaterialsPage live={live} />;
    case "schedule":
      return <SchedulePage live={live} openNeed={openNeed} />;
    case "needs":
      return <NeedsPage live={live} openNeed={openNeed} stateNeed={stateNeed} />;
    case "people":
      return <PeoplePage live={live} />;
    case "commons":
      return <CommonsPage live={live} />;
    case "part":
      return <PartPage key={route.id} id={route.id} live={live} />;
    default:
      return <FloorPage live={live} openNeed={openNeed} stateNeed={stateNeed} />;
  }
}

const PLACES: readonly { to: string; page: PageName; text: Text }[] = [
  { to: "/", page: "floor", text: "Floor" },
  { to: "/schedule", page: "schedule", text: "Schedule" },
  { to: "/needs", page: "needs", text: "Needs" },
  { to: "/materials", page: "materials", text: "Materials" },
];

function Head({ live, route, title }: { live: Live; route: Route; title: string }) {
  const waiting = Object.keys(live.floor.attention).length;
  return (
    <header class="head">
      <h1>
        {title} <span class="sub">{live.site}</span>
      </h1>
      <nav aria-label={t("Pages")}>
        {PLACES.map(({ to, page, text }) => (
          <Link key={to} to={to} current={route.page === page}>
            {t(text)}
            {page === "floor" && waiting ? (
              <span class="badge" title={t("{n} need you", { n: waiting })}>
                <span class="unseen">{t("{n} need you", { n: waiting })}</span>
                <span aria-hidden="true">{waiting}</span>
              </span>
            ) : null}
          </Link>
        ))}
      </nav>
      <p class="head-clock">
        <Clock clock={live.clock} now={() => floorNow(live.clock)} />
        {live.clock.rate > 1 ? (
          <span class="chip sim">{t("simulated, {n} × speed", { n: live.clock.rate })}</span>
        ) : null}
        <span class={`link-state ${live.connected ? "on" : "off"}`}>
          <i aria-hidden="true" /> {live.connected ? t("live") : t("not connected")}
        </span>
      </p>
      <More />
    </header>
  );
}

/** Nothing old is shown as if it were now. */
function Lost({ live }: { live: Live }) {
  useTick(1000);
  return (
    <div class="lost">
      <b role="alert">{t("Not connected.")}</b>{" "}
      {t("Everything below is {age} old and may be wrong. Trying again…", { age: span(realMs() - live.sinceMs) })}
    </div>
  );
}
