// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "base/file.h"
#include "http/core.h"

namespace slipway::http {

// One io thread's world: an acceptor and the connections it took. The loop outlives its server
// where Responders do, and is deaf then.
class Loop {
 public:
  virtual ~Loop() = default;
  virtual void run() = 0;  // on the io thread; returns after stop()

  // From any thread; they return at once and take effect on the io thread.
  virtual void drain() = 0;      // no new connections, idle ones close, answers say `Connection:
                                 // close`, event streams end
  virtual void close_all() = 0;  // closes what is left
  virtual void stop() = 0;       // after this nothing of the Core is touched
};

// `listener` is a listening, non-blocking socket; accepting begins with run(). `core` lives until
// run() has returned.
std::shared_ptr<Loop> make_loop(Core& core, Fd listener);

}  // namespace slipway::http
