// SPDX-License-Identifier: Apache-2.0
import "uplot/dist/uPlot.min.css";
import "./style.css";
import "./narrow.css";

import { signal } from "@preact/signals";
import { render } from "preact";

import { away, keepToken, locked } from "./api";
import { path, startRouting } from "./route";
import { startKeys } from "./keys";
import { View } from "./parts";
import { refreshAll, startPolling } from "./resource";
import { EndpointView } from "./views/endpoint";
import { EndpointsView } from "./views/endpoints";
import { EvidenceView } from "./views/evidence";
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
  [/^\/evidence\/([^/]+)$/, (hash) => <EvidenceView key={hash} hash={hash} />],
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
  (link === "/story" && (here === "/" || here.startsWith("/evidence/"))) ||
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
            <a key={to} href={to} aria-current={under(here, to) ? "page" : undefined}>
              {title}
            </a>
          ))}
        </nav>
        <button type="button" onClick={() => (helpOpen.value = true)}>
          Keys
        </button>
      </header>
      {locked.value && <Lock wrong={locked.value === "wrong token"} />}
      {view ?? (
        <View title="No such view" command="slipway --help">
          <p>
            There is nothing at <code>{here}</code>. What there is: the <a href="/story">story</a>,
            the <a href="/endpoints">endpoints</a> and the <a href="/runs">runs</a>.
          </p>
        </View>
      )}
      <Away />
      {helpOpen.value && <Help />}
    </>
  );
}

// The server does not answer: said at the bottom, where it moves nothing that is being read.
function Away() {
  const since = away.value;
  return (
    <div aria-live="assertive">
      {since !== undefined && (
        <p class="away">
          The server at {location.host} has not answered since{" "}
          {new Date(since).toISOString().slice(11, 19)} UTC. What you see is from before; it is
          asked again every two seconds.
        </p>
      )}
    </div>
  );
}

// Asked from another machine, the server wants its token. It is kept for this tab alone.
function Lock({ wrong }: { wrong: boolean }) {
  const give = (event: SubmitEvent) => {
    event.preventDefault();
    const text = new FormData(event.currentTarget as HTMLFormElement).get("token");
    keepToken(String(text ?? "").replace(/[^\x21-\x7e]/g, "")); // all that a header can carry
    refreshAll();
  };
  return (
    <form class="banner lock" aria-label="Token" onSubmit={give}>
      <p role="alert">
        {wrong ? "The server does not know this token." : "The server wants its token."} It is the
        line in the file <code>token</code> of the server's data folder; this tab forgets it when it
        is closed.
      </p>
      <label>
        Token <input type="password" name="token" autocomplete="off" required />
      </label>{" "}
      <button>Show me</button>
    </form>
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
startPolling();
startKeys(() => (helpOpen.value = true));
render(<App />, document.getElementById("app")!);
