// Sentences of the controller in the person's language. The controller tells English; the catalogue
// (sayings.json, made from controller/sayings_*.py) has every sentence by its code. A parameter may
// be a sentence itself; what the catalogue has not, a person's own words, stays as it is.
import { catalogueOf, locale, type Sayings } from "./i18n";

type Form = { form: RegExp; names: string[]; template: string };

const PLACE = /\{(\w+)\}/;
const MOST_DEEP = 4;
// by the first letters of its name, what a parameter may be
const KINDS: Readonly<Record<string, string>> = { n: "[-+]?[0-9.]+", at: "\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d UTC" };
// an amount with its unit, as "2.5 g": the point is written as the language does
const NAMED = /^([\w.[\]/-]+): (.+)$/s; // what of: a field, an id
const DECIMAL = /^[-+]?\d+\.\d+( [^ ]+)?$/;
let forms: Form[] | undefined;
const known = new Map<string, string>();

/** A text of the controller as the person reads it. */
export function said(text: string | undefined | null): string {
  if (!text) return "";
  const sayings = catalogueOf();
  if (!sayings) return text;
  const before = known.get(text);
  if (before !== undefined) return before;
  forms ??= made(sayings);
  const found = render(text, forms, 0);
  if (known.size > 2000) known.clear();
  known.set(text, found);
  return found;
}

function made(sayings: Sayings): Form[] {
  return Object.values(sayings)
    .sort(([a = ""], [b = ""]) => own(b) - own(a))
    .map(([english = "", german = ""]) => {
      const parts = english.split(PLACE);
      const names = parts.filter((_, n) => n % 2 === 1);
      const source = parts.map((part, n) =>
        n % 2 === 0 ? part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&") : `(${KINDS[part.split("_")[0] ?? ""] ?? ".+?"})`,
      );
      return { form: new RegExp(`^${source.join("")}$`, "s"), names, template: german };
    });
}

const point = (): string => (1.5).toLocaleString(locale()).charAt(1);
const own = (template: string): number => template.replace(/\{\w+\}/g, "").length;

function render(text: string, list: readonly Form[], depth: number): string {
  if (depth > MOST_DEEP) return text;
  for (const { form, names, template } of list) {
    const found = form.exec(text);
    if (!found) continue;
    const values = new Map(names.map((name, n) => [name, render(found[n + 1] ?? "", list, depth + 1)]));
    return template.replace(/\{(\w+)\}/g, (_, name: string) => values.get(name) ?? "");
  }
  if (DECIMAL.test(text)) return text.replace(".", point());
  const parts = text.split("; ");
  const named = parts.length < 2 ? NAMED.exec(text) : null;
  if (named) return `${named[1]}: ${render(named[2] ?? "", list, depth + 1)}`;
  return parts.length < 2 ? text : parts.map((part) => render(part, list, depth + 1)).join("; ");
}
