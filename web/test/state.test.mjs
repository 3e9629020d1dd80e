// SPDX-License-Identifier: Apache-2.0
// The page when things are not as they should be, and for whoever looks at it: no server, no
// token, nothing there, too much there, odd names, files, a narrow screen, keys alone.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import {
  comes,
  liveThrough,
  manyRuns,
  openBrowser,
  openPage,
  registerVersion,
  startServer,
} from "./world.mjs";

const MANY = 2_000;
const ANSWER_MS = 20_000; // that the page waits for an answer
const ELEMENTS_MAX = 2_000; // of a view, whatever the store holds
const ASKED_MAX = 12; // questions until a view of runs stands
const VIEW_MS_MAX = 5_000; // generous: machines that test are busy

let server, browser, rollout;

before(async () => {
  [server, browser] = await Promise.all([startServer(), openBrowser()]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

test("the first view of an empty store tells a newcomer what to do", async () => {
  for (const dark of [false, true]) {
    const view = await openPage(browser, server, { dark, width: 400 }),
      { page } = view;
    await view.visit("/");
    await page.getByText("Nothing happened yet.").waitFor();
    assert.deepEqual(await page.locator(".welcome h2").allTextContents(), [
      "Record an experiment",
      "Run a pipeline",
      "Serve a model",
    ]);
    const commands = page.locator(".welcome code");
    assert.deepEqual(await commands.allTextContents(), [
      `export MLFLOW_TRACKING_URI=${server.url}`,
      `SLIPWAY_URL=${server.url} slipway repro`,
      "slipway plan",
      "slipway apply",
    ]);
    await page.locator(".welcome button").first().click();
    await comes(
      () => page.evaluate(() => navigator.clipboard.readText()),
      `export MLFLOW_TRACKING_URI=${server.url}`,
    );
    await view.fits("the first view");
    await view.accessible("the first view");
    await view.shot(`welcome-${dark}`);
    view.check();
    await page.close();
  }
});

test("what is not there is said, with the way on", async () => {
  const view = await openPage(browser, server),
    { page } = view;
  view.tolerate(/status of 404/);
  for (const address of ["/runs/nope", "/endpoints/nope", "/rollouts/nope", "/evidence/nope"]) {
    await view.visit(address);
    await page.getByRole("alert").waitFor();
    await comes(() => page.getByRole("alert").textContent(), /nope/);
    await view.accessible(address);
  }
  await view.visit("/story?event=99999");
  await page.getByText("there is no event 99999").waitFor();
  // An address that no view has: the server says 404, and so does the page from within.
  assert.equal((await fetch(`${server.url}/nowhere`)).status, 404);
  await view.visit("/runs");
  await page.evaluate(() => {
    const link = Object.assign(document.createElement("a"), { href: "/nowhere", id: "lost" });
    link.textContent = "lost";
    document.querySelector("main").append(link);
  });
  await page.locator("#lost").click();
  await page.getByRole("heading", { name: "No such view" }).waitFor();
  await page.getByText("There is nothing at /nowhere.").waitFor();
  await view.accessible("no such view");
  await page.locator("main").getByRole("link", { name: "runs" }).click();
  await page.getByRole("heading", { name: "Runs" }).waitFor();
  view.check();
  await page.close();
});

test("a server that is gone is said once; what is shown stays, and what is new comes with it", async () => {
  const { run } = await server.mlflow("runs/create", {
    experiment_id: "0",
    run_name: "before the night",
    start_time: 1_650_000_000_000,
  });
  await server.mlflow("runs/update", { run_id: run.info.run_id, status: "FINISHED" });
  const view = await openPage(browser, server),
    { page } = view;
  view.tolerate(/ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE/);
  await view.visit("/runs");
  await page.getByRole("link", { name: "before the night" }).waitFor();
  await server.down();
  await page.getByText(/has not answered since \d\d:\d\d:\d\d UTC/).waitFor();
  assert.equal(await page.locator("tbody tr").count(), 1);
  assert.equal(await page.getByRole("alert").count(), 0);
  await view.accessible("without a server");
  await view.shot("away");
  // A view that has nothing yet waits, without a second message.
  await page.getByRole("link", { name: "Endpoints" }).click();
  await page.getByText("Waiting for endpoints …").waitFor();
  await page.getByRole("link", { name: "Runs" }).click();
  await server.up();
  await page.locator(".away").waitFor({ state: "detached" });
  await page.getByRole("link", { name: "before the night" }).waitFor();
  await server.mlflow("runs/create", {
    experiment_id: "0",
    run_name: "after the night",
    start_time: 1_650_000_001_000,
  });
  await page.getByRole("link", { name: "after the night" }).waitFor();
  view.check();
  await page.close();
});

test("a server that takes connections and never answers is gone too, until it answers again", async () => {
  const view = await openPage(browser, server),
    { page } = view;
  await view.visit("/runs");
  await page.getByRole("link", { name: "before the night" }).waitFor();
  server.signal("SIGSTOP");
  try {
    await page.locator(".away").waitFor({ timeout: ANSWER_MS + 10_000 });
    assert.ok((await page.locator("tbody tr").count()) > 0);
  } finally {
    server.signal("SIGCONT");
  }
  await page.locator(".away").waitFor({ state: "detached" });
  view.check();
  await page.close();
});

test("from another machine the page asks for the token, and says when it is wrong", async () => {
  for (const dark of [false, true]) {
    const view = await openPage(browser, server, { dark, width: 400 }),
      { page } = view;
    view.tolerate(/status of 401/);
    // As a proxy in front of the server marks what it passes on.
    await page.setExtraHTTPHeaders({ "X-Forwarded-For": "203.0.113.9" });
    await view.visit("/runs");
    await page.getByText("The server wants its token.").waitFor();
    assert.equal(await page.getByText("No runs yet").count(), 0);
    assert.equal(await page.getByRole("alert").count(), 1);
    await view.accessible("locked");
    await view.shot(`locked-${dark}`);
    await view.fits("locked");
    await page.locator("input[name=token]").fill("wrong");
    await page.keyboard.press("Enter");
    await page.getByText("The server does not know this token.").waitFor();
    await page.locator("input[name=token]").fill(` ${server.token()}\n`);
    await page.getByRole("button", { name: "Show me" }).click();
    await page.getByRole("link", { name: "before the night" }).waitFor();
    assert.equal(await page.locator("form.lock").count(), 0);
    await page.reload();
    await page.getByRole("link", { name: "before the night" }).waitFor();
    view.check();
    await page.close();
  }
});

test("a refusal is told in the server's words, and asks for no token", async () => {
  const view = await openPage(browser, server),
    { page } = view;
  view.tolerate(/status of 403/);
  await page.route("**/api/slipway/v1/endpoints", (route) =>
    route.fulfill({
      status: 403,
      contentType: "application/json",
      body: JSON.stringify({ error: { code: "permission_denied", message: "not for this host" } }),
    }),
  );
  await view.visit("/endpoints");
  await page.getByRole("alert").waitFor();
  assert.match(await page.getByRole("alert").textContent(), /not for this host/);
  assert.equal(await page.locator("form.lock").count(), 0);
  view.check();
  await page.close();
});

const NAMES = [
  `<script>document.title = "broken"</script>`,
  "ריצה של לילה (2)",
  "🚀 逆伝播 – naïve",
  "x".repeat(250),
];

test("any name is text: markup, right to left, emoji, endless", async () => {
  const ids = [];
  const { experiment_id } = await server.mlflow("experiments/create", { name: "<b>שלום</b> 🧪" });
  for (const [at, name] of NAMES.entries()) {
    const { run } = await server.mlflow("runs/create", {
      experiment_id,
      run_name: name,
      start_time: 1_660_000_000_000 + at,
    });
    ids.push(run.info.run_id);
    await server.mlflow("runs/log-batch", {
      run_id: run.info.run_id,
      metrics: [1, 2, 3].map((step) => ({
        key: "דיוק/אחוז",
        value: step,
        timestamp: 1_660_000_000_000,
        step,
      })),
      params: [{ key: "שלום", value: NAMES[0] }],
      tags: [],
    });
  }
  for (const width of [1_300, 400]) {
    const view = await openPage(browser, server, { width }),
      { page } = view;
    page.on("dialog", (dialog) => assert.fail(`a dialog: ${dialog.message()}`));
    await view.visit(`/runs?experiment=${experiment_id}`);
    await page
      .locator("tbody tr")
      .nth(NAMES.length - 1)
      .waitFor();
    await comes(
      async () => (await page.locator("tbody tr td:first-child bdi").allTextContents()).reverse(),
      NAMES,
    );
    await view.fits("runs of odd names");
    for (const [at, name] of NAMES.entries()) {
      await view.visit(`/runs/${ids[at]}`);
      await page.locator("h1 bdi", { hasText: name }).waitFor();
      await comes(() => page.title(), `Run ${name} · Slipway`);
      await view.fits(name.slice(0, 20));
    }
    await view.accessible("a run with an endless name");
    await view.visit(`/runs?experiment=${experiment_id}`);
    await page
      .locator("tbody tr")
      .nth(NAMES.length - 1)
      .waitFor();
    await view.shot(`names-${width}`);
    view.check();
    await page.close();
  }
});

test("two thousand runs: a page of them at a time, and all of them in the file", async () => {
  const experiment = await manyRuns(server, "many", MANY);
  const view = await openPage(browser, server),
    { page } = view;
  let asked = 0;
  page.on("request", () => ++asked);
  const began = performance.now();
  await view.visit(`/runs?experiment=${experiment}`);
  await page.locator("tbody tr").nth(49).waitFor();
  const took = performance.now() - began;
  const elements = await page.evaluate(() => document.querySelectorAll("*").length);
  console.log(
    `${MANY} runs: ${elements} elements, ${asked} requests, ${took.toFixed(0)} ms to the table`,
  );
  await comes(() => page.locator("tbody tr").count(), 50);
  assert.ok(elements < ELEMENTS_MAX, `${elements} elements`);
  assert.ok(asked <= ASKED_MAX, `${asked} requests`);
  assert.ok(took < VIEW_MS_MAX, `${took} ms`);
  await page.getByRole("columnheader", { name: "score" }).getByRole("button").click();
  await page.waitForFunction(
    (name) => document.querySelector("tbody tr a")?.textContent === name,
    `many-${MANY - 1}`,
  );
  const { name, text } = await view.saved(page.getByRole("button", { name: "CSV of: Runs" }));
  assert.equal(name, "slipway-runs-list.csv");
  const lines = text.split("\r\n");
  assert.equal(lines.length, MANY + 2); // a header, and nothing after the last line's end
  assert.equal(lines[0], "run,status,score,stage,started_ms,took_ms,experiment,run_id");
  assert.match(lines[1], /^many-1999,RUNNING,249\.875,,1600001999000,,many,[0-9a-f]{32}$/);
  assert.match(lines.at(-2), /^many-0,RUNNING,0,,1600000000000,,many,[0-9a-f]{32}$/);
  // Nothing that is read moves while the page asks again.
  await page.evaluate(() => scrollTo(0, 500));
  await page.evaluate(() => (document.querySelector("tbody tr").dataset.mine = "yes"));
  await page.waitForTimeout(4_500);
  assert.equal(await page.evaluate(() => scrollY), 500);
  assert.equal(await page.locator("tbody tr[data-mine=yes]").count(), 1);
  view.check();
  await page.close();
});

test("a file of more runs than it may hold is refused, not cut", async () => {
  const view = await openPage(browser, server),
    { page } = view;
  await page.route("**/runs/search", (route) => {
    const { max_results } = route.request().postDataJSON();
    const info = { run_name: "one of many", experiment_id: "0", status: "FINISHED" };
    const runs = Array.from({ length: max_results }, (_, at) => ({
      info: { ...info, run_id: at.toString(16).padStart(32, "0") },
      data: {},
    }));
    return route.fulfill({ json: { runs, next_page_token: "more" } });
  });
  await view.visit("/runs");
  await page.getByRole("button", { name: "CSV of: Runs" }).click();
  await page.getByText("more than 20,000 runs: narrow the filter").waitFor();
  view.check();
  await page.close();
});

test("files keep every digit, quote what needs it, say NaN, and run no formula", async () => {
  const { run } = await server.mlflow("runs/create", {
    experiment_id: "0",
    run_name: "files",
    start_time: 1_670_000_000_000,
  });
  const id = run.info.run_id;
  await server.mlflow("runs/log-batch", {
    run_id: id,
    metrics: [1, 2, 3].map((step) => ({
      key: "curve",
      value: step / 3,
      timestamp: 1_670_000_000_000,
      step,
    })),
    params: [
      { key: "note", value: 'a "quoted", word\nand a line' },
      { key: "rate", value: "=1+1" },
      { key: "shift", value: "-1.5e-3" },
      { key: "-rate", value: '+HYPERLINK("http://x/?"&A1)' },
      { key: "way", value: "-1 2" },
      { key: "tab", value: "\tx" },
    ],
    tags: [],
  });
  await server.mlflow("runs/log-metric", {
    run_id: id,
    key: "broken",
    value: "NaN",
    timestamp: 1_670_000_000_000,
  });
  const view = await openPage(browser, server),
    { page } = view;
  await view.visit(`/runs/${id}`);
  await page.locator("canvas").waitFor();
  const csv = (name) => view.saved(page.getByRole("button", { name: `CSV of: ${name}` }));
  assert.deepEqual(await csv("curve"), {
    name: `slipway-runs-${id}-curve.csv`,
    text: "x,curve\r\n1,0.3333333333333333\r\n2,0.6666666666666666\r\n3,1\r\n",
  });
  assert.deepEqual(await csv("Parameters of the run"), {
    name: `slipway-runs-${id}-parameters.csv`,
    text:
      `name,value\r\n'-rate,"'+HYPERLINK(""http://x/?""&A1)"\r\n` +
      'note,"a ""quoted"", word\nand a line"\r\n' +
      "rate,'=1+1\r\nshift,-1.5e-3\r\ntab,'\tx\r\nway,'-1 2\r\n",
  });
  assert.equal(
    (await csv("Last value of each metric")).text,
    "metric,value,step\r\nbroken,NaN,0\r\ncurve,1,3\r\n",
  );
  // Axes say what they are of.
  await comes(() => page.locator(".u-axis").count(), 2);
  view.check();
  await page.close();
});

test("a curve of a run that goes on grows by itself, and a range that one chose stays", async () => {
  const { run } = await server.mlflow("runs/create", {
    experiment_id: "0",
    run_name: "growing",
    start_time: 1_671_000_000_000,
  });
  const id = run.info.run_id;
  const log = (from, to) =>
    server.mlflow("runs/log-batch", {
      run_id: id,
      metrics: Array.from({ length: to - from }, (_, at) => ({
        key: "loss",
        value: 1 / (from + at),
        timestamp: 1_671_000_000_000,
        step: from + at,
      })),
      params: [],
      tags: [],
    });
  await log(1, 100);
  const view = await openPage(browser, server),
    { page } = view;
  await view.visit(`/runs/${id}`);
  const chart = page.locator(".chart");
  await page.getByRole("img", { name: /Chart: loss, 99 points/ }).waitFor();
  await page.evaluate(() => (document.querySelector("canvas").dataset.mine = "yes"));
  await log(100, 150);
  await page.getByRole("img", { name: /Chart: loss, 149 points/ }).waitFor();
  assert.equal(await page.locator("canvas[data-mine=yes]").count(), 1, "the chart was made anew");
  await chart.focus();
  await page.keyboard.press("End");
  await comes(() => page.locator(".reading").textContent(), /^step 149: loss/);
  const over = await page.locator(".u-over").boundingBox();
  await page.mouse.move(over.x + over.width * 0.25, over.y + 50);
  await page.mouse.down();
  await page.mouse.move(over.x + over.width * 0.75, over.y + 50, { steps: 5 });
  await page.mouse.up();
  await page.getByRole("button", { name: "Whole range" }).waitFor();
  const zoomed = page.getByRole("img", { name: /Chart: loss, 7\d points/ });
  await zoomed.waitFor();
  await log(150, 200);
  await page.getByRole("cell", { name: "199", exact: true }).waitFor();
  assert.equal(await zoomed.count(), 1);
  await page.getByRole("button", { name: "Whole range" }).click();
  await page.getByRole("img", { name: /Chart: loss, 199 points/ }).waitFor();
  view.check();
  await page.close();
});

test("a rollout moves on the page as it moves; paused and held it says why, who and what ends it", async () => {
  writeFileSync(
    join(server.folder, "slipway.yaml"),
    `kind: Model
name: late
spec: {description: a model}
---
kind: Endpoint
name: late
spec:
  model: late
  alias: champion
  clock: event
  rollout: {steps: [{weight: 0.25, requests: 1000}, {weight: 0.5}], losses: [error, nan], delta: 0.2}
`,
  );
  server.cli("apply");
  await registerVersion(server, "late", "classifier.onnx");
  await server.ask("POST", "/api/slipway/v1/models/late/promote", {
    version: 1,
    alias: "champion",
    reason: "the first",
  });
  await server.ask("POST", "/api/slipway/v1/endpoints/late/settle", { timeout_s: 30 });
  await liveThrough(server, "late", 1, 1, 2);
  await registerVersion(server, "late", "challenger.onnx");
  ({ rollout } = await server.ask("POST", "/api/slipway/v1/models/late/promote", {
    version: 2,
    alias: "champion",
    reason: "try it",
  }));
  await liveThrough(server, "late", 2, 1, 6);

  const view = await openPage(browser, server),
    { page } = view;
  await view.visit(`/rollouts/${rollout}`);
  const judged = page.locator(".facts div", { hasText: "Requests judged" }).locator("dd");
  await page.waitForFunction(() => /Requests judged\s*6\b/.test(document.body.innerText));
  // Requests make no event: the counters come all the same, into the rows that are there.
  await page.evaluate(() => (document.querySelector("tbody tr").dataset.mine = "yes"));
  for (let request = 0; request < 5; ++request)
    await server.ask("POST", "/v2/models/late/infer", {
      parameters: { event_time: "2013-03-03T01:00:00Z" },
      inputs: [{ name: "x", shape: [1, 3], datatype: "FP32", data: [1, -1, 2] }],
    });
  await page.waitForFunction(() => /Requests judged\s*11\b/.test(document.body.innerText));
  await comes(() => judged.textContent(), "11");
  assert.equal(await page.locator("tbody tr[data-mine=yes]").count(), 1);

  await server.ask("POST", `/api/slipway/v1/rollouts/${rollout}/pause`, {});
  const paused = page.getByRole("region", { name: "Rollout paused" });
  await paused.waitFor();
  await view.shot("paused");
  const {
    events: [pause],
  } = await server.ask("GET", "/api/slipway/v1/events?type=rollout.paused&limit=1");
  const since = pause.recorded_at.slice(0, 16).replace("T", " ");
  await paused.getByText(`Paused by ${pause.actor} on ${since} UTC`).waitFor();
  assert.equal(await paused.locator("code").textContent(), `slipway rollout resume ${rollout}`);
  for (const dark of [false, true])
    for (const address of [`/rollouts/${rollout}`, "/endpoints/late"]) {
      const narrow = await openPage(browser, server, { dark, width: 400 });
      await narrow.visit(address);
      await narrow.page.getByRole("region", { name: "Rollout paused" }).waitFor();
      await narrow.accessible(`${address}, paused`);
      await narrow.shot(`paused-${dark}-${address.split("/")[1]}`);
      await narrow.fits(address);
      narrow.check();
      await narrow.page.close();
    }
  await server.ask("POST", `/api/slipway/v1/rollouts/${rollout}/resume`, {});
  await paused.waitFor({ state: "detached" });

  await server.ask("POST", `/api/slipway/v1/rollouts/${rollout}/promote`, { reason: "enough" });
  await server.ask("POST", "/api/slipway/v1/endpoints/late/rollback", {
    reason: "complaints <from> the desk",
    ttl: "2h",
  });
  const { hold } = await server.ask("GET", "/api/slipway/v1/endpoints/late");
  await view.visit("/endpoints/late");
  const held = page.getByRole("region", { name: "Under hold" });
  await held.waitFor();
  const said = await held.innerText();
  assert.ok(said.includes(`until ${hold.until.slice(0, 16).replace("T", " ")} UTC`), said);
  assert.ok(said.includes(`Held by ${hold.actor}`), said);
  assert.ok(said.includes("complaints <from> the desk"), said);
  assert.equal(await held.locator("code").textContent(), "slipway endpoint release late");
  await view.accessible("an endpoint under hold");
  await view.shot("held");
  server.cli("endpoint", "release", "late");
  await held.waitFor({ state: "detached" });

  // In a file an alias is a name, and counters are numbers.
  const lines = async (name) =>
    (await view.saved(page.getByRole("button", { name: `CSV of: ${name}` }))).text.split("\r\n");
  const moves = await lines("Every move and refusal");
  assert.match(moves[1], /^[^,]*,champion,2 → 1,/);
  await view.visit("/endpoints");
  assert.match((await lines("What answers"))[1], /^late,late,champion,1,/);
  await view.visit(`/rollouts/${rollout}`);
  const { steps } = await server.ask("GET", `/api/slipway/v1/rollouts/${rollout}`);
  const [head, first] = await lines("Steps");
  assert.equal(
    head,
    "step,weight,since," +
      "challenger error bad,challenger error n,challenger nan bad,challenger nan n," +
      "champion error bad,champion error n,champion nan bad,champion nan n",
  );
  const counted = ["challenger", "champion"].flatMap((arm) =>
    ["error", "nan"].flatMap((loss) => {
      const { bad, good } = steps[0].counters[loss][arm];
      return [bad, bad + good];
    }),
  );
  assert.deepEqual(first.split(",").slice(3), counted.map(String));
  view.check();
  await page.close();
});

test("a version that is loading is said quietly, one that cannot be served loudly", async () => {
  const view = await openPage(browser, server),
    { page } = view;
  let loading = true;
  await page.route("**/api/slipway/v1/endpoints/late", async (route) => {
    const answer = await (await route.fetch()).json();
    const problem = loading ? "version 3 is loading" : "version 3 cannot be served: it is gone";
    return route.fulfill({ json: { ...answer, problem, loading } });
  });
  await view.visit("/endpoints/late");
  await page.getByRole("status").filter({ hasText: "version 3 is loading" }).waitFor();
  assert.equal(await page.getByRole("alert").count(), 0);
  await view.accessible("an endpoint that is loading");
  loading = false;
  await page.getByRole("alert").filter({ hasText: "it is gone" }).waitFor();
  view.check();
  await page.close();
});

test("a file that cannot be had says why, beside its link", async () => {
  await server.mlflow("registered-models/create", { name: "far" });
  const { run } = await registerVersion(server, "far", "classifier.onnx");
  const view = await openPage(browser, server),
    { page } = view;
  view.tolerate(/status of (401|500)|ERR_FAILED/);
  await page.setExtraHTTPHeaders({ "X-Forwarded-For": "203.0.113.9" });
  await view.visit(`/runs/${run}`);
  await page.locator("input[name=token]").fill(server.token());
  await page.keyboard.press("Enter");
  await page.getByText("model/").click();
  const link = page.getByRole("link", { name: "classifier.onnx" }),
    files = "**/mlflow-artifacts/artifacts/**";
  await link.waitFor();
  await page.route(files, (route) =>
    route.fulfill({ status: 500, json: { error_code: "INTERNAL_ERROR", message: "a bad disk" } }),
  );
  await link.click();
  await page.getByRole("status").filter({ hasText: "a bad disk" }).waitFor();
  await page.unroute(files);
  await page.route(files, (route) => route.abort());
  await link.click();
  await page.getByRole("status").filter({ hasText: "the server does not answer" }).waitFor();
  await page.unroute(files);
  const { name, text } = await view.saved(link);
  assert.equal(name, "classifier.onnx");
  assert.ok(text.length > 100);
  assert.equal(await page.getByText("the server does not answer").count(), 0);
  view.check();
  await page.close();
});

test("with keys alone: skip, filter, sort, open a row, read a chart, close the help", async () => {
  const view = await openPage(browser, server),
    { page } = view;
  const focused = () =>
    page.evaluate(() => {
      const { textContent, tagName } = document.activeElement;
      const outline = getComputedStyle(document.activeElement).outlineStyle;
      return { text: textContent.trim(), tag: tagName, outline };
    });
  await view.visit("/runs?filter=attributes.run_name+%3D+%27files%27");
  await page.getByRole("link", { name: "files" }).waitFor();
  await page.keyboard.press("Tab");
  assert.equal((await focused()).text, "Skip to the content");
  assert.notEqual((await focused()).outline, "none");
  await page.keyboard.press("Enter");
  // From the content on: every stop is visible and shows that it has the focus.
  const stops = [];
  for (let press = 0; press < 60; ++press) {
    await page.keyboard.press("Tab");
    const stop = await focused();
    if (stop.tag === "BODY") break;
    assert.notEqual(stop.outline, "none", JSON.stringify(stop));
    stops.push(stop.text);
  }
  for (const text of ["Filter", "CSV", "Run", "files", "copy"])
    assert.ok(stops.includes(text), `${text} is not reached: ${stops}`);
  await page.keyboard.press("j");
  await comes(async () => (await focused()).text, "files");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Run files" }).waitFor();
  await page.locator("canvas").waitFor();
  for (let press = 0; press < 30; ++press) {
    await page.keyboard.press("Tab");
    if (await page.evaluate(() => document.activeElement.classList.contains("chart"))) break;
  }
  await page.keyboard.press("ArrowRight");
  await comes(() => page.locator(".reading").textContent(), "step 1: curve 0.33333");
  await page.keyboard.press("?");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  view.check();
  await page.close();
});

test("every view fits 400 px in both themes, and nothing moves by itself", async () => {
  const { events } = await server.ask(
    "GET",
    "/api/slipway/v1/events?type=rollout.promoted&limit=1",
  );
  const addresses = [
    "/",
    "/runs",
    "/endpoints",
    "/endpoints/late",
    `/rollouts/${rollout}`,
    `/story?event=${events[0].seq}`,
    `/evidence/${events[0].evidence[0]}`,
  ];
  for (const dark of [false, true]) {
    const view = await openPage(browser, server, { dark, width: 400 }),
      { page } = view;
    await page.emulateMedia({ reducedMotion: "reduce", colorScheme: dark ? "dark" : "light" });
    for (const address of addresses) {
      await view.visit(address);
      await page.waitForLoadState("networkidle");
      await view.fits(address);
      await view.accessible(address);
      const moving = await page.evaluate(
        () =>
          document.getAnimations().length +
          [...document.querySelectorAll("*")].filter((one) => {
            const { transitionDuration, animationName } = getComputedStyle(one);
            return !/^0s(, 0s)*$/.test(transitionDuration) || animationName !== "none";
          }).length,
      );
      assert.equal(moving, 0, address);
      const paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      assert.equal(paper, dark ? "rgb(21, 25, 28)" : "rgb(253, 253, 252)");
    }
    view.check();
    await page.close();
  }
});
