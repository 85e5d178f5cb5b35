// Screenshots of every page for the documentation: node screenshots.mjs URL [FOLDER] [NAME...]
import { mkdirSync } from "node:fs";
import { launch } from "./browser.mjs";

const [url = "http://127.0.0.1:8000", folder = "../../docs/images", ...only] = process.argv.slice(2);
const WIDE = { width: 1440, height: 1000 };
const PHONE = { width: 390, height: 844, top: true, scale: 2 };
const LIMIT_MS = 60_000;

const PAGES = [
  { name: "floor", path: "/", ready: ".tile" },
  { name: "schedule", path: "/schedule", ready: ".work-bar" },
  { name: "needs", path: "/needs", ready: ".round-needs" },
  { name: "materials", path: "/materials", ready: "tbody tr" },
  { name: "machine", path: "/machines/printer-1", ready: ".chart canvas" },
  { name: "part", path: "/parts/n-3", ready: ".timeline li" },
  { name: "accounts", path: "/people", ready: "tbody tr" },
  { name: "commons", path: "/commons", ready: ".peers li" },
];
const SHOTS = [
  ...PAGES.flatMap((page) => [
    { ...page, ...WIDE, scheme: "light", name: `${page.name}-light` },
    { ...page, ...WIDE, scheme: "dark", name: `${page.name}-dark` },
    { ...page, ...PHONE, scheme: "light", name: `${page.name}-phone` },
  ]),
  { name: "floor-tv", path: "/tv", ready: ".tile", width: 1920, height: 1080, scheme: "dark", top: true },
  { name: "floor-4k", path: "/", ready: ".tile", width: 3840, height: 2160, scheme: "light", top: true },
  { name: "log-in", path: "/", ready: ".stops", ...WIDE, scheme: "light", top: true, out: true },
  { name: "ballot", path: "/needs", ready: ".round-needs", click: ".round-verbs .primary", then: ".ballot", ...WIDE, scheme: "light" },
  { name: "record", path: "/records/n-3", ready: "h1", ...WIDE, scheme: "light" },
  { name: "floor-german", path: "/", ready: ".tile", ...WIDE, scheme: "light", locale: "de-DE" },
  { name: "need-story", path: "/", ready: ".tile", click: ".need .need-title", then: ".timeline", ...WIDE, scheme: "light", top: true },
  { name: "need-form", path: "/needs", ready: ".need", click: ".queue .primary", then: "dialog.form", ...WIDE, scheme: "light", top: true },
  { name: "spool-swap", path: "/", ready: ".tile", click: "#machine-printer-2 .swap", then: ".choices", ...WIDE, scheme: "light", top: true },
  {
    name: "schedule-what-if",
    path: "/schedule",
    ready: ".work-bar",
    choose: ["label.short select", "printer-1"],
    then: ".what-if",
    ...WIDE,
    scheme: "light",
  },
];

mkdirSync(folder, { recursive: true });
const browser = await launch();
const within = await logIn();

/** Cookies of an admin, where the floor has accounts. */
async function logIn() {
  const context = await browser.newContext();
  const data = { name: "ada", password: "correct horse battery" };
  await context.request.post(`${url}/api/log-in`, { data, headers: { "x-fabcommons": "1" } });
  const state = await context.storageState();
  await context.close();
  return state;
}

for (const shot of SHOTS.filter((s) => only.length === 0 || only.includes(s.name))) {
  const context = await browser.newContext({
    viewport: { width: shot.width, height: shot.height },
    deviceScaleFactor: shot.scale ?? 1,
    colorScheme: shot.scheme,
    locale: shot.locale ?? "en-GB",
    timezoneId: "Europe/Berlin",
    storageState: shot.out ? undefined : within,
  });
  context.setDefaultTimeout(LIMIT_MS);
  const page = await context.newPage();
  page.on("pageerror", (error) => console.error(shot.name, String(error)));
  await page.goto(url + shot.path);
  await page.waitForSelector(shot.ready);
  if (shot.click) await page.click(shot.click);
  if (shot.choose) await page.selectOption(...shot.choose);
  if (shot.then) await page.waitForSelector(shot.then);
  await page.evaluate(() => new Promise((draw) => requestAnimationFrame(() => requestAnimationFrame(draw))));
  await page.screenshot({ path: `${folder}/${shot.name}.png`, fullPage: !shot.top });
  console.log(`${folder}/${shot.name}.png`);
  await context.close();
}
await browser.close();
