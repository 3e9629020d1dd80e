// SPDX-License-Identifier: Apache-2.0
// Something fetched. What is on the screen stays until its successor is there: a refresh never
// blanks the page or moves what is read, and one that brings nothing new redraws nothing.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { type Event, away, ours } from "./api";

export interface Resource<T> {
  value: T | undefined;
  error: Error | undefined;
  busy: boolean;
}

const POLL_MS = 2_000;
const REST = 9; // between two steady questions at least this many times what the last one took

interface Watcher {
  ask: () => void;
  live: boolean; // told of every event
  steady: () => boolean; // told at every poll: what it shows moves without events
}
const watchers = new Set<Watcher>();
let last: number | undefined;

// Fetches when `key` changes; if `live`, whenever something new happened on the server; and while
// `steady` holds of the value, as often as is fair, since counters, curves and runs that are logged
// make no events.
export function useResource<T>(
  key: string,
  load: () => Promise<T>,
  live = false,
  steady: (value: T) => boolean = () => false,
): Resource<T> {
  const state = useSignal<Resource<T>>({ value: undefined, error: undefined, busy: true });
  useEffect(() => {
    let gone = false,
      asking = false,
      again = false,
      rests = 0;
    const fetchNow = async () => {
      if (asking) {
        again = true;
        return;
      }
      asking = true;
      const began = performance.now();
      try {
        const value = await load();
        const before = state.value;
        if (!gone && (before.busy || before.error || !same(before.value, value)))
          state.value = { value, error: undefined, busy: false };
      } catch (error) {
        if (!gone) state.value = { value: state.value.value, error: error as Error, busy: false };
      }
      rests = performance.now() + REST * (performance.now() - began);
      asking = false;
      if (again && !gone) {
        again = false;
        void fetchNow();
      }
    };
    state.value = { ...state.value, busy: true };
    void fetchNow();
    const watcher: Watcher = {
      ask: () => void fetchNow(),
      live,
      steady: () => {
        const { value, error } = state.peek();
        return value !== undefined && !error && performance.now() > rests && steady(value);
      },
    };
    watchers.add(watcher);
    return () => {
      gone = true;
      watchers.delete(watcher);
    };
  }, [key]);
  return state.value;
}

const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);

// Everything on the screen is asked for again: the server is back, or lets us in.
export function refreshAll() {
  last = undefined;
  for (const watcher of [...watchers]) watcher.ask();
}

// One poll for the whole page, and none while it is hidden: asks for events after the last one
// seen, and tells the watchers if there are any. The first poll of all tells them in any case:
// something may have happened since they asked.
export function startPolling() {
  let asking = false;
  setInterval(async () => {
    if (document.hidden || asking) return;
    asking = true;
    await poll();
    asking = false;
  }, POLL_MS);
}

async function poll() {
  const lost = away.peek() !== undefined;
  let news: boolean;
  try {
    if (last === undefined) {
      last = await newest();
      news = true;
    } else {
      const { events } = await ours<{ events: Event[] }>("events", { after: last, limit: 1_000 });
      news = events.length > 0;
      last = events.at(-1)?.seq ?? last;
    }
  } catch {
    return; // the bar of the page says so: the next poll asks again, and what is shown stays
  }
  if (lost) return refreshAll();
  for (const watcher of [...watchers])
    if ((news && watcher.live) || watcher.steady()) watcher.ask();
}

async function newest(): Promise<number> {
  const { events } = await ours<{ events: Event[] }>("events", { newest: 1, limit: 1 });
  return events[0]?.seq ?? 0;
}
