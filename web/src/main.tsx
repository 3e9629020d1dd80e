// SPDX-License-Identifier: Apache-2.0
import "uplot/dist/uPlot.min.css";
import "./style.css";

import { signal } from "@preact/signals";
import { render } from "preact";

import { path, startRouting } from "./route";
import { startKeys } from "./keys";
import { View } from "./parts";
import { EndpointView } from "./views/endpoint";
import { EndpointsView } from "./views/endpoints";
import { PredictionView } from "./views/prediction";
import { RolloutView } from "./views/rollout";
import { RunView } from "./views/run";
import { RunsView } from "./views/runs";
import { StoryView } from "./views/story";

const VIEWS: [RegExp, (name: string) => preact.JSX.Element][] = [
  [/^\/$/, () => <StoryView />],
  [/^\/story$/, () => <StoryView />],
  [/^\/runs$/, () => <RunsView />],
  [/^\/runs\/([^/]+)$/, (id) => <RunView key={id} id={id} />],
  [/^\/endpoints$/, () => <EndpointsView />],
  [/^\/endpoints\/([^/]+)$/, (name) => <EndpointView key={name} name={name} />],
  [/^\/rollouts\/([^/]+)$/, (id) => <RolloutView key={id} id={id} />],
  [/^\/predictions\/(.+)$/, (id) => <PredictionView key={id} id={id} />],
];

const LINKS: [string, string][] = [
  ["/story", "Story"],
  ["/endpoints", "Endpoints"],
  ["/runs", "Runs"],
];
const helpOpen = signal(false);

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a stray percent sign: looked up as it is written
  }
}

// The views that belong to a link of the header.
const under = (here: string, link: string) =>
  here.startsWith(link) ||
  (link === "/story" && here === "/") ||
  (link === "/endpoints" && /^\/(rollouts|predictions)\//.test(here));

function App() {
  const here = path.value;
  let view: preact.JSX.Element | undefined;
  for (const [pattern, make] of VIEWS) {
    const found = pattern.exec(here);
    if (found) {
      view = make(decoded(found[1] ?? ""));
      break;
    }
  }
  return (
    <>
      <a class="skip" href="#main" data-plain>
        Skip to the content
      </a>
      <header>
        <a class="brand" href="/">
          Slipway
        </a>
        <nav aria-label="Views">
          {LINKS.map(([to, title]) => (
            <a
              key={to}
              href={to}
              aria-current={under(here, to) ? "page" : undefined}
            >
              {title}
            </a>
          ))}
        </nav>
        <button type="button" onClick={() => (helpOpen.value = true)}>
          Keys
        </button>
      </header>
      {view ?? (
        <View title="No such view" command="slipway --help">
          <p>
            There is nothing at <code>{here}</code>.
          </p>
        </View>
      )}
      {helpOpen.value && <Help />}
    </>
  );
}

function Help() {
  const keys: [string, string][] = [
    ["g s", "story"],
    ["g e", "endpoints"],
    ["g r", "runs"],
    ["/", "filter, where there is one"],
    ["j, k", "next and previous row"],
    ["Enter", "open the row"],
    ["← →", "points of a chart that has the focus"],
    ["Esc", "whole range of a chart; close this"],
  ];
  const open = (dialog: HTMLDialogElement | null) => {
    if (dialog && !dialog.open) dialog.showModal();
  };
  return (
    <dialog ref={open} aria-labelledby="keys" onClose={() => (helpOpen.value = false)}>
      <h2 id="keys">Keys</h2>
      <dl class="facts">
        {keys.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <form method="dialog">
        <button>Close</button>
      </form>
    </dialog>
  );
}

startRouting();
startKeys(() => (helpOpen.value = true));
render(<App />, document.getElementById("app")!);
