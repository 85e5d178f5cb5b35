// Who is at the page, where nobody has an account: kept in this browser only.
import { useState } from "preact/hooks";
import { WHO_KEY, who } from "./api";
import { t } from "./i18n";

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

/** Keep a choice in this browser. */
export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // storage may be forbidden: the choice then lasts as long as the page
  }
}
