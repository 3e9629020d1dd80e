// SPDX-License-Identifier: Apache-2.0
// Something fetched. What is on the screen stays until its successor is there: a refresh never
// blanks the page or moves what is read.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { type Event, ours } from "./api";

export interface Resource<T> {
  value: T | undefined;
  error: Error | undefined;
  busy: boolean;
}

// Fetches when `key` changes and, if `live`, whenever something new happened on the server.
export function useResource<T>(key: string, load: () => Promise<T>, live = false): Resource<T> {
  const state = useSignal<Resource<T>>({ value: undefined, error: undefined, busy: true });
  useEffect(() => {
    let gone = false,
      asking = false,
      again = false;
    const fetchNow = async () => {
      if (asking) {
        again = true;
        return;
      }
      asking = true;
      try {
        const value = await load();
        if (!gone) state.value = { value, error: undefined, busy: false };
      } catch (error) {
        if (!gone) state.value = { value: state.value.value, error: error as Error, busy: false };
      }
      asking = false;
      if (again && !gone) {
        again = false;
        void fetchNow();
      }
    };
    state.value = { ...state.value, busy: true };
    void fetchNow();
    const stop = live ? watchEvents(fetchNow) : undefined;
    return () => {
      gone = true;
      stop?.();
    };
  }, [key]);
  return state.value;
}

const POLL_MS = 2_000;
const watchers = new Set<() => void>();
let last: number | undefined;
let timer = 0;

// One poll for the whole page, and none while it is hidden: asks for events after the last one
// seen, and tells the watchers if there are any. The first poll of all tells them in any case:
// something may have happened since they asked.
function watchEvents(watcher: () => void): () => void {
  watchers.add(watcher);
  if (!timer) timer = window.setInterval(poll, POLL_MS);
  return () => {
    watchers.delete(watcher);
    if (watchers.size === 0) {
      clearInterval(timer);
      timer = 0;
    }
  };
}

async function poll() {
  if (document.hidden) return;
  try {
    if (last === undefined) {
      last = await newest();
      for (const watcher of [...watchers]) watcher();
      return;
    }
    const { events } = await ours<{ events: Event[] }>("events", { after: last, limit: 1_000 });
    const end = events.at(-1);
    if (!end) return;
    last = end.seq;
    for (const watcher of [...watchers]) watcher();
  } catch {
    // The server is away: the next poll asks again, and what is shown stays.
  }
}

async function newest(): Promise<number> {
  const { events } = await ours<{ events: Event[] }>("events", { newest: 1, limit: 1 });
  return events[0]?.seq ?? 0;
}
