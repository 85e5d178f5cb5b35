// A document of the floor read again whenever the floor changes, with the age of what is shown.
import { useEffect, useRef, useState } from "preact/hooks";
import { get } from "./api";
import { realMs } from "./clock";

export type Fetched<T> = {
  value: T | undefined;
  error: string;
  /** performance.now() when the value was read */
  readMs: number;
  again: () => void;
};

const REST_MS = 1000; // a busy floor changes all the time: read at most once in so long
const CALM_MS = 15_000; // and at least once in so long

/** `when` is anything that changes with the floor; a new value reads the document again. */
export function useFetched<T>(path: string, when: unknown, restMs = REST_MS): Fetched<T> {
  const [state, setState] = useState<Omit<Fetched<T>, "again">>({
    value: undefined,
    error: "",
    readMs: 0,
  });
  const [asked, setAsked] = useState(0);
  const last = useRef({ path: "", readMs: -Infinity });
  useEffect(() => {
    let here = true;
    const fresh = last.current.path === path;
    const wait = fresh ? Math.max(0, last.current.readMs + restMs - realMs()) : 0;
    const read = (): void => {
      last.current = { path, readMs: realMs() };
      get<T>(path)
        .then((value) => here && setState({ value, error: "", readMs: realMs() }))
        .catch((e: unknown) => {
          const error = e instanceof Error ? e.message : String(e);
          if (here) setState((before) => ({ ...before, error }));
        });
    };
    const first = setTimeout(read, wait);
    const later = setInterval(read, CALM_MS);
    return () => {
      here = false;
      clearTimeout(first);
      clearInterval(later);
    };
  }, [path, when, asked, restMs]);
  return { ...state, again: () => setAsked((n) => n + 1) };
}
