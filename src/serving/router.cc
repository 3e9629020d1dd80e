// SPDX-License-Identifier: Apache-2.0
#include "serving/router.h"

#include <cmath>

#include "base/id.h"

namespace slipway::serving {

Arm choose_arm(std::uint64_t seed, const PredictionId& id, double weight) {
  if (!(weight > 0)) return Arm::kChampion;
  if (weight >= 1) return Arm::kChallenger;
  const std::uint64_t hash = stable_hash64(seed, std::to_string(id.seq));
  return static_cast<double>(hash) < std::ldexp(weight, 64) ? Arm::kChallenger : Arm::kChampion;
}

Router::Router() : table_(std::make_shared<const RoutingTable>()) {}

std::shared_ptr<const RoutingTable> Router::table() const {
  const MutexLock lock(mutex_);
  return table_;
}

std::shared_ptr<const Route> Router::find(std::string_view endpoint) const {
  const auto current = table();
  const auto found = current->find(endpoint);
  return found == current->end() ? nullptr : found->second;
}

void Router::replace(std::shared_ptr<const RoutingTable> table) {
  {
    const MutexLock lock(mutex_);
    table_.swap(table);
  }
  // The old one, and models that only it held, are freed here, without the lock.
}

}  // namespace slipway::serving
