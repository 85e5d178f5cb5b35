// Coming in, what a role may do, and going out, in a real browser: node people.test.mjs URL
import assert from "node:assert/strict";
import { expect, floor, open, run, seriousProblems } from "./harness.mjs";

const { url, browser, page, elsewhere } = await open();

async function logIn(name, password) {
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill(password);
  await page.keyboard.press("Enter");
}

const steps = {
  async "shows nothing of the floor to who is not logged in, and is clean"() {
    await page.goto(url);
    await page.getByRole("heading", { name: "Log in" }).waitFor();
    assert.equal(await page.locator(".tile").count(), 0);
    assert.deepEqual(await seriousProblems(page), []);
  },

  async "lets anybody on the floor stop a machine"() {
    await page.getByRole("button", { name: "Emergency stop printer-1" }).click();
    await page.getByText("printer-1: STOP sent").waitFor();
    await floor("asked stop printer-1 logged");
  },

  async "says that a password is wrong, and lets one try again by keyboard"() {
    expect(/^401 POST \/api\/log-in$/);
    await logIn("mia", "not the password");
    await page.getByRole("alert").filter({ hasText: "name or password is wrong" }).waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.name), "name");
    await logIn("mia", "correct horse battery");
    await page.locator(".tile").first().waitFor();
    await page.getByText("mia · Member").waitFor();
  },

  async "says why a role may not, and asks nothing"() {
    const button = page.getByRole("button", { name: /^Pause printer-1/ });
    assert.equal(await button.getAttribute("aria-disabled"), "true");
    assert.match(await button.getAttribute("title"), /Your role \(Member\)/);
    await button.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("alert").filter({ hasText: "Your role (Member)" }).waitFor();
    await floor("count pause 0");
    const stop = page.getByRole("button", { name: "Emergency stop printer-1" });
    assert.equal(await stop.getAttribute("aria-disabled"), null);
    assert.deepEqual(await seriousProblems(page), []);
  },

  async "goes back to the log-in when logged out, and a technician may do more"() {
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByRole("heading", { name: "Log in" }).waitFor();
    await logIn("tom", "correct horse battery");
    await page.getByText("tom · Technician").waitFor();
    await page.getByRole("button", { name: /^Pause printer-1/ }).click();
    await page.getByText("pause sent").first().waitFor();
    await floor("asked pause printer-1 tom");
  },

  async "asks to log in again when the session has ended"() {
    expect(/^401 GET \/api\/(events|floor|me)$/, /net::ERR_/); // what a page that is shut out meets
    await floor("shut-out tom");
    await page.getByRole("heading", { name: "Log in" }).waitFor();
  },

  async "shows an admin every account, and lets them add, change and shut out"() {
    await logIn("ada", "correct horse battery");
    await page.getByRole("link", { name: "ada · Admin" }).click();
    const row = (name) => page.locator("tr", { has: page.getByRole("rowheader", { name, exact: true }) });
    const list = page.getByRole("region", { name: /^Accounts/ });
    await list.locator(row("tom")).getByRole("button", { name: "Let in tom again" }).click();
    await list.locator(row("tom")).getByRole("button", { name: "Shut out tom" }).waitFor();
    await page.getByLabel("Role of mia").selectOption("technician");
    await page.getByText("mia: role changed").waitFor();
    const form = page.locator("form.add", { hasText: "Add an account" });
    await form.getByLabel("Name").fill("nora");
    await form.getByLabel("Password").fill("some words at random");
    await page.keyboard.press("Enter");
    await list.getByRole("rowheader", { name: "nora" }).waitFor();
    expect(/^409 POST \/api\/accounts\/ada$/); // the last admin stays
    await page.getByRole("button", { name: "Shut out ada" }).click();
    await page.getByRole("alert").getByText("admin").waitFor(); // the last admin stays
    await page.getByRole("region", { name: /^Who did what/ }).getByText("/api/accounts/mia").waitFor();
    assert.deepEqual(await seriousProblems(page), []);
  },

  async "gives a token for a sensor, shown once"() {
    await page.getByLabel("What for").fill("camera at printer-2");
    await page.getByLabel("It may").selectOption("operate");
    await page.getByRole("button", { name: /^Make a token/ }).click();
    assert.match(await page.locator(".secret code").innerText(), /^fabt-/);
    await page.getByRole("button", { name: "End the token camera at printer-2" }).click();
    await page.getByText("camera at printer-2: ended").waitFor();
  },

  async "asked nobody else"() {
    assert.deepEqual(elsewhere, []);
  },
};

await run(steps, browser);
