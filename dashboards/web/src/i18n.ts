// The page's words. English is written where it is shown; another language is a catalogue from the
// English to its own. The type makes the build fail when a text has no entry in the catalogue.
import type { de } from "./de";

export type Text = keyof typeof de;
export type Sayings = Readonly<Record<string, readonly string[]>>; // English and its own, by code
export const LANGUAGE_KEY = "fabcommons.language";
export const LANGUAGES: Readonly<Record<string, string>> = { en: "English", de: "Deutsch" };

let sayings: Sayings | undefined;
let catalogue: Readonly<Record<string, string>> = {};
export let language = "en";

/** Chosen by the person, else by the browser; must be settled before anything is drawn. */
export async function chooseLanguage(): Promise<void> {
  let chosen: string | null = null;
  try {
    chosen = localStorage.getItem(LANGUAGE_KEY);
  } catch {
    // storage may be forbidden: the browser's language then decides
  }
  language = (chosen ?? navigator.language).startsWith("de") ? "de" : "en";
  document.documentElement.lang = language;
  if (language === "de") {
    [catalogue, sayings] = await Promise.all([
      import("./de").then((found) => found.de),
      import("./sayings.json").then((found) => found.default as Sayings),
    ]);
  }
}

/** Sentences of the controller, by code; undefined where its English is what people read. */
export const catalogueOf = (): Sayings | undefined => sayings;

/** A text in the person's language; `{name}` is replaced by the value of that name. */
export function t(text: Text, values: Readonly<Record<string, string | number>> = {}): string {
  return template(text).replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
}

/** A text in the person's language with its places as they are. */
export const template = (text: Text): string => catalogue[text] ?? text;

/** For dates: the language of the words with the order of the browser's region, when they agree. */
export function locale(): string {
  return navigator.language.startsWith(language) ? navigator.language : language;
}
