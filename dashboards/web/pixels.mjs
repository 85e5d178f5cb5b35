// When changes of machines become visible in a real browser: node pixels.mjs URL, for the bench.
// Says "open" once the floor is drawn. A line on standard input ends it, a JSON list of [machine,
// state, ms since 1970]: when each is painted since then, one JSON line of all that was painted.
import { createInterface } from "node:readline";
import { launch } from "./browser.mjs";

const [url] = process.argv.slice(2);
const browser = await launch();
const context = await browser.newContext({ viewport: { width: 1920, height: 1080 } });
context.setDefaultTimeout(120_000);
const page = await context.newPage();
await page.goto(url);
await page.waitForSelector(".tile");
await page.evaluate(() => {
  const shown = new Map();
  const seen = [];
  globalThis.painted = seen;
  const look = () => {
    const at = performance.timeOrigin + performance.now();
    for (const tile of document.querySelectorAll(".tile")) {
      const state = [...tile.classList].find((name) => name.startsWith("is-"))?.slice(3);
      if (shown.get(tile.id) === state) continue;
      shown.set(tile.id, state);
      seen.push([tile.id.slice("machine-".length), state, at]);
    }
  };
  const channel = new MessageChannel(); // its message comes after the frame was drawn
  channel.port1.onmessage = look;
  new MutationObserver(() => requestAnimationFrame(() => channel.port2.postMessage(0))).observe(document.body, {
    subtree: true,
    attributes: true,
    childList: true,
    attributeFilter: ["class"],
  });
  look();
});
console.log("open");
const line = await new Promise((end) => createInterface({ input: process.stdin }).once("line", end));
await page.waitForFunction(
  (wanted) => wanted.every(([name, state, since]) => painted.some((p) => p[0] === name && p[1] === state && p[2] >= since)),
  JSON.parse(line),
);
console.log(JSON.stringify(await page.evaluate(() => globalThis.painted)));
await browser.close();
process.exit(0);
