// SPDX-License-Identifier: Apache-2.0
#include "stats/ranks.h"

#include <algorithm>
#include <numeric>

namespace slipway::stats {

Ranks average_ranks(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  Ranks result;
  result.rank.resize(values.size());
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin + 1;
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    const double rank = (static_cast<double>(begin + 1) + static_cast<double>(end)) / 2;
    for (std::size_t i = begin; i < end; ++i) result.rank[order[i]] = rank;
    const auto ties = static_cast<double>(end - begin);
    result.tie_term += ties * ties * ties - ties;
    begin = end;
  }
  return result;
}

}  // namespace slipway::stats
