// The pages beside the floor in a real browser: node pages.test.mjs URL
import assert from "node:assert/strict";
import { expect, floor, open, run, seriousProblems, watch } from "./harness.mjs";

const { url, browser, context, page, elsewhere } = await open();
const PAGES = {
  "/": ".tile",
  "/schedule": ".work-bar",
  "/needs": ".round-needs li",
  "/materials": "tbody tr",
  "/machines/printer-1": ".chart canvas",
  "/parts/n-3": ".timeline li",
  "/people": "form.add",
  "/commons": ".peers li",
  "/tv": ".tile",
};

async function show(path) {
  await page.goto(url + path);
  await page.locator(PAGES[path] ?? ".tile").first().waitFor();
}

/** Buttons too small for a glove; bars of the schedule are as long as their work. */
function smallTargets() {
  const buttons = page.locator("main button:visible:not(.link):not(.work-bar), nav a:visible");
  return buttons.evaluateAll((all) =>
    all
      .map((e) => [e.textContent, e.getBoundingClientRect()])
      .filter(([, box]) => box.height < 47.5 || box.width < 47.5)
      .map(([text]) => text),
  );
}

const steps = {
  async "goes from page to page by keyboard, and back"() {
    await show("/");
    for (const [name, ready] of [["Schedule", ".work-bar"], ["Needs", ".round-needs li"], ["Materials", "tbody tr"]]) {
      const link = page.getByRole("navigation").getByRole("link", { name });
      await link.focus();
      await page.keyboard.press("Enter");
      await page.locator(ready).first().waitFor();
      assert.equal(await page.locator("h1").innerText().then((t) => t.startsWith(name)), true);
      assert.equal(await page.evaluate(() => document.activeElement.id), "main");
      assert.equal(await page.locator("nav .badge [aria-hidden]").innerText(), "3", "needs a human");
    }
    await page.goBack();
    await page.locator(".round-needs li").first().waitFor();
    assert.equal(new URL(page.url()).pathname, "/needs");
  },

  async "machine: draws the toolpath and charts, dates every reading"() {
    await show("/machines/printer-1");
    await page.getByRole("img", { name: /Toolpath of .* 41 % done/ }).waitFor();
    const painted = () => {  // the picture is named a frame before it is drawn
      const canvas = document.querySelector(".toolpath canvas");
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return data.some((value, n) => n % 4 === 3 && value > 0);
    };
    await page.waitForFunction(painted);
    assert.ok((await page.locator(".chart canvas").count()) >= 3);
    const readings = await page.locator(".readings dd").allInnerTexts();
    assert.ok(readings.length >= 5 && readings.every((text) => /ago/.test(text)), readings.join());
    await page.getByText("fabcommons 0.1").waitFor();
  },

  async "machine: maintenance is noted and the hours begin again"() {
    await page.getByRole("button", { name: "grease rails was done" }).click();
    await page.locator(".events").getByText("grease rails").waitFor();
    await page.getByLabel("What is due").fill("oil spindle");
    await page.getByLabel("every … hours of running").fill("50");
    await page.getByRole("button", { name: "Plan it" }).click();
    await page.getByText(/due in 47\.\d h of running/).waitFor();
  },

  async "machine: the console is for the qualified, and shows what was answered"() {
    await page.evaluate(() => localStorage.setItem("fabcommons.who", "bob"));
    await show("/machines/printer-3");
    const line = page.getByLabel("One line of G-code");
    expect(/^403 POST \/api\/machines\/printer-3\/console$/);
    await line.fill("M115");
    await page.keyboard.press("Enter");
    await page.locator(".said").getByText("bob is not qualified on printer-3").waitFor();
    await page.evaluate(() => localStorage.setItem("fabcommons.who", "ada"));
    await line.fill("M114");
    await page.getByRole("button", { name: "Send" }).click();
    await page.locator(".terminal pre").getByText("echo:M114").waitFor();
    await page.evaluate(() => localStorage.removeItem("fabcommons.who"));
  },

  async "materials: tells what runs low, settles what is uncertain"() {
    await show("/materials");
    await page.getByText("fab:lot:petg-3").waitFor();
    const row = page.locator("tr", { hasText: "PETG" }).first();
    await row.getByLabel(/falls below/).fill("5000");
    await row.getByRole("button", { name: "Set the threshold of PETG" }).click();
    await row.getByText("▼ low").waitFor();
    const odd = page.locator(".due li", { hasText: "petg-4" });
    await odd.getByLabel(/The scale says/).fill("997.5");
    await odd.getByRole("button", { name: /^Weigh petg-4/ }).click();
    await page.getByText("nothing is uncertain").waitFor();
    await page.getByText("997.500 g").waitFor();
    await floor("odd");
    await page.getByLabel("Pieces of screws-m4 that are there").fill("397");
    await page.getByRole("button", { name: /^Count screws-m4/ }).click();
    await page.getByText("397 pcs, 456.550 g").waitFor();
    await page.getByRole("button", { name: /^It was so: o-2/ }).click();
    await page.getByText("nothing is uncertain").waitFor();
  },

  async "schedule: bars, reasons, and a plan without a machine"() {
    await show("/schedule");
    await page.getByRole("button", { name: /clamp 3\/6 · print.*late by/s }).first().waitFor();
    await page.locator(".waits").getByText("needs petg: load it in printer-3").waitFor();
    assert.ok((await page.locator(".lane .away").count()) > 0, "hours without anybody are shaded");
    await page.locator("label.short select").selectOption("printer-1");
    await page.locator(".what-if").getByText("Needs that end earlier: 2.").waitFor();
    await page.locator(".what-if").getByText(/somebody must load: printer-\d \(PETG\), printer-\d \(PETG\)/).waitFor();
    await page.locator("label.short select").selectOption("cell-1");
    await page.locator(".what-if").getByText("cell-1 would be out").waitFor();
    await page.locator("label.short select").selectOption("mill-2");
    await page.locator(".what-if").getByText("nothing is planned on mill-2").waitFor();
    await page.getByRole("button", { name: "24 h" }).click();
    await page.getByRole("button", { name: /clamp 1\/6 · print/ }).first().click();
    await page.getByRole("dialog", { name: "6 × clamp" }).waitFor();
  },

  async "tells the moments in sentences in the zone of the place, UTC on hover"() {
    const away = await browser.newContext({ locale: "en-GB", timezoneId: "Asia/Kolkata" });
    away.setDefaultTimeout(60_000);
    watch(away);
    const other = await away.newPage();
    const told = async (within) => {
      const moment = within.locator('time[title="2025-10-11 08:53:00 UTC"]').first();
      await moment.waitFor();
      assert.match(await moment.innerText(), /14:23$/);
      assert.doesNotMatch(await within.innerText(), /UTC/);
    };
    await floor("fault printer-3 on the ballot of round r1, which closes 2025-10-11 08:53 UTC");
    await other.goto(url);
    await told(other.locator("#machine-printer-3"));
    await told(other.locator(".card", { hasText: "printer-3" }));
    await told(other.locator(".queue"));
    await told(other.locator(".panel", { has: other.getByRole("heading", { name: "Last events" }) }));
    await other.locator(".need", { hasText: "which closes" }).getByRole("button").first().click();
    await told(other.getByRole("dialog"));
    await floor("waits op-6 on the ballot of round r1, which closes 2025-10-11 08:53 UTC");
    await other.goto(url + "/schedule");
    await told(other.locator(".waits"));
    const bar = other.locator(".work-bar", { hasText: "clamp 1/6" }).first();
    assert.match(await bar.getAttribute("title"), /planned 14:41 \(09:11 UTC\)/);
    await other.goto(url + "/records/n-3"); // what a label leads to
    const begun = other.locator('td time[title="2025-10-09 02:53 UTC"]').first();
    await begun.waitFor();
    assert.match(await begun.innerText(), /8:23/);
    await away.close();
    await floor("fault printer-3");
  },

  async "needs: votes in a round with the member's own token"() {
    await show("/needs");
    const token = await floor("token");
    await page.getByRole("button", { name: "Admit a member to Hill school" }).click();
    const fresh = await page.locator(".secret code").innerText();
    await page.getByRole("button", { name: "Vote" }).click();
    await page.getByLabel("Your token").fill(token);
    await page.getByRole("button", { name: "Read my ballot" }).click();
    await page.getByText("Your ballot as it counts now").waitFor();
    await page.getByLabel("Your token").fill(fresh);
    await page.getByRole("button", { name: "Read my ballot" }).click();
    await page.getByText("You have not voted in this round yet").waitFor();
    await page.getByLabel("Your token").fill(token);
    await page.getByRole("button", { name: "Read my ballot" }).click();
    await page.getByText("Your ballot as it counts now").waitFor();
    const second = page.locator(".ballot fieldset").nth(1);
    await second.getByRole("radio").nth(3).check();
    assert.deepEqual(await seriousProblems(page), []);
    await page.getByRole("button", { name: "Cast it" }).click();
    await page.getByText("Your ballot counts").waitFor();
    await page.locator(".round-needs").getByText("1 approve, 3 points").nth(1).waitFor();
  },

  async "needs: a steward closes the round, and its certificate is there to check"() {
    const close = page.getByRole("button", { name: "Close and count round r1" });
    await close.focus();
    await page.keyboard.down("Enter");
    await page.getByText("Round r1 is closed and counted").waitFor();
    await page.keyboard.up("Enter");
    await page.locator(".round-needs").getByText("accepted: 1 supporter paid for it").first().waitFor();
    const link = page.getByRole("link", { name: "round.json" });
    const answer = await page.request.get(url + (await link.getAttribute("href")));
    assert.ok((await answer.json()).certificate.purchases.length > 0);
    await page.getByRole("button", { name: "Open a round" }).waitFor();
  },

  async "joined sites: what is wrong with which, and leaving one by holding"() {
    await show("/commons");
    const valley = page.locator(".peers li", { hasText: "valley" });
    await valley.getByText("Connection refused — is it on, and is its address right?").waitFor();
    await page.locator(".peers li", { hasText: "ridge" }).getByText("1 claimed, 2 begun, 1 done").waitFor();
    await page.getByLabel("Its id").fill("creek");
    await page.getByLabel("Its public key").fill("ab".repeat(32));
    await page.getByRole("button", { name: "Join it" }).click();
    const creek = page.locator(".peers li", { hasText: "creek" });
    const leave = creek.getByRole("button", { name: /Leave creek/ });
    await leave.focus();
    await page.keyboard.down("Enter");
    await creek.getByText("left: what was begun ends").waitFor();
    await page.keyboard.up("Enter");
  },

  async "follows a need to the public record of its part"() {
    await show("/needs");
    await page.getByRole("button", { name: "1 × clamp" }).click();
    await page.getByRole("link", { name: "The public record of its parts" }).click();
    await page.locator(".timeline li").first().waitFor();
    assert.equal(new URL(page.url()).pathname, "/parts/n-3");
    await page.getByText("CERN-OHL-P-2.0").waitFor();
    const label = await page.getByRole("link", { name: "Label to print" }).getAttribute("href");
    assert.match((await (await page.request.get(url + label)).body()).toString("latin1"), /^%PDF-/);
  },

  async "speaks German, with the times of the place and UTC beside"() {
    const german = await browser.newContext({ locale: "de-DE", timezoneId: "Asia/Kolkata" });
    german.setDefaultTimeout(60_000);
    watch(german);
    const other = await german.newPage();
    await other.goto(url + "/schedule");
    await other.getByRole("heading", { name: "Was wartet, und warum" }).waitFor();
    assert.equal(await other.locator("html").getAttribute("lang"), "de");
    await other.goto(url);
    const clock = other.locator(".clock");
    await clock.waitFor();
    const [shown, utc] = [await clock.innerText(), await clock.getAttribute("title")];
    const minutes = (text) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));
    const apart = (minutes(shown) - minutes(utc.slice(11)) + 1440) % 1440;
    assert.ok([330, 331].includes(apart), `${shown} beside ${utc}`);
    await german.close();
  },

  async "has no serious accessibility problem and targets of 48 px, light, dark, narrow"() {
    const looks = [["light", 1440], ["dark", 390]];
    for (const [colorScheme, width] of looks) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 900 });
      for (const path of Object.keys(PAGES)) {
        await show(path);
        assert.deepEqual(await seriousProblems(page), [], `${path} ${colorScheme}`);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(wide <= width, `${path} scrolls sideways: ${wide} > ${width}`);
        assert.deepEqual(await smallTargets(), [], `${path} ${width}`);
      }
    }
  },

  async "fills a wall of 4K"() {
    await page.setViewportSize({ width: 3840, height: 2160 });
    await show("/tv");
    assert.ok((await page.locator(".tile").first().boundingBox()).width > 400);
  },

  async "asks nothing of anybody else"() {
    assert.deepEqual(elsewhere, []);
    await context.close();
  },
};

await run(steps, browser);
