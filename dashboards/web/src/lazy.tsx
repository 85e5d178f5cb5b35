// A page whose code is fetched when it is first shown.
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { t } from "./i18n";

export function lazy<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  let found: ComponentType<P> | undefined;
  return function Lazy(props: P) {
    const [Page, setPage] = useState<ComponentType<P> | undefined>(() => found);
    const [failed, setFailed] = useState(false);
    useEffect(() => {
      if (found) return;
      load()
        .then((page) => {
          found = page;
          setPage(() => page);
        })
        .catch(() => setFailed(true));
    }, []);
    if (Page) return <Page {...props} />;
    return <p class="reading">{failed ? t("This page could not be read: reload it.") : t("Reading…")}</p>;
  };
}
