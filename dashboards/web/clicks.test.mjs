// How many presses each act takes, by pointer and by keyboard: node clicks.test.mjs URL
import assert from "node:assert/strict";
import { expect, floor, open, run } from "./harness.mjs";

const { url, browser, context, page } = await open();
const tile = (id) => page.locator(`#machine-${id}`);
const button = (within, name) => within.getByRole("button", { name, exact: true });

/** Where every act begins; nothing is loaded again, which no act needs. */
async function arrive() {
  await page.evaluate(() => {
    history.pushState(null, "", "/");
    dispatchEvent(new PopStateEvent("popstate"));
  });
  await page.locator("#machines .tile").first().waitFor();
}

/** A floor as at the beginning. */
async function fresh() {
  expect(/net::ERR_/); // its server is another one
  await floor("reset");
  await page.goto(url);
  await page.locator(".link-state.on").waitFor();
}

// One press: a click, or Enter on what has the focus. Moving the focus is no press, nor is hovering.
const hands = {
  pointer: {
    press: (target) => target.click(),
    hold: async (target, until) => {
      await target.scrollIntoViewIfNeeded();
      const box = await target.boundingBox();
      await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
      await page.mouse.down();
      await until();
      await page.mouse.up();
    },
  },
  keyboard: {
    press: async (target) => {
      await target.focus();
      assert.equal(await target.evaluate((e) => e === document.activeElement), true, "takes no focus");
      await page.keyboard.press("Enter");
    },
    hold: async (target, until) => {
      await target.focus();
      await page.keyboard.down("Enter");
      await until();
      await page.keyboard.up("Enter");
    },
  },
};

const said = (text) => page.locator(".said").getByText(text).waitFor();

// act: [presses allowed, what is done with a counting hand]
const acts = {
  "see what needs a human": [0, async () => {
    assert.match(await page.locator(".attention h2").innerText(), /3\s*need you/);
  }],
  "why is this job waiting": [0, async () => {
    await page.getByText("needs petg: load it in printer-3").waitFor();
  }],
  "finish time of a need": [1, async (hand) => {
    await hand.press(page.getByRole("link", { name: "Needs" }));
    await page.locator(".needs .need", { hasText: "5 × hook" }).getByText("expected").waitFor();
  }],
  "start on a machine that fits": [0, async () => {
    await floor("offer cell-1"); // as the controller does by itself
    await tile("cell-1").getByText("Starting").waitFor();
  }],
  "queue n copies on any fit": [2, async (hand) => {
    await hand.press(page.getByRole("button", { name: "State a need" }));
    await page.getByLabel("How many").fill("12"); // typing is no press
    await hand.press(page.getByRole("button", { name: "State this need" }));
    await page.getByRole("button", { name: "12 × clamp" }).waitFor();
    await floor("asked needs quantity=12");
  }],
  "pause one": [1, async (hand) => {
    await hand.press(button(tile("mill-2"), "Pause mill-2"));
    await said("mill-2: pause sent");
    await floor("asked pause mill-2");
  }],
  "emergency stop one": [1, async (hand) => {
    await hand.press(button(tile("printer-1"), "Emergency stop printer-1"));
    await said("printer-1: STOP sent");
    assert.equal(await page.locator("dialog[open]").count(), 0, "never asks");
    await floor("asked stop printer-1");
  }],
  "cancel one": [1, async (hand) => {
    const target = tile("printer-1").getByRole("button", { name: /^Cancel printer-1/ });
    await hand.hold(target, () => said("printer-1: cancel sent"));
    await floor("asked cancel printer-1");
  }],
  "swap spool": [2, async (hand) => {
    await hand.press(button(tile("printer-2"), "Swap the material in channel 0 of printer-2"));
    await hand.press(page.getByRole("button", { name: "Load petg-3 on printer-2" }));
    await said("printer-2: petg-3 loaded");
    await floor("asked load printer-2 petg-3");
  }],
  "bed clear with result": [1, async (hand) => {
    await hand.press(button(tile("printer-2"), "printer-2 is clear, the part is good"));
    await said("printer-2: clear, part good");
    await floor("asked clear printer-2 good");
  }],
  "take out for maintenance": [2, async (hand) => {
    await hand.press(tile("printer-3").getByRole("link", { name: "printer-3" }));
    await hand.press(button(page, "Take out for maintenance: printer-3"));
    await said("printer-3: out of use");
    await page.locator("#machine-printer-3").getByText("Out of use").waitFor();
  }],
};

// The acts of one hand leave each other alone, so that they share a floor.
const steps = {};
for (const [means, { press, hold }] of Object.entries(hands)) {
  let begun = false;
  for (const [name, [allowed, act]] of Object.entries(acts)) {
    steps[`${name}: ${allowed} by ${means}`] = async () => {
      await (begun ? arrive() : fresh());
      begun = true;
      let count = 0;
      const counting = {
        press: (target) => ((count += 1), press(target)),
        hold: (target, until) => ((count += 1), hold(target, until)),
      };
      await act(counting);
      assert.ok(count <= allowed, `${count} presses where ${allowed} are allowed`);
    };
  }
}

steps["a scanner swaps the spool after one press"] = async () => {
  await fresh();
  await button(tile("printer-2"), "Swap the material in channel 0 of printer-2").click();
  await page.getByRole("dialog").waitFor();
  await page.keyboard.type("fab:lot:petg-4");
  await page.keyboard.press("Enter");
  await said("printer-2: petg-4 loaded");
  await floor("asked load printer-2 petg-4");
};

steps["two technicians at once: the second is told to look again"] = async () => {
  await fresh();
  const other = await context.newPage();
  await other.goto(url);
  await other.locator(".link-state.on").waitFor();
  await other.evaluate(() => globalThis.dispatchEvent(new Event("offline"))); // hears nothing for now
  await button(tile("printer-2"), "printer-2 is clear, the part is bad").click();
  await said("printer-2: clear, part bad");
  const late = other.locator("#machine-printer-2").getByRole("button", { name: /the part is good/ });
  expect(/^409 POST \/api\/machines\/printer-2\/clear$/); // the second is refused
  if (await late.count()) {
    await late.click().catch(() => undefined); // it may have gone meanwhile: also right
  }
  await floor("count clear 1");
  await other.close();
};

steps["a double click and a refresh do a thing once"] = async () => {
  await fresh();
  await button(tile("mill-2"), "Pause mill-2").dblclick();
  await button(tile("mill-2"), "Resume mill-2").waitFor();
  await page.reload();
  await button(tile("mill-2"), "Resume mill-2").waitFor();
  await page.goBack().catch(() => undefined);
  await floor("count pause 1");
  await floor("count resume 0");
};

await run(steps, browser);
