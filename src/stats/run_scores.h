// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "stats/paired_proportion.h"

namespace slipway::stats {

// Comparing recipes by the scores of several runs.

// Pairs of runs needed to see with a one-sided test at level alpha that one recipe outperforms the
// other with probability gamma: ((z_(1-alpha) + z_power) / (sqrt(6) (1/2 - gamma)))^2.
//   gamma in (0, 1), not 1/2; alpha and power in (0, 1); throws kInvalidArgument naming the
//   argument source  Noether, JASA 82 (1987); Bouthillier et al., MLSys 2021 recommend gamma = .75
SampleSize noether_sample_size(double gamma, double alpha = 0.05, double power = 0.8);

struct Outperforming {
  double estimate = 0;  // (wins + ties/2) / n
  std::int64_t wins = 0;
  std::int64_t ties = 0;
  std::int64_t losses = 0;
};

// How often a paired run of A beats that of B. x: differences a - b, at least one, else throws
// naming `x`.
//   source  Bouthillier et al., MLSys 2021
Outperforming probability_of_outperforming(std::span<const double> x);

using Scores = std::vector<std::vector<double>>;  // [run][task], rectangular, at least 1 x 1

struct AggregateScores {
  double mean = 0;            // of the task means
  double median = 0;          // of the task means
  double iqm = 0;             // mean of all cells after cutting int(n/4) of them from each end
  double optimality_gap = 0;  // gamma - mean of min(score, gamma)
};

//   throws  kInvalidArgument naming `s` when it is empty or ragged
//   source  Agarwal et al., NeurIPS 2021; rliable metrics (the deterministic parts)
AggregateScores aggregate_scores(const Scores& s, double gamma = 1);

struct ProbabilityOfImprovement {
  double estimate = 0;  // mean over tasks
  std::vector<double> per_task;
};

// For each task the share of pairs of runs in which x is better than y, ties half.
//   throws  kInvalidArgument naming `x` or `y` (empty, ragged, or another number of tasks)
//   source  rliable probability_of_improvement
ProbabilityOfImprovement probability_of_improvement(const Scores& x, const Scores& y);

struct StochasticOrder {
  double violation_ratio = 0;  // 0: a is at least as good at every quantile; 1: at none
  std::string note;            // when both samples are equal: 1/2
};

// How far "a is stochastically at least as large as b" is from true: the integral of (F_a^-1 -
// F_b^-1)^2 where it is violated, over the whole integral. Exact on the merged steps of both
// quantile functions.
//   a, b    at least one finite value each; throws kInvalidArgument naming the other
//   source  del Barrio, Cuesta-Albertos & Matrán 2018; Dror, Shlomov & Reichart, ACL 2019
StochasticOrder stochastic_order(std::span<const double> a, std::span<const double> b);

}  // namespace slipway::stats
