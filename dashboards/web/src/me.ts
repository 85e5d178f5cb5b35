// Who is at the page and what they may do, as the floor says. Asked at the start and whenever the
// floor answers that nobody is logged in.
import { createContext } from "preact";
import { useCallback, useContext, useEffect, useState } from "preact/hooks";
import { me as fetchMe, OUT_EVENT } from "./api";
import { t } from "./i18n";
import type { MeView } from "./types";

export type Right = "read" | "need" | "vote" | "stop" | "operate" | "govern" | "audit" | "manage";
export type Known = { me: MeView; refresh: () => void };

const RETRY_MS = 2000;
// until the floor has said, nothing is refused here: the floor itself decides every request
const ANYBODY: MeView = {
  name: "",
  how: "local",
  role: "admin",
  rights: ["read", "need", "vote", "stop", "operate", "govern", "audit", "manage"],
  log_in: false,
  accounts: false,
  on_floor: true,
};

export const MeContext = createContext<Known>({ me: ANYBODY, refresh: () => undefined });

export function useMe(): Known | undefined {
  const [me, setMe] = useState<MeView | undefined>(undefined);
  const refresh = useCallback(() => {
    fetchMe()
      .then(setMe)
      .catch(() => setTimeout(refresh, RETRY_MS));
  }, []);
  useEffect(() => {
    refresh();
    window.addEventListener(OUT_EVENT, refresh);
    return () => window.removeEventListener(OUT_EVENT, refresh);
  }, [refresh]);
  return me && { me, refresh };
}

/** Why the person at the page may not, "" when they may. */
export function useWhyNot(right: Right): string {
  const { me } = useContext(MeContext);
  if (me.rights.includes(right) || (right === "stop" && me.on_floor)) return "";
  return t("Your role ({role}) does not allow this.", { role: t(ROLE_WORDS[me.role] ?? "Public") });
}

export const ROLE_WORDS: Readonly<Record<string, "Public" | "Member" | "Technician" | "Steward" | "Admin">> = {
  public: "Public",
  member: "Member",
  technician: "Technician",
  steward: "Steward",
  admin: "Admin",
};

export const RIGHT_WORDS: Readonly<Record<string, string>> = {
  read: t("see the floor"),
  record: t("read what is public"),
  need: t("state needs"),
  vote: t("vote"),
  stop: t("stop machines"),
  operate: t("tend machines, confirm where parts lie"),
  govern: t("run rounds and communities"),
  audit: t("read who did what"),
  manage: t("manage accounts, let machines in"),
};
