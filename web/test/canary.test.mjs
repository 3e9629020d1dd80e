// SPDX-License-Identifier: Apache-2.0
// The interval that the page draws: against the program's own calculator, and by trying it.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { build } from "esbuild";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { program } from "./world.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const built = await build({
  entryPoints: [join(here, "../src/canary.ts")],
  bundle: true,
  format: "esm",
  write: false,
});
const { difference, logEvidence } = await import(
  "data:text/javascript;base64," + Buffer.from(built.outputFiles[0].contents).toString("base64")
);

const arms = (challenger, champion) => ({
  challenger: { bad: challenger[0], good: challenger[1] },
  champion: { bad: champion[0], good: champion[1] },
});
const step = (weight, c0, challenger, champion) => ({
  weight,
  c0: { error: c0 },
  counters: { error: arms(challenger, champion) },
});

const CASES = [
  [
    [0.25, 0, [0, 640], [0, 1953]],
    [0.5, 0, [0, 506], [0, 467]],
  ],
  [[0.25, 0.1, [70, 430], [150, 1350]]],
  [
    [0.25, 0.02, [90, 160], [15, 735]],
    [0.5, 0.05, [20, 80], [6, 94]],
  ],
  [[0.05, 0.3, [1, 30], [190, 400]]],
];

test("e-values are those of slipway stats, and the interval is where they turn", () => {
  for (const steps of CASES) {
    const delta = 0.02;
    const answer = spawnSync(program, ["stats", "canary-e-process"], {
      input: JSON.stringify({
        steps: steps.map(([w, c0, canary, stable]) => ({ w, c0, canary, stable })),
        delta,
      }),
      encoding: "utf8",
    });
    assert.equal(answer.status, 0, answer.stderr);
    const { log_rollback_e, log_promote_e } = JSON.parse(answer.stdout);
    const shown = steps.map((one) => step(...one));
    const promote = logEvidence(shown, "error", delta, true),
      back = logEvidence(shown, "error", 0, false);
    assert.ok(Math.abs(promote - log_promote_e) < 1e-9, `${promote} ${log_promote_e}`);
    assert.ok(Math.abs(back - log_rollback_e) < 1e-9, `${back} ${log_rollback_e}`);
    const { lo, hi, estimate } = difference(shown, "error", 0.05, 0.05);
    assert.ok(lo <= estimate && estimate <= hi, `${lo} ${estimate} ${hi}`);
    assert.equal(hi < delta, log_promote_e >= Math.log(20));
    assert.equal(lo > 0, log_rollback_e >= Math.log(20));
    for (const [end, below] of [
      [hi, true],
      [lo, false],
    ])
      if (Math.abs(end) < 1)
        assert.ok(Math.abs(logEvidence(shown, "error", end, below) - Math.log(20)) < 1e-3);
  }
});

test("with the arms exchanged at one half the interval is mirrored; without answers it says nothing", () => {
  const one = difference([step(0.5, 0.1, [30, 170], [12, 190])], "error", 0.05, 0.05);
  const other = difference([step(0.5, 0.1, [12, 190], [30, 170])], "error", 0.05, 0.05);
  assert.ok(Math.abs(one.lo + other.hi) < 1e-6 && Math.abs(one.hi + other.lo) < 1e-6);
  assert.ok(Math.abs(one.estimate + other.estimate) < 1e-12);
  assert.deepEqual(difference([], "error", 0.05, 0.05), {
    estimate: null,
    lo: -1,
    hi: 1,
    challenger: { bad: 0, good: 0 },
    champion: { bad: 0, good: 0 },
  });
});

// Small and the same everywhere (mulberry32).
function random(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

test("looked at after every fifty requests, either end is wrong in at most one of twenty rollouts", () => {
  const ROLLOUTS = 400;
  for (const [champion, challenger] of [
    [0.02, 0.02],
    [0.05, 0.15],
    [0.3, 0.02],
  ]) {
    const next = random(20130101);
    let low = 0,
      high = 0;
    for (let rollout = 0; rollout < ROLLOUTS; ++rollout) {
      const steps = [0.25, 0.5].map((w) => step(w, champion, [0, 0], [0, 0]));
      let below = false,
        above = false;
      for (const one of steps)
        for (let request = 1; request <= 500; ++request) {
          const arm = next() < one.weight ? "challenger" : "champion";
          const bad = next() < (arm === "challenger" ? challenger : champion);
          ++one.counters.error[arm][bad ? "bad" : "good"];
          if (request % 50) continue;
          const truth = challenger - champion;
          above ||= logEvidence(steps, "error", truth, true) >= Math.log(20);
          below ||= logEvidence(steps, "error", truth, false) >= Math.log(20);
        }
      low += below;
      high += above;
    }
    console.log(`${champion} against ${challenger}: ${low} and ${high} of ${ROLLOUTS} wrong`);
    assert.ok(low <= ROLLOUTS / 20 && high <= ROLLOUTS / 20, `${low} ${high}`);
  }
});
