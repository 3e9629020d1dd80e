// SPDX-License-Identifier: Apache-2.0
// The address is the state: a path that names the view and a query that holds its settings, so
// every view can be linked to.
import { computed, signal } from "@preact/signals";

function here() {
  const address = fromMlflow(location.hash);
  if (address) history.replaceState(null, "", address);
  return { path: location.pathname, query: new URLSearchParams(location.search) };
}

// The mlflow client prints links as its own server would have them: HOST/#/experiments/E/runs/ID
// and HOST/#/experiments/E. They lead to the same things here.
export function fromMlflow(hash: string): string | undefined {
  const [, experiment, run] = /^#\/experiments\/([^/?]+)(?:\/runs\/([^/?]+))?/.exec(hash) ?? [];
  if (run) return `/runs/${run}`;
  return experiment && `/runs?experiment=${experiment}`;
}

const current = signal(here());
export const path = computed(() => current.value.path);
export const query = computed(() => current.value.query);

// Raised by each change of view, not of its settings: focus then moves to the new heading.
export const visits = signal(0);

export function go(address: string, replace = false) {
  const before = location.pathname;
  if (replace) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  current.value = here();
  if (location.pathname !== before) {
    visits.value++;
    scrollTo(0, 0);
  }
}

// The address of this view with some settings changed; "" takes one away.
export function withSettings(changes: Record<string, string>): string {
  const next = new URLSearchParams(query.value);
  for (const [key, value] of Object.entries(changes))
    value ? next.set(key, value) : next.delete(key);
  const text = next.toString();
  return path.value + (text ? "?" + text : "");
}

export function startRouting() {
  // Also raised by a link of the mlflow client that is opened while the page is there.
  addEventListener("popstate", () => {
    const moved = path.value !== location.pathname;
    current.value = here();
    if (moved) visits.value++;
  });
  document.addEventListener("click", (event) => {
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    )
      return;
    const link = (event.target as Element).closest("a");
    if (
      !link ||
      link.origin !== location.origin ||
      link.target ||
      link.hasAttribute("download") ||
      link.dataset.plain !== undefined
    )
      return;
    if (link.hash && link.pathname === location.pathname) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}
