// In which language, light or dark: kept in this browser only.
import { useState } from "preact/hooks";
import { language, LANGUAGE_KEY, LANGUAGES, t } from "./i18n";
import { Account } from "./log-in";
import { remember } from "./who";

/** Who, language and colours: beside the pages on a wide screen, behind a button on a phone. */
export function More() {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button
        type="button"
        class="more"
        aria-expanded={open}
        aria-controls="head-more"
        onClick={() => setOpen(!open)}
      >
        {t("More")}
      </button>
      <div id="head-more" class={`head-more ${open ? "is-open" : ""}`}>
        <Account />
        <LanguageChoice />
        <ThemeButton />
      </div>
    </>
  );
}

export function LanguageChoice() {
  return (
    <label class="language">
      <span class="unseen">{t("Language")}</span>
      <select
        value={language}
        onChange={(event) => {
          remember(LANGUAGE_KEY, event.currentTarget.value);
          location.reload();
        }}
      >
        {Object.entries(LANGUAGES).map(([code, name]) => (
          <option key={code} value={code}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

export function ThemeButton() {
  const [dark, setDark] = useState(
    () =>
      (document.documentElement.dataset["theme"] ??
        (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark",
  );
  const toggle = (): void => {
    const theme = dark ? "light" : "dark";
    document.documentElement.dataset["theme"] = theme;
    remember("fabcommons.theme", theme);
    setDark(!dark);
  };
  return (
    <button type="button" class="theme" aria-pressed={dark} onClick={toggle}>
      {t("Dark")}
    </button>
  );
}
