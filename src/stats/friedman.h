// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace slipway::stats {

struct Friedman {
  std::vector<double> ranks;  // mean rank of each model, 1 = best
  double chi2 = 0;            // Demšar's formula on average ranks, without a correction for ties
  double p_chi2 = 1;          // k - 1 degrees of freedom
  double chi2_ties = 0;       // corrected for ties; NaN if every row is all ties
  double p_chi2_ties = 1;
  double f =
      0;  // Iman–Davenport: (N - 1) chi2 / (N (k - 1) - chi2); +inf where the rows agree completely
  double df1 = 0;  // k - 1
  double df2 = 0;  // (k - 1)(N - 1)
  double p_f = 1;
  std::string note;
};

// Do k models differ over N data sets?
//   scores  scores[data set][model], N and k >= 2, rectangular, finite; higher is better unless
//   `lower_is_better` throws  kInvalidArgument naming `scores` source  Friedman 1937; Iman &
//   Davenport 1980; Demšar, JMLR 7 (2006). chi2_ties is scipy.stats.friedmanchisquare
// Pure, thread-safe, O(N k log k).
Friedman friedman(const std::vector<std::vector<double>>& scores, bool lower_is_better = false);

struct Nemenyi {
  double q = 0;   // studentized range quantile (k, infinite degrees of freedom) / sqrt(2)
  double cd = 0;  // critical difference of mean ranks: q sqrt(k (k + 1) / (6 n))
  std::vector<std::vector<double>> p;  // of each pair, where ranks were given; 1 on the diagonal
  std::vector<std::pair<std::size_t, std::size_t>>
      different;  // pairs with a difference of at least cd, first < second
};

// Which pairs of k models differ over n data sets, family-wise.
//   k, n    >= 2; ranks: empty, or the k mean ranks; alpha in (0, 1)
//   throws  kInvalidArgument naming `k`, `n`, `ranks` or `alpha`
//   source  Nemenyi 1963; Demšar 2006
Nemenyi nemenyi(std::int64_t k, std::int64_t n, std::span<const double> ranks, double alpha = 0.05);

// P(Q > q) of the range of k independent standard normals (studentized range with infinite degrees
// of freedom); computed as a tail, relative error 1e-11. REQUIRES k >= 2, q finite.
double studentized_range_sf(double q, std::int64_t k);
double studentized_range_quantile_upper(double p,
                                        std::int64_t k);  // the q with sf(q) = p; 0 < p < 1

}  // namespace slipway::stats
