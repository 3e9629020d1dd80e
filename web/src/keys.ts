// SPDX-License-Identifier: Apache-2.0
import { go } from "./route";

const VIEWS: Record<string, string> = { s: "/story", e: "/endpoints", r: "/runs" };
const PREFIX_MS = 1_500;

// Keys that work anywhere but where one types.
export function startKeys(help: () => void) {
  let prefixed = 0;
  addEventListener("keydown", (event) => {
    const target = event.target as HTMLElement;
    if (
      event.defaultPrevented ||
      event.ctrlKey ||
      event.metaKey ||
      event.altKey ||
      /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName)
    )
      return;
    const view = VIEWS[event.key];
    if (event.timeStamp - prefixed < PREFIX_MS && view) go(view);
    else if (event.key === "/")
      document.querySelector<HTMLInputElement>("input[type=search]")?.focus();
    else if (event.key === "?") help();
    else if (event.key === "j" || event.key === "k") step(event.key === "j" ? 1 : -1);
    else {
      if (event.key === "g") prefixed = event.timeStamp;
      return;
    }
    prefixed = 0;
    event.preventDefault();
  });
}

// Moves the focus along the first links of the rows of the view's table.
function step(by: number) {
  const links = [...document.querySelectorAll<HTMLAnchorElement>("main tbody tr")]
    .map((row) => row.querySelector("a"))
    .filter((link) => link !== null);
  const now = links.findIndex((link) => link === document.activeElement);
  links[now < 0 ? 0 : Math.max(0, Math.min(links.length - 1, now + by))]?.focus();
}
