// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "storage/database.h"

namespace slipway::access {

// One request that the record keeps: who asked for what, and what became of it.
struct AuditEntry {
  std::int64_t seq = 0;  // 1, 2, 3 … in the order of being written
  TimeUs at = 0;         // of the last, where `times` is more than 1
  std::string actor;     // "user:NAME", "token:server", "nobody" …
  std::string peer;      // its address
  std::string method;
  std::string route;     // the pattern: "/api/2.0/mlflow/users/create"
  std::string resource;  // what it was about, as the request named it; "" = it did not
  int status = 0;        // HTTP
  std::int64_t times = 1;
};

// The record of changes and refusals. Entries are handed to the store's writer and share its
// commits; no request waits for them, so that the last few milliseconds before a kill may be
// missing. Refusals can be had by anybody in any number: of one kind (actor, peer, route, status)
// the first kRefusalsWhole in a minute are kept one by one, the rest as one entry that counts.
// Thread-safe.
class Audit {
 public:
  static constexpr std::int64_t kRefusalsWhole = 10;
  static constexpr TimeUs kRefusalsWindowUs = 60'000'000;
  static constexpr std::size_t kKindsMax = 1'000;     // of refusals under way; more count as one
  static constexpr std::size_t kWaitingMax = 10'000;  // entries not yet written; more are dropped
  static constexpr std::size_t kTextBytesMax = 256;   // of `resource`

  Audit(storage::Database& database, const Clock& clock);
  ~Audit();  // writes what was counted

  void changed(AuditEntry entry);  // `at` is set here
  void refused(AuditEntry entry);

  // Waits until everything is written: for tests and the end.
  void flush();

 private:
  using Kind = std::tuple<std::string, std::string, std::string, int>;
  struct Count {
    TimeUs begun = 0;
    std::int64_t seen = 0;  // in this window, those kept one by one among them
    AuditEntry last;
  };

  void keep(AuditEntry entry) REQUIRES_LOCK(mutex_);
  void close_windows(TimeUs now, bool all) REQUIRES_LOCK(mutex_);
  void write_soon();

  storage::Database& database_;
  const Clock& clock_;
  Mutex mutex_;
  std::vector<AuditEntry> waiting_ GUARDED_BY(mutex_);
  std::map<Kind, Count> counts_ GUARDED_BY(mutex_);
  TimeUs next_close_ GUARDED_BY(mutex_) = 0;
};

struct AuditFilter {
  std::string actor;            // "" = any
  std::int64_t before_seq = 0;  // 0 = from the newest
  bool refused_only = false;
  std::int64_t limit = 100;
};
inline constexpr std::int64_t kAuditPageMax = 10'000;
std::vector<AuditEntry> list_audit(storage::Session& session, const AuditFilter& filter);  // newest
                                                                                           // first

}  // namespace slipway::access
