// SPDX-License-Identifier: Apache-2.0
// What a rollout's counters say, as anybody can compute it: e-values, and the interval of the
// difference that they amount to. docs/formats/events.md tells where the server's numbers are.
import type { Arms, Cell, RolloutStep } from "./api";

export const LOSSES = ["error", "slow", "nan"];

export const cell = (step: RolloutStep, loss: string, arm: keyof Arms): Cell =>
  step.counters?.[loss]?.[arm] ?? { bad: 0, good: 0 };

export const requests = (step: RolloutStep) =>
  (["champion", "challenger"] as const).reduce((sum, arm) => {
    const one = cell(step, "error", arm);
    return sum + one.bad + one.good;
  }, 0);

const base = (step: RolloutStep, loss: string) =>
  (Array.isArray(step.c0) ? step.c0[LOSSES.indexOf(loss)] : step.c0?.[loss]) ?? 0;

const BETS = Array.from({ length: 20 }, (_, j) => 0.9 * 2 ** (-j / 2));
const BET_MOST = 0.95; // of what would lose everything at once

// log e against "the challenger's share of bad answers is worse by `margin` or more" (`below`), or
// "by `margin` or less": the mean over twenty bets of the product over steps and cells. With the
// rollout's delta it is the evidence for promotion, with 0 that for rollback.
export function logEvidence(
  steps: RolloutStep[],
  loss: string,
  margin: number,
  below: boolean,
): number {
  const sign = below ? 1 : -1;
  const logs = BETS.map((bet) => {
    let log = 0;
    for (const step of steps) {
      const w = step.weight,
        least = Math.min(w, 1 - w),
        c0 = base(step, loss);
      // Far on the other side of 0 a bet could lose more than there is: it is made smaller, which
      // it may be as long as that does not depend on the answers.
      const stake = Math.min(bet, BET_MOST / (1 + least * Math.max(0, -sign * margin))) * least;
      for (const [arm, share] of [
        ["challenger", 1 / w],
        ["champion", -1 / (1 - w)],
      ] as const) {
        const counted = cell(step, loss, arm);
        for (const [n, y] of [
          [counted.bad, 1],
          [counted.good, 0],
        ] as const)
          log += n * Math.log1p(stake * sign * (margin - (y - c0) * share));
      }
    }
    return log;
  });
  const most = Math.max(...logs);
  return most + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - most), 0) / BETS.length);
}

export interface Difference {
  estimate: number | null; // challenger's share of bad answers less the champion's; null: no rows
  lo: number;
  hi: number;
  challenger: Cell;
  champion: Cell;
}

const SCAN = 200;

// The differences that the counters do not speak against: below `lo` the evidence is 1/alphaLo or
// more, above `hi` 1/alphaHi, so the interval may be looked at as often as one likes. Every `hi`
// below delta is what promotes; a `lo` above 0, with alphaLo the rollout's over the number of
// losses, is what rolls back.
export function difference(
  steps: RolloutStep[],
  loss: string,
  alphaLo: number,
  alphaHi: number,
): Difference {
  const sum = (arm: keyof Arms) =>
    steps.reduce(
      (all, step) => {
        const one = cell(step, loss, arm);
        return { bad: all.bad + one.bad, good: all.good + one.good };
      },
      { bad: 0, good: 0 },
    );
  const challenger = sum("challenger"),
    champion = sum("champion");
  const n = challenger.bad + challenger.good,
    m = champion.bad + champion.good;
  return {
    estimate: n && m ? challenger.bad / n - champion.bad / m : null,
    lo: -edge((margin) => logEvidence(steps, loss, -margin, false) >= Math.log(1 / alphaLo)),
    hi: edge((margin) => logEvidence(steps, loss, margin, true) >= Math.log(1 / alphaHi)),
    challenger,
    champion,
  };
}

// The largest margin in [-1, 1] that is not spoken against, looking from above.
function edge(refuted: (margin: number) => boolean): number {
  let top = 1;
  if (!refuted(top)) return top;
  let low = -1;
  for (let at = 1; at <= SCAN; ++at) {
    const margin = 1 - (2 * at) / SCAN;
    if (!refuted(margin)) {
      low = margin;
      break;
    }
    top = margin;
  }
  if (top === -1) return -1;
  for (let turn = 0; turn < 30; ++turn) {
    const middle = (low + top) / 2;
    if (refuted(middle)) top = middle;
    else low = middle;
  }
  return top;
}
