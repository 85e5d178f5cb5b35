// Every page in German, walked; no English is left: node german.test.mjs URL
// Two nets: a text that is the same in both languages must be the floor's own data or a word both
// languages share; and no German text holds a word that only English has.
import assert from "node:assert/strict";
import { expect, floor, open, run, watch } from "./harness.mjs";

const { url, browser, context, page: english } = await open({ locale: "en-GB", timezoneId: "Europe/Berlin" });
const abroad = await browser.newContext({ locale: "de-DE", timezoneId: "Europe/Berlin", viewport: { width: 1440, height: 1000 } });
abroad.setDefaultTimeout(60_000);
watch(abroad);
const german = await abroad.newPage();

// what people named, and what no language changes: ids, places, materials, parts, formats
const NAMES = [
  /https?:\S+|\b1\/min\b/g,
  /Northside workshop|Hill school|Table clamp|Coat hook/g, /\b(printer|mill|cell)-\d\b/g, /\b(petg|mdf|op|o|n|r|j|b|screws?|spool|made)-[\w.-]+/gi, /\b\w+_(mc|mw|ppm|um_s|n|rpm)\b/g, /\d+ min\b/g, /\bfab:lot:[\w…-]+/g, /— 0\.02 mm/g, /\S+\.(json|pb|gcode)\b/g,
  /\b(clamp|hook|north|hill|lab|ridge|valley|shore|petg|pla|black|orange)\b/gi,
  /simulated technician|level the bed|grease rails|change nozzle|the nozzle clogged|\bada\b/g, /· (print|mill|assemble)/g, /fabcommons [\w .-]+/gi,
  /CERN-OHL-P-2\.0|PaBuLib|Fabcommons|JavaScript|SHA-256|fab\/1\/\S+|M\d+|echo:\S+/g, /[0-9a-f]{12,}…?/g, /\/api\/\w+|https?:\S+/g,
];
const STEPS = new Set(["print", "mill", "assemble"]);
// words both languages write the same
const SHARED = new Set(["Material", "Pause", "Normal", "Start", "live", "English", "Deutsch", "OK", "Name", "Firmware", "Journal", "Link", "Position", "mqtt", "ok", "Token", "QR-Code", "UTC", "Code", "json", "marlin", "grbl", "opcua", "person"]);
const ONLY_ENGLISH = /\b(the|is|of|and|has|are|were|been|which|with|by|from|waits?|needs?|must|it|its|to|at|ago|for|left|order|lot|every|machine|until|nobody|who)\b/i;

/** Texts a person reads on a page: what stands there, and what is said on hover or aloud. */
function texts(page) {
  return page.evaluate(() => {
    const found = new Set();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const parent = walker.currentNode.parentElement;
      if (!parent.closest("script, noscript, code, pre, [lang]:not(html)")) found.add(walker.currentNode.textContent.trim());
    }
    for (const name of ["title", "aria-label", "placeholder", "alt"])
      for (const element of document.querySelectorAll(`[${name}]`)) found.add(element.getAttribute(name).trim());
    return [...found, document.title];
  });
}

const bare = (text) => NAMES.reduce((left, name) => left.replace(name, " "), text);
const worded = (text) => /[a-z]{3}/i.test(bare(text).replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/g, ""));

async function check(what) {
  const [ours, theirs] = [await texts(english), await texts(german)];
  const both = new Set(ours);
  const same = theirs.filter((text) => both.has(text) && worded(text) && !SHARED.has(bare(text).trim()) && !STEPS.has(text));
  assert.deepEqual(same, [], `${what}: the same in both languages`);
  const left = theirs.filter((text) => ONLY_ENGLISH.test(bare(text)));
  assert.deepEqual(left, [], `${what}: English words in a German text`);
  const points = theirs.filter((text) => /(^|\s)\d+\.\d+ (g|kg|h|W|°C|mm|%)(\s|$)/.test(bare(text)));
  assert.deepEqual(points, [], `${what}: numbers with the point of English`);
  const dated = theirs.filter((text) => /\bUTC\b/.test(text) && !/^\d{4}-\d\d-\d\d|\(\S+ ?\S* UTC\)/.test(text));
  assert.deepEqual(dated, [], `${what}: times of another zone`);
}

async function show(path, ready) {
  await Promise.all([english, german].map((page) => page.goto(url + path)));
  await Promise.all([english, german].map((page) => page.locator(ready).first().waitFor()));
}

/** The same on both pages, by the place of what is pressed. */
const press = (selector, then) =>
  Promise.all([english, german].map(async (page) => {
    await page.locator(selector).first().click();
    await page.locator(then).first().waitFor();
  }));

const steps = {
  async "the floor, with everything that can need a person"() {
    for (const odd of ["pose", "odd", "drain ada", "trouble"]) await floor(odd);
    await show("/", ".card");
    await check("floor");
    await show("/tv", ".tile");
    await check("tv");
  },

  async "a need's story, its form, and a spool to change"() {
    await show("/", ".need");
    await press(".need .need-title button, .need button.need-title", ".timeline");
    await check("story");
    await show("/needs", ".need");
    await press(".queue .primary", "dialog.form");
    await check("form");
    await show("/", ".tile");
    await press("#machine-printer-1 .swap", ".choices");
    await check("swap");
  },

  async "machines"() {
    for (const id of ["printer-1", "printer-2", "printer-3", "mill-1", "mill-2", "cell-1"]) {
      await show(`/machines/${id}`, "#facts-title");
      await check(id);
    }
  },

  async "schedule, with a machine out"() {
    await show("/schedule", ".work-bar");
    await check("schedule");
    for (const page of [english, german]) {
      await page.selectOption("label.short select", "printer-1");
      await page.locator(".what-if").waitFor();
    }
    await check("what if");
  },

  async "needs and a ballot; a counted round"() {
    await show("/needs", ".round-needs li");
    await check("needs");
    await press(".round-verbs .primary", ".ballot");
    await check("ballot");
    const closed = await english.request.post(`${url}/api/rounds/r1/close`, { headers: { "x-fabcommons": "1" }, data: {} });
    assert.equal(closed.status(), 200);
    await show("/needs", ".published");
    await check("counted round");
  },

  async "materials, parts, accounts"() {
    await show("/materials", "tbody tr");
    await check("materials");
    for (const need of ["n-3", "n-1"]) {
      await show(`/parts/${need}`, "#made-title");
      await check(`part ${need}`);
    }
    await show("/commons", ".peers li");
    await check("joined sites");
    await show("/people", "form.add");
    await check("people");
  },

  async "what was refused"() {
    expect(/^403 POST \/api\/machines\/printer-3\/console$/);
    await show("/machines/printer-3", ".console");
    for (const page of [english, german]) {
      await page.evaluate(() => localStorage.setItem("fabcommons.who", "bob"));
      await page.locator(".console input").fill("M115");
      const refused = page.waitForResponse((answer) => answer.status() === 403);
      await page.keyboard.press("Enter");
      await refused;
      await page.locator(".said.bad").waitFor();
    }
    await check("refused");
  },
};

await run(steps, browser);
