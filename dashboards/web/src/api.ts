// Asking the floor to do something. Every request carries an idempotency key: sent twice, done once.
import { t, type Text } from "./i18n";
import { said } from "./said";
import type {
  AccountView,
  AdmittedView,
  AnswerView,
  BallotView,
  FloorView,
  MeView,
  NeedsAnswer,
  NeedStory,
  ProblemView,
  ReceiptView,
  TokenView,
} from "./types";

export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly problems: ProblemView[],
  ) {
    super(problems.map((p) => `${fieldOf(p)}${said(p.message)}`).join("; "));
  }
}

// fields a person did not fill in: the sentence stands for itself
const NOT_FILLED = ["machine", "who", "saw", "order", "operation", "need", "round", "Authorization", "Idempotency-Key"];

/** What is wrong with which field, named as people read it; "" where nobody filled one in. */
export function fieldOf({ field }: ProblemView): string {
  if (!field || NOT_FILLED.includes(field)) return "";
  const known = FIELDS[field];
  return `${known ? t(known) : field}: `;
}

const FIELDS: Readonly<Record<string, Text>> = {
  quantity: "How many",
  design: "What is needed",
  community: "For which community",
  need_class: "How pressing",
  due_at: "Needed by",
  note: "Note",
  name: "Name",
  password: "Password",
  new: "New password",
  old: "Password until now",
  code: "Code",
  role: "Role",
  lot: "Lot",
  mass_mg: "Mass",
  weighed_mg: "Mass",
  pieces: "Pieces",
  line: "Line",
  hours: "Hours",
  token: "Token",
  url: "Address",
  site: "Site",
  public_key: "Public key",
};

/** fetch, its failures in the words of the page. */
async function asked(path: string, init: RequestInit): Promise<Response> {
  return fetch(path, init).catch(() => {
    throw new Error(t("The floor does not answer: is its controller running, and this network up?"));
  });
}

export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

async function answer<T>(response: Response): Promise<T> {
  const body: unknown = await response.json().catch(() => ({}));
  if (response.ok) return body as T;
  const problems = (body as { problems?: ProblemView[] }).problems ?? [
    { code: "http", message: `the floor answered ${response.status}` },
  ];
  if (response.status === 401) window.dispatchEvent(new Event(OUT_EVENT));
  throw new Refusal(response.status, problems);
}

/** The floor answered that nobody is logged in here. */
export const OUT_EVENT = "fabcommons.out";

export async function get<T>(path: string): Promise<T> {
  return answer<T>(await asked(path, { headers: { accept: "application/json" } }));
}

type Headers = Record<string, string>;

async function post<T>(path: string, body: object, key: string, more: Headers = {}): Promise<T> {
  const headers = {
    ...more,
    "content-type": "application/json",
    "x-fabcommons": "1",
    "idempotency-key": key,
  };
  return answer<T>(await asked(path, { method: "POST", headers, body: JSON.stringify(body) }));
}

export const WHO_KEY = "fabcommons.who";

export function who(): string {
  try {
    return localStorage.getItem(WHO_KEY)?.trim() || "someone at the page";
  } catch {
    return "someone at the page";
  }
}

const part = encodeURIComponent;

export const me = (): Promise<MeView> => get("/api/me");
export const logIn = (name: string, password: string): Promise<MeView> =>
  post("/api/log-in", { name, password }, newKey());
export const logOut = (): Promise<unknown> => post("/api/log-out", {}, newKey());
export const setUp = (name: string, password: string, code: string): Promise<MeView> =>
  post("/api/set-up", { name, password, code }, newKey());

export const floor = (): Promise<FloorView> => get("/api/floor");
export const needStory = (id: string): Promise<NeedStory> => get(`/api/needs/${part(id)}`);

export function control(machine: string, verb: string, saw: string): Promise<AnswerView> {
  return post(`/api/machines/${part(machine)}/${verb}`, { who: who(), saw }, newKey());
}

export function stop(machine: string): Promise<AnswerView> {
  return post(`/api/machines/${part(machine)}/stop?who=${part(who())}`, {}, newKey());
}

export type Result = "good" | "bad";

export function clear(m: string, result: Result, pieces: number, saw: string): Promise<AnswerView> {
  const body = { who: who(), saw, result, pieces };
  return post(`/api/machines/${part(m)}/clear`, body, newKey());
}

export function resolve(order: string, result: Result, pieces: number): Promise<AnswerView> {
  return post(`/api/orders/${part(order)}/resolve`, { who: who(), result, pieces }, newKey());
}

