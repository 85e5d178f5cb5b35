// Following the floor: one snapshot, then deltas. What is shown is the snapshot plus every delta;
// when the stream cannot continue (server restarted, page was asleep) a new snapshot is taken.
import { useEffect, useState } from "preact/hooks";
import { floor as fetchFloor } from "./api";
import { type FloorClock, realMs } from "./clock";
import { type Json, merge } from "./patch";
import type { FloorDocument } from "./types";

export type Live = {
  floor: FloorDocument;
  site: string;
  clock: FloorClock;
  /** performance.now() at the last word of the floor, heartbeat included */
  connected: boolean;
  sinceMs: number;
  /** real time of the last change of each machine, by performance.now() */
  changedMs: Readonly<Record<string, number>>;
  /** a replica that does not lead serves this page */
  standby: boolean;
};

const RETRY_MS = 2000;
// the floor says its time every 15 s even when nothing changes
const DEAF_MS = 40_000;

export class Follower {
  private live: Live | undefined;
  private seq = "";
  private source: EventSource | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private deaf: ReturnType<typeof setTimeout> | undefined;
  /** counts the starts: an answer to an earlier one comes too late */
  private turn = 0;

  constructor(private readonly show: (live: Live | undefined) => void) {}

  async start(): Promise<void> {
    this.close();
    const turn = this.turn;
    try {
      const view = await fetchFloor();
      if (turn !== this.turn) return;
      const now = realMs();
      this.seq = view.seq;
      this.live = {
        floor: view.floor,
        site: view.site,
        clock: { at: view.at, rate: view.rate, heardMs: now },
        connected: true,
        sinceMs: now,
        changedMs: {},
        standby: view.standby === true,
      };
      this.show(this.live);
      this.follow();
    } catch {
      if (turn !== this.turn) return;
      this.lost();
      this.timer = setTimeout(() => void this.start(), RETRY_MS);
    }
  }

  /** The network is back, or somebody looks at the page again: do not wait for the next try. */
  wake = (): void => {
    const silent = this.source === undefined || this.source.readyState !== EventSource.OPEN;
    if (silent && document.visibilityState === "visible") void this.start();
  };

  /** The network is gone: what is shown is old from now on. */
  cut = (): void => {
    this.close();
    this.lost();
    this.timer = setTimeout(() => void this.start(), RETRY_MS);
  };

  close(): void {
    this.turn += 1;
    this.source?.close();
    this.source = undefined;
    clearTimeout(this.timer);
    clearTimeout(this.deaf);
  }

  private heard(): void {
    clearTimeout(this.deaf);
    this.deaf = setTimeout(() => {
      this.lost();
      void this.start();
    }, DEAF_MS);
  }

  private follow(): void {
    const source = new EventSource(`/api/events?since=${this.seq}`);
    this.source = source;
    this.heard();
    source.onopen = () => this.found();
    source.onmessage = (event: MessageEvent<string>) => this.change(JSON.parse(event.data) as Json);
    source.addEventListener("clock", (event) => this.time((event as MessageEvent<string>).data));
    source.addEventListener("resnapshot", () => void this.start());
    source.onerror = () => {
      this.lost();
      // CLOSED: the browser has given up (the server refused); otherwise it tries again itself
      if (source.readyState === EventSource.CLOSED) {
        this.timer = setTimeout(() => void this.start(), RETRY_MS);
      }
    };
  }

  private change(patch: Json): void {
    this.heard();
    if (!this.live) return;
    const changedMs = { ...this.live.changedMs };
    for (const id of Object.keys((patch["machines"] as object | undefined) ?? {})) {
      changedMs[id] = realMs();
    }
    this.live = { ...this.live, floor: merge(this.live.floor, patch), changedMs };
    this.show(this.live);
  }

  private time(text: string): void {
    this.heard();
    if (!this.live) return;
    const [at, rate] = JSON.parse(text) as [number, number];
    this.live = { ...this.live, clock: { at, rate, heardMs: realMs() } };
    this.show(this.live);
  }

  private found(): void {
    if (!this.live || this.live.connected) return;
    this.live = { ...this.live, connected: true, sinceMs: realMs() };
    this.show(this.live);
  }

  private lost(): void {
    if (!this.live?.connected) return;
    this.live = { ...this.live, connected: false, sinceMs: realMs() };
    this.show(this.live);
  }
}

export function useLive(): Live | undefined {
  const [live, setLive] = useState<Live | undefined>(undefined);
  useEffect(() => {
    const follower = new Follower(setLive);
    void follower.start();
    window.addEventListener("online", follower.wake);
    window.addEventListener("offline", follower.cut);
    window.addEventListener("pageshow", follower.wake);
    document.addEventListener("visibilitychange", follower.wake);
    return () => {
      window.removeEventListener("online", follower.wake);
      window.removeEventListener("offline", follower.cut);
      window.removeEventListener("pageshow", follower.wake);
      document.removeEventListener("visibilitychange", follower.wake);
      follower.close();
    };
  }, []);
  return live;
}
