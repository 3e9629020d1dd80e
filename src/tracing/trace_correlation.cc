// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <iterator>

#include "tracing/trace_metrics.h"
#include "tracing/trace_search.h"

namespace slipway::tracing {
namespace {

constexpr double kJeffreysPrior = 0.5;

std::vector<std::int64_t> matching(storage::Session& session,
                                   const std::vector<std::int64_t>& experiments,
                                   const std::string& base, const std::string& filter) {
  const std::string both = base.empty() ? filter : base + " and " + filter;
  std::vector<std::int64_t> keys = matching_traces(session, experiments, both);
  std::sort(keys.begin(), keys.end());
  return keys;
}

}  // namespace

std::optional<double> npmi(double both, double first_only, double second_only, double neither,
                           double smoothing) {
  const double joint = both + smoothing;
  const double first = joint + first_only + smoothing;
  const double second = joint + second_only + smoothing;
  const double total = first + second_only + smoothing + neither + smoothing;
  if (first <= 0 || second <= 0 || joint <= 0) return std::nullopt;
  if (first_only == 0 && second_only == 0 && neither == 0) return 1.0;
  const double information =
      (std::log(joint) + std::log(total)) - (std::log(first) + std::log(second));
  return std::clamp(information / -(std::log(joint) - std::log(total)), -1.0, 1.0);
}

FilterCorrelation correlate_filters(storage::Session& session,
                                    const std::vector<std::int64_t>& experiment_ids,
                                    const std::string& first, const std::string& second,
                                    const std::string& base) {
  const auto ones = matching(session, experiment_ids, base, first);
  const auto twos = matching(session, experiment_ids, base, second);
  const auto all = matching_traces(session, experiment_ids, base);
  std::vector<std::int64_t> joint;
  std::set_intersection(ones.begin(), ones.end(), twos.begin(), twos.end(),
                        std::back_inserter(joint));
  FilterCorrelation result;
  result.total = static_cast<std::int64_t>(all.size());
  result.first = static_cast<std::int64_t>(ones.size());
  result.second = static_cast<std::int64_t>(twos.size());
  result.joint = static_cast<std::int64_t>(joint.size());
  if (ones.empty() || twos.empty()) return result;
  const auto both = static_cast<double>(joint.size());
  const double one_only = static_cast<double>(ones.size()) - both;
  const double two_only = static_cast<double>(twos.size()) - both;
  const double neither = static_cast<double>(all.size()) - both - one_only - two_only;
  result.npmi = joint.empty() ? -1.0 : npmi(both, one_only, two_only, neither, 0);
  result.npmi_smoothed = npmi(both, one_only, two_only, neither, kJeffreysPrior);
  return result;
}

}  // namespace slipway::tracing
