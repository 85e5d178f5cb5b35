// One shape per state: told apart without colour, from across the room.
import type { MachineState } from "./types";

const PATHS: Readonly<Record<MachineState, preact.ComponentChild>> = {
  ready: <circle cx="12" cy="12" r="8.5" class="line" />,
  starting: (
    <>
      <circle cx="12" cy="12" r="8.5" class="line" />
      <path d="M10 8l6 4-6 4z" />
    </>
  ),
  running: <path d="M6 3l15 9-15 9z" />,
  paused: <path d="M5 3h5v18H5zM14 3h5v18h-5z" />,
  person: <path d="M12 1.500a4.500 4.500 0 110 9 4.500 4.500 0 010-9zM3 22.500c0-6 4-9.500 9-9.500s9 3.500 9 9.500z" />,
  clear: <path d="M3 17h18v4H3zM12 2l7 8h-4.5v5h-5v-5H5z" />,
  fault: <path d="M12 1l11 11-11 11L1 12zM11 6v8h2V6zm0 10v2.4h2V16z" fill-rule="evenodd" />,
  stopped: <path d="M8 2h8l6 6v8l-6 6H8l-6-6V8zM7 11v2.5h10V11z" fill-rule="evenodd" />,
  unknown: (
    <path d="M12 1a11 11 0 100 22 11 11 0 000-22zm-1.3 15.6h2.6v2.6h-2.6zM12 5c2.6 0 4.4 1.6 4.4 3.9 0 2.9-3.1 3.2-3.1 5.9h-2.6c0-3.9 3-4.1 3-5.8 0-.9-.7-1.6-1.7-1.6-1.2 0-1.9.8-1.9 2H7.4C7.4 6.700 9.300 5 12 5z" fill-rule="evenodd" />
  ),
  silent: (
    <>
      <circle cx="12" cy="12" r="8.5" class="line dashed" />
      <path d="M4 20L20 4" class="line" />
    </>
  ),
  maintenance: (
    <path d="M21 6.500a5.500 5.500 0 01-7.300 5.200L6 19.400 4.600 18 3.200 16.600l7.700-7.700A5.500 5.500 0 0117.500 2l-3 3 .700 3.300 3.300.700 3-3c-.300 0-.500.300-.500.500z" />
  ),
};

export function Shape({ state }: { state: MachineState }) {
  return (
    <svg class="shape" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      {PATHS[state]}
    </svg>
  );
}
