// SPDX-License-Identifier: Apache-2.0
// A real server on an empty store and a real Chromium that looks at it. A page that logs an error,
// breaks its own security policy or
// asks another origin for anything fails its test.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const here = dirname(fileURLToPath(import.meta.url));
export const program = resolve(
  process.env.SLIPWAY_BIN ?? join(here, "../../build/release/slipway"),
);
const browserPath = process.env.CHROME ?? "/usr/bin/chromium";
const AXE = readFileSync(join(here, "../node_modules/axe-core/axe.min.js"), "utf8");
const READY_MS = 20_000;
const BATCH = 900; // metrics of one log-batch; with parameters and tags at most 1,000

function environment(more = {}) {
  const kept = Object.entries(process.env).filter(
    ([key]) => key === "SLIPWAY_ONNXRUNTIME" || !/^(SLIPWAY|MLFLOW)_/.test(key),
  );
  return { ...Object.fromEntries(kept), ...more };
}

export async function startServer() {
  assert.ok(
    existsSync(program),
    `no program at ${program}: run make build, or name it with SLIPWAY_BIN`,
  );
  const folder = await mkdtemp(join(tmpdir(), "slipway-page-"));
  const data = join(folder, "store");
  let child, exited, url, log;
  // On the same port again after a stop, so that a page that is open finds it.
  const up = async () => {
    const listen = url ? new URL(url).host : "127.0.0.1:0";
    log = "";
    child = spawn(program, ["server", "--data", data, "--listen", listen], {
      env: environment(),
      stdio: ["ignore", "pipe", "pipe"],
    });
    child.stderr.on("data", (piece) => (log += piece));
    exited = new Promise((done) => child.once("exit", done));
    url = await new Promise((found, fail) => {
      const late = setTimeout(
        () => fail(new Error(`not ready after ${READY_MS} ms\n${log}`)),
        READY_MS,
      );
      createInterface({ input: child.stdout }).on("line", (line) => {
        const ready = /^listening on (http:\S+)$/.exec(line);
        if (ready) {
          clearTimeout(late);
          found(ready[1]);
        }
      });
      child.once("exit", (status) =>
        fail(new Error(`ended with ${status} before it was ready\n${log}`)),
      );
    });
  };
  const down = async () => {
    child.kill("SIGTERM");
    assert.equal(await exited, 0, log);
  };
  await up();
  const token = () => readFileSync(join(data, "token"), "utf8").trim();
  return {
    url,
    folder,
    token,
    up,
    down,
    signal: (name) => child.kill(name),
    // MLflow's API, as any client calls it.
    async mlflow(path, body) {
      const answer = await fetch(`${url}/api/2.0/mlflow/${path}`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
      });
      const text = await answer.text();
      assert.equal(answer.status, 200, `${path}: ${text}`);
      return JSON.parse(text || "{}");
    },
    // Our own API, and inference; anything but a text or bytes is sent as JSON.
    async ask(method, path, body) {
      const raw = typeof body === "string" || body instanceof Uint8Array;
      const answer = await fetch(url + path, {
        method,
        headers: {
          Authorization: `Bearer ${token()}`,
          "Content-Type": raw ? "application/octet-stream" : "application/json",
        },
        body: raw ? body : JSON.stringify(body),
      });
      const text = await answer.text();
      assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
      return text ? JSON.parse(text) : {};
    },
    cli(...args) {
      const done = spawnSync(program, args, {
        cwd: folder,
        env: environment({ SLIPWAY_URL: url, SLIPWAY_TOKEN: token() }),
        encoding: "utf8",
      });
      assert.equal(done.status, 0, `slipway ${args.join(" ")}\n${done.stdout}${done.stderr}`);
      return done.stdout;
    },
    async stop() {
      await down();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

// `count` runs in one experiment: run-0 … with a parameter, a metric of one value and a curve on
// the first of them.
export async function fillRuns(server, count) {
  const { experiment_id } = await server.mlflow("experiments/create", { name: "flights" });
  const ids = [];
  for (let at = 0; at < count; ++at) {
    const { run } = await server.mlflow("runs/create", {
      experiment_id,
      run_name: `run-${at}`,
      start_time: 1_700_000_000_000 + at * 60_000,
    });
    const id = run.info.run_id;
    ids.push(id);
    const metrics = [
      { key: "loss", value: ((at * 37) % count) / count, timestamp: 1_700_000_000_000, step: 0 },
    ];
    for (let step = 1; at === 0 && step <= 3_000; step += 1)
      metrics.push({
        key: "curve",
        value: step === 1_700 ? 9 : 1 / step,
        timestamp: 1_700_000_000_000 + step,
        step,
      });
    for (let from = 0; from < metrics.length; from += BATCH) {
      await server.mlflow("runs/log-batch", {
        run_id: id,
        metrics: metrics.slice(from, from + BATCH),
        params: from ? [] : [{ key: "rate", value: String(at / 10) }],
        tags: from ? [] : [{ key: "slipway.stage", value: at % 2 ? "train" : "evaluate" }],
      });
    }
    await server.mlflow("runs/update", {
      run_id: id,
      status: at % 10 === 3 ? "FAILED" : "FINISHED",
      end_time: 1_700_000_000_000 + at * 60_000 + 5_000,
    });
  }
  return { experiment: experiment_id, ids };
}

// `count` finished runs with one metric each, quickly: several at a time.
export async function manyRuns(server, experiment, count) {
  const { experiment_id } = await server.mlflow("experiments/create", { name: experiment });
  const at = Array.from({ length: count }, (_, index) => index).reverse();
  const worker = async () => {
    for (let index = at.pop(); index !== undefined; index = at.pop()) {
      const { run } = await server.mlflow("runs/create", {
        experiment_id,
        run_name: `many-${index}`,
        start_time: 1_600_000_000_000 + index * 1_000,
      });
      await server.mlflow("runs/log-batch", {
        run_id: run.info.run_id,
        metrics: [{ key: "score", value: index / 8, timestamp: 1_600_000_000_000, step: 0 }],
        params: [],
        tags: [],
      });
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  return experiment_id;
}

const MODELS = join(here, "../../src/serving/testdata");

// A version of `model` from a file of the engine's test data, with the run that logged it.
export async function registerVersion(server, model, file) {
  const { run } = await server.mlflow("runs/create", {
    experiment_id: "0",
    run_name: `train ${file}`,
    start_time: Date.now(),
  });
  const root = run.info.artifact_uri.replace("mlflow-artifacts:/", "");
  await server.ask(
    "PUT",
    `/api/2.0/mlflow-artifacts/artifacts/${root}/model/${file}`,
    readFileSync(join(MODELS, file)),
  );
  await server.mlflow("runs/log-batch", {
    run_id: run.info.run_id,
    params: [{ key: "seed", value: "1" }],
    metrics: [],
    tags: [],
  });
  const { model_version } = await server.mlflow("model-versions/create", {
    name: model,
    source: `${run.info.artifact_uri}/model`,
    run_id: run.info.run_id,
  });
  return { run: run.info.run_id, version: model_version.version };
}

// Days of requests at `endpoint` from 2013-03-`first` on, each with a label that proves the model
// wrong, and all worked off. Answers with the id of the last prediction.
export async function liveThrough(server, endpoint, first, days, requests) {
  let last;
  for (let day = first; day < first + days; ++day) {
    const at = (hour) => `2013-03-${String(day).padStart(2, "0")}T${hour}:00:00Z`;
    const labels = [];
    for (let number = 0; number < requests; ++number) {
      const answer = await server.ask("POST", `/v2/models/${endpoint}/infer`, {
        parameters: { event_time: at("12") },
        inputs: [{ name: "x", shape: [1, 3], datatype: "FP32", data: [1, -1, 1024.5 / 512] }],
      });
      last = answer.parameters.prediction_id;
      labels.push({ prediction: last, value: 0, event_time: at("18") });
    }
    const ours = `/api/slipway/v1/endpoints/${endpoint}`;
    await server.ask("POST", `${ours}/watermark`, { event_time: at("20") });
    await server.ask("POST", `${ours}/labels`, { labels });
    await server.ask("POST", `${ours}/settle`, { timeout_s: 30 });
  }
  return last;
}

export async function openBrowser() {
  assert.ok(
    existsSync(browserPath),
    `no browser at ${browserPath}: run scripts/setup browser, or name it with CHROME`,
  );
  const profile = await mkdtemp(join(tmpdir(), "slipway-chromium-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: browserPath,
    headless: true,
    viewport: { width: 1_300, height: 1_000 },
    permissions: ["clipboard-read", "clipboard-write"],
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  return {
    context,
    async close() {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}

// The page answers in its own time: `read` is asked until what it gives is `wanted`, a value or a
// pattern, and the last answer is in the failure. For what a view shows once its answers are there.
export async function comes(read, wanted, within_ms = 15_000) {
  const told = (given) =>
    wanted instanceof RegExp ? assert.match(given, wanted) : assert.deepEqual(given, wanted);
  for (const end = performance.now() + within_ms; ; ) {
    const given = await read();
    try {
      return told(given);
    } catch (unlike) {
      if (performance.now() > end) throw unlike;
    }
    await new Promise((next) => setTimeout(next, 50));
  }
}

// A page of its own; check() says what went wrong behind its back since the last call.
export async function openPage(browser, server, { dark = false, width = 1_300 } = {}) {
  const page = await browser.context.newPage();
  await page.setViewportSize({ width, height: 900 });
  await page.emulateMedia({ colorScheme: dark ? "dark" : "light" });
  const wrong = [];
  let tolerated = () => false;
  page.on("console", (message) => {
    if (message.type() === "error" && !tolerated(message.text())) wrong.push(message.text());
  });
  page.on("pageerror", (error) => wrong.push(error.stack));
  page.on("request", (request) => {
    if (!request.url().startsWith(server.url) && !request.url().startsWith("data:"))
      wrong.push(`asked ${request.url()}`);
  });
  page.setDefaultTimeout(15_000);
  return {
    page,
    tolerate(pattern) {
      tolerated = (text) => pattern.test(text);
    },
    async visit(address) {
      await page.goto(server.url + address);
      await page.locator("main h1").waitFor();
    },
    // Nothing sticks out to the side: what is wide scrolls in a region of its own.
    async fits(what) {
      const over = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      assert.ok(over <= 0, `${what} is ${over} px too wide`);
    },
    // A picture for people, where SLIPWAY_SHOTS names a folder.
    async shot(name) {
      const folder = process.env.SLIPWAY_SHOTS;
      if (folder) await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
    },
    // What a click on `button` saves, as text, with the file's name.
    async saved(button) {
      const [download] = await Promise.all([page.waitForEvent("download"), button.click()]);
      return {
        name: download.suggestedFilename(),
        text: readFileSync(await download.path(), "utf8"),
      };
    },
    check() {
      assert.deepEqual(wrong, []);
    },
    // No finding of axe-core, of any weight. The test script is let past the page's policy by the
    // debugger's door, not by the page.
    async accessible(what) {
      const door = await browser.context.newCDPSession(page);
      await door.send("Runtime.evaluate", { expression: AXE });
      const found = await page.evaluate(async () =>
        (await window.axe.run()).violations.map(
          (one) => `${one.id}: ${one.nodes[0].html.slice(0, 200)} ${one.nodes[0].failureSummary}`,
        ),
      );
      await door.detach();
      assert.deepEqual(found, [], what);
    },
  };
}
