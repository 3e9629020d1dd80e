// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "load/http_client.h"

namespace slipway::bench {

// What one client asks, one request after the other. Requests are made by changing a few bytes of a
// ready one, so that the driver costs little of the cores that it shares with the server.
class Work {
 public:
  virtual ~Work() = default;
  // Bytes of the next request, valid until the next call.
  virtual std::string_view next() = 0;
  // The body of the answer to it (status 200).
  virtual void answered(std::string_view body) = 0;
  // Units in which the work counts (points, calls, runs) that the answers so far completed.
  virtual std::size_t units() const = 0;
};

struct WorkOptions {
  std::size_t keys = 10;    // log-batch: metrics a step
  std::size_t steps = 100;  // log-batch: steps a call
  std::size_t runs = 300;   // log-batch: fresh runs of each client
  std::string path;         // post: the path
  std::string body;         // post: the body
};

using MakeWork = std::function<std::unique_ptr<Work>(std::size_t client)>;

// The kinds of work:
//   log-metric  one point a call, each client into a run of its own
//   log-batch   keys x steps points a call; a fresh run every ten calls, made before the clock
//               runs. Throws std::runtime_error when all are used up, as the figure would not be of
//               fresh runs any more
//   run         what `with mlflow.start_run(): log_params(20); log_metrics(20)` sends
//   post        the same body again and again
// Throws std::invalid_argument on an unknown name.
MakeWork work_named(std::string_view name, const Target& target, const WorkOptions& options);

}  // namespace slipway::bench
