// The floor page in a real browser: node floor.test.mjs URL, driven by tests/browser/test_floor.py.
import assert from "node:assert/strict";
import { expect, floor, open, run, seriousProblems } from "./harness.mjs";

const { url, browser, context, page, elsewhere } = await open();
const tile = (id) => page.locator(`#machine-${id}`);
const card = (name) => page.locator(".card", { hasText: name });

const steps = {
  async "shows what needs a person before anything else, with no click"() {
    await page.goto(url);
    await tile("printer-1").waitFor();
    assert.match(await page.locator(".attention h2").innerText(), /^3\s*need you$/);
    const cards = await page.locator(".card h3").allInnerTexts();
    assert.deepEqual(
      cards.map((c) => c.split("\n")[0]),
      ["mill-1", "printer-2", "printer-4"],
    );
    const first = await page.locator("main > *").first().getAttribute("class");
    assert.match(first, /attention/);
  },

  async "says a machine's state by word, shape and colour"() {
    assert.equal(await tile("printer-1").locator(".word").innerText(), "Running");
    assert.equal(await tile("printer-1").locator("svg.shape").count(), 1);
    const colours = await page
      .locator(".tile-head")
      .evaluateAll((heads) => new Set(heads.map((h) => getComputedStyle(h).backgroundColor)).size);
    assert.ok(colours >= 5, `${colours} colours for 5 states`);
    assert.match(await tile("printer-1").innerText(), /41\s*%/);
    assert.match(await tile("printer-1").innerText(), /Northside workshop/);
    assert.match(await tile("printer-4").innerText(), /last heard 9 min ago/);
  },

  async "draws a change of the floor without a reload"() {
    await page.evaluate(() => (globalThis.sameDocument = true));
    await floor("done printer-1 770000");
    await tile("printer-1").getByText("77").waitFor();
    await floor("notice a simulated technician waves");
    await page.getByText("a simulated technician waves").waitFor();
    assert.equal(await page.evaluate(() => globalThis.sameDocument), true);
  },

  async "has controls that are always visible and at least 48 px"() {
    for (const button of await page.locator(".controls button, .verbs button").all()) {
      assert.ok(await button.isVisible());
      const box = await button.boundingBox();
      assert.ok(box.height >= 48 && box.width >= 48, `${box.width} x ${box.height}`);
    }
  },

  async "asks whether the part lies where the robot takes it, and one tap says so"() {
    await floor("pose");
    await card("printer-2").getByText("Place to confirm").waitFor();
    await tile("printer-2").getByText("cell-1 clears this bed: a part lies on the bed").waitFor();
    await card("printer-2").getByRole("button", { name: /lies where the robot takes it/ }).click();
    await tile("printer-2").getByText("place and pose of the part are confirmed").waitFor();
  },

  async "says that the controller drains, and who asked for it"() {
    await floor("drain ada");
    await page.locator(".banner").getByText("No new orders: the controller is being drained.").waitFor();
    await page.getByText("ada asked for it").waitFor();
    await page.getByRole("button", { name: "Offer orders again" }).click();
    await page.locator(".banner").waitFor({ state: "detached" });
  },

  async "clears a bed with its result in one tap, and the card goes"() {
    await card("printer-2").getByRole("button", { name: /part is good/ }).click();
    await card("printer-2").waitFor({ state: "detached" });
    await floor("asked clear printer-2 good");
  },

  async "pauses in one tap, and a double tap is one"() {
    await tile("mill-2").getByRole("button", { name: "Pause mill-2" }).dblclick();
    await tile("mill-2").getByRole("button", { name: "Resume mill-2" }).waitFor();
    await floor("asked pause mill-2");
    await floor("count pause 1");
  },

  async "cancels only when held, by pointer and by key"() {
    const cancel = tile("printer-1").getByRole("button", { name: /Cancel printer-1/ });
    await cancel.click();
    await page.getByText("Keep it pressed for a moment").waitFor();
    await floor("count cancel 0");
    await cancel.focus();
    await page.keyboard.down("Enter");
    await page.getByText("printer-1: cancel sent").waitFor();
    await page.keyboard.up("Enter");
    await floor("count cancel 1");
  },

  async "stops in one tap and never asks"() {
    await tile("cell-1").getByRole("button", { name: "Emergency stop cell-1" }).click();
    await page.getByText("cell-1: STOP sent").waitFor();
    await floor("count stop 1");
  },

  async "says what was refused, and why"() {
    await floor("state printer-3 busy");
    await tile("printer-3").getByText("Running").waitFor();
    expect(/net::ERR_/); // what this step does on purpose
    await context.setOffline(true);
    await tile("printer-3").getByRole("button", { name: "Pause printer-3" }).click();
    await page.locator(".said.bad").waitFor();
    await context.setOffline(false);
    await page.locator(".said button").click();
    await page.locator(".link-state.on").waitFor();
  },

  async "states a need by keyboard and shows it in the queue"() {
    await page.getByRole("button", { name: "State a need" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog", { name: "State a need" }).waitFor();
    await page.getByLabel("How many").fill("7");
    assert.deepEqual(await seriousProblems(page), []);
    await page.getByLabel("How many").press("Enter");
    await page.getByText("7 × clamp").waitFor();
  },

  async "tells a need from start to finish in one click"() {
    await page.getByRole("button", { name: "2 × clamp" }).click();
    const story = page.getByRole("dialog", { name: "2 × clamp" });
    await story.getByText("Piece 1 of 2").waitFor();
    assert.match(await story.innerText(), /Table clamp[\s\S]*print[\s\S]*mill[\s\S]*assemble/);
    assert.deepEqual(await seriousProblems(page), []);
    await page.keyboard.press("Escape");
    await story.waitFor({ state: "detached" });
  },

  async "counts bad input and shows the last reasons"() {
    await page.getByText("is not valid JSON in UTF-8").waitFor();
  },

  async "has no serious accessibility problem, light and dark, wide and narrow"() {
    for (const colorScheme of ["light", "dark"]) {
      for (const width of [1440, 390]) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 900 });
        assert.deepEqual(await seriousProblems(page), [], `${colorScheme} ${width}`);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(wide <= width, `scrolls sideways: ${wide} > ${width}`);
      }
    }
  },

  async "says so when the floor cannot be heard, and takes up again"() {
    await page.setViewportSize({ width: 1440, height: 1000 });
    expect(/net::ERR_/);
    await floor("stop-server");
    await page.getByText("Not connected.").waitFor();
    await floor("start-server");
    await page.getByText("Not connected.").waitFor({ state: "detached" });
    await floor("done mill-2 930000");
    await tile("mill-2").getByText("93").waitFor();
  },

  async "asks nothing of anybody else"() {
    assert.deepEqual(elsewhere, []);
  },
};

await run(steps, browser);
