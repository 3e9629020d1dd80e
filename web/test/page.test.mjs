// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";

import {
  comes,
  fillRuns,
  liveThrough,
  openBrowser,
  openPage,
  registerVersion,
  startServer,
} from "./world.mjs";

const RUNS = 120;
const PAGE_GZ_MAX = 90_000; // as build.mjs has it
const packed = (bytes) => gzipSync(bytes, { level: 9 }).length;
let server, browser, runs, served;

before(async () => {
  [server, browser] = await Promise.all([startServer(), openBrowser()]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const texts = (page, selector) => page.locator(selector).allTextContents();

test("an empty server says how to fill it", async () => {
  const view = await openPage(browser, server);
  await view.visit("/runs");
  await view.page.getByText("No runs yet.").waitFor();
  await view.visit("/endpoints");
  await view.page.getByText("No endpoints yet").waitFor();
  await view.visit("/story");
  await view.page.getByText("Nothing happened yet.").waitFor();
  assert.equal(await view.page.title(), "Story · Slipway");
  view.check();
});

describe("with runs", () => {
  before(async () => {
    runs = await fillRuns(server, RUNS);
  });

  test("the server pages, sorts and filters; the address holds the question", async () => {
    const view = await openPage(browser, server),
      { page } = view;
    await view.visit("/runs");
    await page.locator("tbody tr").nth(49).waitFor();
    await comes(() => page.locator("tbody tr").count(), 50);
    await comes(() => page.locator("tbody tr a").first().textContent(), `run-${RUNS - 1}`);

    await page.getByRole("link", { name: "Next 50" }).click();
    await page.getByRole("link", { name: `run-${RUNS - 51}`, exact: true }).waitFor();
    await page.getByRole("link", { name: "First page" }).click();
    await page.getByRole("link", { name: `run-${RUNS - 1}`, exact: true }).waitFor();

    await page.getByRole("columnheader", { name: "loss" }).getByRole("button").click();
    await page.locator("th[aria-sort=descending]", { hasText: "loss" }).waitFor();
    await page.getByRole("columnheader", { name: "loss" }).getByRole("button").click();
    await page.locator("th[aria-sort=ascending]", { hasText: "loss" }).waitFor();
    await page.waitForFunction(() => document.querySelector("tbody tr a")?.textContent === "run-0");
    const order = new URL(page.url()).searchParams.get("order");
    assert.equal(order, "metrics.`loss` ASC");

    await page.keyboard.press("/");
    await page.keyboard.type("metrics.loss < 0.05 AND attributes.status = 'FINISHED'");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.querySelectorAll("tbody tr").length < 10);
    const found = await page.locator("tbody tr").count();
    assert.ok(found > 0);
    await page.reload();
    await page.locator("tbody tr").first().waitFor();
    await comes(() => page.locator("tbody tr").count(), found);
    await comes(
      () => page.locator(".command code").textContent(),
      /^slipway run list --filter 'metrics\.loss < 0\.05 AND/,
    );
    view.check();
    await page.close();
  });

  test("a filter that the server cannot read is answered in its words, and the table stays", async () => {
    const view = await openPage(browser, server),
      { page } = view;
    view.tolerate(/status of 400/);
    await view.visit("/runs");
    await page.locator("tbody tr").first().waitFor();
    await page.locator("input[type=search]").fill("metrics.loss <");
    await page.getByRole("button", { name: "Filter" }).click();
    await page.getByRole("alert").waitFor();
    assert.notEqual((await page.getByRole("alert").textContent()).trim(), "");
    assert.equal(await page.locator("tbody tr").count(), 50);
    view.check();
    await page.close();
  });

  test("a run shows its parameters, and its curve with the one spike of three thousand points", async () => {
    const view = await openPage(browser, server),
      { page } = view;
    await view.visit(`/runs/${runs.ids[0]}`);
    await comes(() => page.locator("h1").textContent(), "Run run-0");
    await page.locator("canvas").first().waitFor();
    await comes(() => page.locator("figcaption").first().textContent(), /^curve .*of 3,000 points/);
    await comes(
      async () => (await texts(page, "section[aria-labelledby=parameters] td")).slice(0, 2),
      ["rate", "0"],
    );

    const chart = page.locator(".chart").first();
    await chart.focus();
    await page.keyboard.press("Home");
    await comes(() => page.locator(".reading").first().textContent(), "step 1: curve 1");
    await page.keyboard.press("End");
    await comes(
      () => page.locator(".reading").first().textContent(),
      /^step 3,000: curve 0\.00033333/,
    );
    const points = await (
      await fetch(`${server.url}/api/slipway/v1/series?runs=${runs.ids[0]}&key=curve&px=50`)
    ).arrayBuffer();
    const head = new DataView(points).getUint32(0, true);
    const {
      series: [first],
    } = JSON.parse(new TextDecoder().decode(new Uint8Array(points, 4, head)));
    assert.equal(first.raw, 3_000);
    assert.ok(first.points <= 200, `${first.points} points for 50 columns`);
    const values = new Float64Array(points, 4 + head + 8 * first.points, first.points);
    assert.equal(values.filter((value) => value === 9).length, 1);
    view.check();
    await page.close();
  });

  test("names are text, whatever stands in them", async () => {
    const view = await openPage(browser, server),
      { page } = view;
    const name = `<img src=x onerror="document.title='broken'">`;
    const { run } = await server.mlflow("runs/create", {
      experiment_id: runs.experiment,
      run_name: name,
      start_time: 1_700_009_999_000,
    });
    await view.visit("/runs");
    await page.getByText(name).waitFor();
    await view.visit(`/runs/${run.info.run_id}`);
    await comes(() => page.locator("h1").textContent(), `Run ${name}`);
    assert.notEqual(await page.title(), "broken");
    view.check();
    await page.close();
  });

  test("keys go from view to view, rows take the focus, headings are announced", async () => {
    const view = await openPage(browser, server),
      { page } = view;
    await view.visit("/story");
    await page.keyboard.press("g");
    await page.keyboard.press("r");
    await page.waitForURL("**/runs");
    await page.locator("tbody tr").first().waitFor();
    await comes(() => page.evaluate(() => document.activeElement?.textContent), "Runs");
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    const second = await page.locator("tbody tr").nth(1).locator("a").textContent();
    await comes(() => page.evaluate(() => document.activeElement?.textContent), second);
    await page.keyboard.press("Enter");
    await page.waitForURL("**/runs/*");
    await page.goBack();
    await page.waitForURL("**/runs");
    await page.keyboard.press("?");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    view.check();
    await page.close();
  });

  test("what is not visible is not mounted", async () => {
    const view = await openPage(browser, server),
      { page } = view;
    await view.visit("/runs");
    await page.locator("tbody tr").nth(49).waitFor();
    const nodes = await page.evaluate(() => document.querySelectorAll("*").length);
    assert.ok(nodes < 2_000, `${nodes} elements`);
    await page.close();
  });
});

test("an endpoint from slipway.yaml appears by itself, with what it waits for", async () => {
  const view = await openPage(browser, server),
    { page } = view;
  await view.visit("/endpoints");
  await page.getByText("No endpoints yet").waitFor();
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
  rollout:
    steps: [{weight: 0.25, requests: 20}, {weight: 0.5}]
    losses: [error, nan]
    delta: 0.2
    max_duration: 100d
---
kind: Monitor
name: late
spec: {endpoint: late, loss: log_loss, clip: 3, block: day, bound: 0.5, budget: 100}
`,
  );
  server.cli("apply");
  await page.getByRole("link", { name: "late", exact: true }).waitFor();
  await page.getByRole("link", { name: "late", exact: true }).click();
  await page.locator("h1", { hasText: "Endpoint late" }).waitFor();
  await page.getByText("No version is registered yet.").waitFor();
  await page.getByText("alarm at 100").waitFor();
  await comes(() => page.locator(".command code").textContent(), "slipway endpoint show late");
  await page.getByRole("button", { name: "copy" }).click();
  await comes(
    () => page.evaluate(() => navigator.clipboard.readText()),
    "slipway endpoint show late",
  );
  view.check();
  await page.close();
});

test("a served model, an alarm and a rollout are shown with the server's own numbers", async () => {
  const first = await registerVersion(server, "late", "classifier.onnx");
  await server.ask("POST", "/api/slipway/v1/models/late/promote", {
    version: 1,
    alias: "champion",
    reason: "the first",
  });
  await server.ask("POST", "/api/slipway/v1/endpoints/late/settle", { timeout_s: 30 });
  let prediction = await liveThrough(server, "late", 1, 14, 2);
  await registerVersion(server, "late", "challenger.onnx");
  const { rollout } = await server.ask("POST", "/api/slipway/v1/models/late/promote", {
    version: 2,
    alias: "champion",
    reason: "try it",
  });
  prediction = await liveThrough(server, "late", 15, 1, 12);
  served = { run: first.run, rollout, prediction };

  const view = await openPage(browser, server),
    { page } = view;
  await view.visit("/endpoints/late");
  await page.getByText("Under way").waitFor();
  await page.locator("section[aria-labelledby=monitors] canvas").nth(1).waitFor();
  const { alarms, blocks } = await server.ask("GET", "/api/slipway/v1/monitors/late?blocks=100");
  assert.ok(alarms.length > 0 && blocks.length > 0);
  const shown = page.getByRole("region", { name: "Alarms, newest first" });
  await comes(() => shown.locator("tbody tr").count(), alarms.length);
  const newest = async () =>
    (await shown.locator("tbody tr").first().locator("td").allTextContents()).slice(1, 4);
  await comes(newest, [alarms[0].block.slice(0, 10), "3", "0.5"]);

  await page.getByRole("link", { name: "1 → 2" }).click();
  await page.locator("h1", { hasText: "Rollout of version 2" }).waitFor();
  const { steps, judgement } = await server.ask("GET", `/api/slipway/v1/rollouts/${rollout}`);
  const { champion, challenger } = steps[0].counters.error;
  assert.equal(champion.good + challenger.good, 12);
  const ofSteps = page
    .getByRole("region", { name: /^Steps/ })
    .locator("tbody tr")
    .first();
  await comes(
    async () => (await ofSteps.locator("td.number").allTextContents()).slice(0, 3),
    ["1", "25 %", challenger.good ? `0 of ${challenger.good}` : "–"],
  );
  // The page computes its e-values from the counters; the server's must come out.
  const evidence = page.getByRole("region", { name: /^Bad answers/ }).locator("tbody tr");
  await comes(() => evidence.locator("td:first-child").allTextContents(), ["error", "nan"]);
  const e = await evidence.first().locator("td[data-title^='e for promotion']").textContent();
  assert.ok(Math.abs(Number(e) - judgement.numbers.losses.error.promote_e) < 1e-3, e);
  // Beside each comparison its interval and the rows of either arm.
  const compared = await evidence.first().locator("td").allTextContents();
  assert.match(compared[2], /^−\d/);
  assert.match(compared[3], /^\+\d/);
  assert.deepEqual(compared.slice(5, 7), [String(challenger.good), String(champion.good)]);

  await view.visit(`/predictions/${prediction}/0`);
  await page.getByText("the same answer").waitFor();
  await page.getByText("1 -1 2.000977").waitFor();
  await page.getByRole("link", { name: /^train c/ }).waitFor();
  await view.visit("/story");
  await page.locator(".word", { hasText: "alarm" }).first().waitFor();
  // What came before the first request has no day, and says so.
  const days = await texts(page, ".day h2");
  assert.equal(days.at(-1), "Before the first request");
  assert.equal(days.length, new Set(days).size);
  assert.equal(await page.locator(".day time").count(), days.length - 1);
  await page.locator(".story li", { hasText: "alarm" }).first().getByRole("link").click();
  await page.getByRole("heading", { name: /^Event \d+/ }).waitFor();
  for (const address of [
    "/story",
    "/endpoints/late",
    `/rollouts/${rollout}`,
    `/predictions/${prediction}/0`,
  ]) {
    await view.visit(address);
    await page.waitForLoadState("networkidle");
    assert.doesNotMatch(
      await page.locator("main").innerText(),
      /\b(null|undefined|1970)\b|\[object/,
    );
  }
  view.check();
  await page.close();
});

test("losses and their bound stand in the loss's own unit, also where nothing is clipped", async () => {
  const file = join(server.folder, "slipway.yaml");
  const before = readFileSync(file, "utf8");
  writeFileSync(
    file,
    before.replace("loss: log_loss, clip: 3, block: day, bound: 0.5", "loss: zero_one, bound: 0.2"),
  );
  server.cli("apply");
  await server.ask("POST", "/api/slipway/v1/endpoints/late/settle", { timeout_s: 30 });
  const { alarms, blocks } = await server.ask("GET", "/api/slipway/v1/monitors/late?blocks=100");
  const alarm = alarms[0];
  assert.deepEqual([alarm.bound_loss, alarm.mean_loss], [0.2, 1]);
  const view = await openPage(browser, server),
    { page } = view;
  await view.visit("/endpoints/late");
  const bound = page.locator("section[aria-labelledby=monitors] .facts div", { hasText: "Bound" });
  await comes(() => bound.locator("dd").textContent(), "0.2");
  const shown = page.getByRole("region", { name: "Alarms, newest first" });
  const newest = async () =>
    (await shown.locator("tbody tr").first().locator("td").allTextContents()).slice(1, 4);
  await comes(newest, [alarm.block.slice(0, 10), "1", "0.2"]);
  await page.locator("section[aria-labelledby=monitors] canvas").nth(1).waitFor();
  const { text } = await view.saved(page.getByRole("button", { name: "CSV of: Mean loss" }));
  assert.deepEqual(
    text.split("\r\n").slice(1, -1),
    blocks.map((one) => `${one.start.slice(0, 19)}.000Z,${one.mean_loss ?? ""},0.2`).reverse(),
  );
  assert.ok(blocks.some((one) => one.mean_loss === 1));
  view.check();
  await page.close();
});

test("a link that the mlflow client prints leads to its run", async () => {
  const view = await openPage(browser, server),
    { page } = view;
  await view.visit(`/#/experiments/${runs.experiment}/runs/${runs.ids[0]}`);
  await page.getByRole("heading", { name: "Run run-0" }).waitFor();
  assert.equal(new URL(page.url()).pathname, `/runs/${runs.ids[0]}`);
  await view.visit(`/#/experiments/${runs.experiment}`);
  await page.locator("tbody tr").first().waitFor();
  assert.equal(await page.locator("select").inputValue(), runs.experiment);
  view.check();
  await page.close();
});

for (const dark of [false, true]) {
  test(`every view is accessible, ${dark ? "dark" : "light"}`, async () => {
    const view = await openPage(browser, server, { dark });
    view.tolerate(/status of 404/);
    for (const address of [
      "/",
      "/story",
      "/runs",
      `/runs/${runs.ids[0]}`,
      "/endpoints",
      "/endpoints/late",
      "/predictions/00000001-999999999/0",
      `/runs/${served.run}`,
      `/rollouts/${served.rollout}`,
      `/predictions/${served.prediction}/0`,
    ]) {
      await view.visit(address);
      await view.page.waitForLoadState("networkidle");
      await view.accessible(address);
      await view.shot(
        `${address.replace(/[^a-z]+/g, "-").slice(0, 30)}-${dark ? "dark" : "light"}`,
      );
    }
    view.check();
    await view.page.close();
  });
}

test("the page is small, kept by hash, and bound to its own origin", async () => {
  const index = await fetch(server.url + "/");
  const html = await index.text();
  const policy = index.headers.get("content-security-policy");
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /script-src 'self';/);
  assert.match(policy, /style-src 'self';/);
  assert.equal(index.headers.get("cache-control"), "no-cache");
  const names = [...html.matchAll(/(?:src|href)="\/(app\.[0-9a-f]{12}\.(?:js|css))"/g)].map(
    (found) => found[1],
  );
  assert.equal(names.length, 2);
  const sizes = [["index.html", packed(html)]];
  for (const name of names) {
    const file = await fetch(`${server.url}/${name}`);
    assert.equal(file.status, 200);
    assert.match(file.headers.get("cache-control"), /immutable/);
    sizes.push([name, packed(Buffer.from(await file.arrayBuffer()))]);
  }
  const whole = sizes.reduce((sum, [, size]) => sum + size, 0);
  console.log(
    `the page: ${whole} of ${PAGE_GZ_MAX} bytes gzipped (` +
      sizes.map(([name, size]) => `${name} ${size}`).join(", ") +
      ")",
  );
  assert.ok(whole <= PAGE_GZ_MAX, `${whole} bytes`);
  const again = await fetch(server.url + "/", {
    headers: { "If-None-Match": index.headers.get("etag") },
  });
  assert.equal(again.status, 304);
});
