// What the browser tests share: a page, a driver that changes the floor, steps told one by one.
// Standard output: one line per step to the driver ("do ..." asks it for something), then "passed".
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { launch } from "./browser.mjs";

// A limit, never a measure: every step waits for what it wants to see, however slow the computer.
export const LIMIT_MS = 60_000;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Ask the driver for something; returns what it answers after "ok". */
export async function floor(command) {
  console.log(`do ${command}`);
  const { value } = await answers.next();
  assert.match(value, /^ok/, `${command}: ${value}`);
  return value.slice(3);
}

export async function seriousProblems(page) {
  await page.evaluate(axe); // a script tag would be refused by the page's policy, and rightly
  const found = await page.evaluate((rules) => globalThis.axe.run(document, { runOnly: rules }), RULES);
  return found.violations
    .filter((v) => v.impact === "serious" || v.impact === "critical")
    .map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(" ")).join(" | ")}`);
}

// What went wrong in any watched browser, and what of it the step that runs has said to expect.
const troubles = [];
let expected = [];

/** Trouble this step makes on purpose: patterns of "404 GET /path", of console errors, of exceptions. */
export function expect(...patterns) {
  expected.push(...patterns);
}

/** Note refused requests, console errors and exceptions of a context; `run` fails a step for them. */
export function watch(context) {
  context.on("weberror", (error) => troubles.push(String(error.error())));
  context.on("console", (m) => {
    const told = m.text().includes("the server responded with a status of"); // below, with its address
    if (m.type() === "error" && !told) troubles.push(m.text());
  });
  context.on("response", (r) => {
    if (r.status() < 400) return;
    troubles.push(`${r.status()} ${r.request().method()} ${new URL(r.url()).pathname}`);
  });
}

export async function open(options = {}) {
  const url = process.argv[2];
  const browser = await launch();
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 }, ...options });
  context.setDefaultTimeout(LIMIT_MS);
  const elsewhere = [];
  watch(context);
  context.on("request", (r) => r.url().startsWith(url) || elsewhere.push(r.url()));
  const page = await context.newPage();
  return { url, browser, context, page, elsewhere };
}

export async function run(steps, browser) {
  let failed = 0;
  for (const [name, step] of Object.entries(steps)) {
    expected = [];
    try {
      await step();
      const found = troubles.filter((text) => !expected.some((pattern) => pattern.test(text)));
      assert.deepEqual(found, [], "nobody expected this trouble");
      console.log(`ok ${name}`);
    } catch (error) {
      failed += 1;
      const text = String(error.stack ?? error).replaceAll("\n", " / ").slice(0, 1500);
      console.log(`failed ${name}: ${text}`);
    }
    troubles.length = 0;
  }
  await browser.close();
  console.log(failed ? "some failed" : "passed");
  process.exit(failed ? 1 : 0);
}
