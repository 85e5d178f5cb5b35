// Screenshots of the floor for the documentation: node screenshots.mjs URL [FOLDER]
import { mkdirSync } from "node:fs";
import { launch } from "./browser.mjs";

const [url = "http://127.0.0.1:8000", folder = "../../docs/images"] = process.argv.slice(2);
const SHOTS = [
  { name: "floor-light", width: 1440, height: 1000, scheme: "light" },
  { name: "floor-dark", width: 1440, height: 1000, scheme: "dark" },
  { name: "floor-phone", width: 390, height: 844, scheme: "light", top: true, scale: 2 },
  { name: "floor-tv", width: 1920, height: 1080, scheme: "dark", query: "?tv" },
  { name: "need-story", width: 1440, height: 1000, scheme: "light", need: true },
  { name: "need-form", width: 1440, height: 1000, scheme: "light", form: true },
];

mkdirSync(folder, { recursive: true });
const browser = await launch();
for (const shot of SHOTS) {
  const context = await browser.newContext({
    viewport: { width: shot.width, height: shot.height },
    deviceScaleFactor: shot.scale ?? 1,
    colorScheme: shot.scheme,
    locale: "en-GB",
  });
  const page = await context.newPage();
  await page.goto(url + "/" + (shot.query ?? ""));
  await page.waitForSelector(".tile");
  if (shot.need) {
    await page.click(".need .need-title");
    await page.waitForSelector(".timeline");
  }
  if (shot.form) await page.click("text=State a need");
  const fullPage = !shot.need && !shot.form && !shot.query && !shot.top;
  await page.screenshot({ path: `${folder}/${shot.name}.png`, fullPage });
  console.log(`${folder}/${shot.name}.png`);
  await context.close();
}
await browser.close();
