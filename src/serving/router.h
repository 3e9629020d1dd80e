// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "base/mutex.h"
#include "serving/endpoint.h"
#include "serving/prediction_record.h"
#include "serving/rollout.h"
#include "serving/served_version.h"

namespace slipway::serving {

// What an endpoint does with a request, as of one moment. Immutable.
struct Route {
  EndpointRow endpoint;
  std::shared_ptr<const ServedVersion> champion;    // null: nothing to serve, `problem` says why
  std::shared_ptr<const ServedVersion> challenger;  // null: no rollout is sending requests to one
  std::string rollout;  // id; "" = none, and requests count for no rollout
  int step = 0;
  double weight = 0;
  std::uint64_t seed = 0;
  std::string problem;   // why the desired version is not (yet) served; "" = it is
  bool loading = false;  // the reason: a wanted version is being loaded and probed, not tried again
};

// The arm of a request: stable_hash64(seed, "SEQ") < weight · 2^64, by the request's number alone,
// so that the same requests in the same order get the same arms on any machine. All rows of a
// request share it.
Arm choose_arm(std::uint64_t seed, const PredictionId& id, double weight);

using RoutingTable = std::map<std::string, std::shared_ptr<const Route>, std::less<>>;

// The table that requests look into. Readers take a shared pointer and keep what they took; a new
// table never waits for them. Thread-safe.
class Router {
 public:
  Router();
  std::shared_ptr<const RoutingTable> table() const;
  std::shared_ptr<const Route> find(std::string_view endpoint) const;  // null: no such endpoint
  void replace(std::shared_ptr<const RoutingTable> table);

 private:
  mutable Mutex mutex_;
  std::shared_ptr<const RoutingTable> table_ GUARDED_BY(mutex_);
};

}  // namespace slipway::serving
