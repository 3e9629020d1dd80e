// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "storage/session.h"
#include "storage/session_state.h"

namespace slipway::storage {

// Connections for readers, opened when they are first needed. Who finds none free waits for one.
class ReadPool {
 public:
  using Open = std::function<std::unique_ptr<Connection>()>;

  ReadPool(Open open, int readers_max);
  ReadPool(const ReadPool&) = delete;
  ReadPool& operator=(const ReadPool&) = delete;

  // Runs `work` on the calling thread, in a transaction that is rolled back.
  void read(const std::function<void(Session&)>& work);

 private:
  class Loan;

  const Open open_;
  const int readers_max_;
  std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<std::unique_ptr<Session::State>> free_;  // guarded by mutex_
  int made_ = 0;                                       // guarded by mutex_
};

}  // namespace slipway::storage
