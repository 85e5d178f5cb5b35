// Which page the address says. Addresses are real paths, so that a page can be linked and printed.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

export type PageName = "floor" | "schedule" | "needs" | "materials" | "machine" | "part" | "people" | "commons" | "tv";
export type Route = { page: PageName; id: string };

const ONE: Readonly<Record<string, PageName>> = {
  "": "floor",
  schedule: "schedule",
  needs: "needs",
  materials: "materials",
  people: "people",
  commons: "commons",
  tv: "tv",
};
const WITH_ID: Readonly<Record<string, PageName>> = {
  machines: "machine",
  parts: "part",
  needs: "needs",
};

export function routeOf(path: string): Route {
  const [first = "", second = ""] = path.replace(/^\/|\/$/g, "").split("/");
  const named = second ? WITH_ID[first] : ONE[first];
  return { page: named ?? "floor", id: decodeURIComponent(second) };
}

export const machinePath = (id: string): string => `/machines/${encodeURIComponent(id)}`;
export const partPath = (need: string): string => `/parts/${encodeURIComponent(need)}`;
export const needPath = (need: string): string => `/needs/${encodeURIComponent(need)}`;

export function go(path: string): void {
  if (path !== location.pathname) history.pushState(null, "", path);
  window.dispatchEvent(new PopStateEvent("popstate"));
}

export function useRoute(): Route {
  const [path, setPath] = useState(location.pathname);
  useEffect(() => {
    const follow = (): void => setPath(location.pathname);
    window.addEventListener("popstate", follow);
    return () => window.removeEventListener("popstate", follow);
  }, []);
  return routeOf(path);
}

type LinkProps = { to: string; class?: string; title?: string; current?: boolean; children: ComponentChildren };

export function Link({ to, class: name = "", title, current, children }: LinkProps) {
  return (
    <a
      href={to}
      class={name}
      title={title}
      aria-current={current ? "page" : undefined}
      onClick={(event) => {
        if (event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
        event.preventDefault();
        go(to);
      }}
    >
      {children}
    </a>
  );
}
