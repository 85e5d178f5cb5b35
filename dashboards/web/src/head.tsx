// Who is at the page, in which language, light or dark: kept in this browser only.
import { useState } from "preact/hooks";
import { WHO_KEY, who } from "./api";
import { language, LANGUAGE_KEY, LANGUAGES, t } from "./i18n";
import { Account } from "./log-in";

export function Who() {
  const [name, setName] = useState(() => (who().startsWith("someone") ? "" : who()));
  return (
    <label class="who">
      {t("You are")}
      <input
        value={name}
        placeholder={t("your name")}
        maxLength={60}
        autoComplete="name"
        onInput={(event) => {
          setName(event.currentTarget.value);
          remember(WHO_KEY, event.currentTarget.value);
        }}
      />
    </label>
  );
}

function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // storage may be forbidden: the choice then lasts as long as the page
  }
}

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