export function load(m: string, ch: number, lot: string, saw: string): Promise<AnswerView> {
  return post(`/api/machines/${part(m)}/load`, { who: who(), saw, ch, lot }, newKey());
}

export function release(machine: string): Promise<AnswerView> {
  return post(`/api/machines/${part(machine)}/release`, { who: who() }, newKey());
}

export type NeedForm = {
  community: string;
  design: string;
  quantity: number;
  need_class: string;
  due_at?: number;
  note?: string;
};

export function stateNeed(form: NeedForm, key: string): Promise<NeedsAnswer> {
  return post("/api/needs", { ...form, stated_by: who() }, key);
}

export function retry(operation: string): Promise<AnswerView> {
  return post(`/api/operations/${part(operation)}/retry`, { who: who() }, newKey());
}

const quiet = (verb: string) => (machine: string, body: object): Promise<AnswerView> =>
  post(`/api/machines/${part(machine)}/${verb}`, { who: who(), ...body }, newKey());

export const out = (machine: string, saw: string, why: string): Promise<AnswerView> =>
  quiet("out")(machine, { saw, why });
export const back = (machine: string): Promise<AnswerView> => quiet("back")(machine, {});
export const upkeep = (machine: string, what: string, note: string): Promise<AnswerView> =>
  quiet("upkeep")(machine, { what, note });
export const consoleLine = (machine: string, saw: string, line: string): Promise<AnswerView> =>
  quiet("console")(machine, { saw, line });
export const upkeepRule = (machine: string, what: string, every_h: number): Promise<AnswerView> =>
  quiet("upkeep-rule")(machine, { what, every_h });

export const pose = (machine: string, saw: string): Promise<AnswerView> => quiet("pose")(machine, { saw });
export const drain = (on: boolean): Promise<unknown> => post("/api/drain", { on, who: who() }, newKey());

export function counted(order: string, lot: string, pieces: number, key: string): Promise<unknown> {
  return post(`/api/picks/${part(order)}`, { who: who(), lot, pieces }, key);
}

/** Without a mass: it is as the machine reported. */
export function settle(order: string, kind: string, weighed_mg?: number): Promise<unknown> {
  const mass = weighed_mg === undefined ? {} : { weighed_mg };
  return post(`/api/discrepancies/${part(order)}`, { who: who(), kind, ...mass }, newKey());
}

export const openRound = (hours: number): Promise<unknown> => post("/api/rounds", { hours }, newKey());
export const closeRound = (round: string): Promise<unknown> => post(`/api/rounds/${part(round)}/close`, {}, newKey());
export const admit = (community: string, count: number): Promise<AdmittedView[]> =>
  post(`/api/communities/${part(community)}/members`, { count }, newKey());

export const addAccount = (name: string, role: string, password: string): Promise<AccountView> =>
  post("/api/accounts", { name, role, password }, newKey());
export type AccountChange = { role?: string; disabled?: boolean; password?: string };
export const changeAccount = (name: string, change: AccountChange): Promise<AccountView> =>
  post(`/api/accounts/${part(name)}`, change, newKey());
export const ownPassword = (old: string, fresh: string): Promise<MeView> =>
  post("/api/me/password", { old, new: fresh }, newKey());
export const giveToken = (name: string, scopes: string[], days: number): Promise<TokenView> =>
  post("/api/me/tokens", { name, scopes, days }, newKey());
export const revokeToken = (id: string): Promise<unknown> => post(`/api/me/tokens/${part(id)}/revoke`, {}, newKey());

export const joinCommons = (site: string, url: string, public_key: string): Promise<unknown> =>
  post("/api/commons", { site, url, public_key }, newKey());
export const leaveCommons = (site: string): Promise<unknown> => post(`/api/commons/${part(site)}/leave`, {}, newKey());

export function weigh(lot: string, mass_mg: number, key: string): Promise<unknown> {
  return post(`/api/lots/${part(lot)}/weigh`, { who: who(), mass_mg }, key);
}

export function threshold(material: string, low_mg: number): Promise<unknown> {
  return post("/api/thresholds", { who: who(), material, low_mg }, newKey());
}

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

export async function ownBallot(round: string, token: string): Promise<BallotView> {
  return answer(await asked(`/api/rounds/${part(round)}/ballot`, { headers: bearer(token) }));
}

type Levels = Readonly<Record<string, number>>;

export function castBallot(round: string, token: string, approvals: Levels): Promise<ReceiptView> {
  return post(`/api/rounds/${part(round)}/ballot`, { approvals }, newKey(), bearer(token));
}
