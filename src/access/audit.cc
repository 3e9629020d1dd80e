// SPDX-License-Identifier: Apache-2.0
#include "access/audit.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/error.h"
#include "base/log.h"

namespace slipway::access {
namespace {

// Whole characters: an answer is UTF-8.
void cut(std::string& text) {
  if (text.size() <= Audit::kTextBytesMax) return;
  std::size_t end = Audit::kTextBytesMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  text.resize(end);
}

void insert(storage::Transaction& transaction, const std::vector<AuditEntry>& entries) {
  for (const AuditEntry& entry : entries) {
    transaction.execute(
        "INSERT INTO audit (at, actor, peer, method, route, resource, status, times) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        entry.at, entry.actor, entry.peer, entry.method, entry.route, entry.resource, entry.status,
        entry.times);
  }
}

}  // namespace

Audit::Audit(storage::Database& database, const Clock& clock)
    : database_(database), clock_(clock) {}

Audit::~Audit() {
  flush();
  // Writes that were handed over before use this object; behind this one none is left.
  try {
    database_.write([](storage::Transaction&) {});
  } catch (const Error& error) {
    log::warning("the store took nothing at the end", {{"reason", error.what()}});
  }
}

void Audit::keep(AuditEntry entry) {
  if (waiting_.size() < kWaitingMax) waiting_.push_back(std::move(entry));
}

void Audit::changed(AuditEntry entry) {
  cut(entry.resource);
  entry.at = clock_.now();
  {
    const MutexLock lock(mutex_);
    close_windows(entry.at, false);
    keep(std::move(entry));
  }
  write_soon();
}

void Audit::refused(AuditEntry entry) {
  cut(entry.resource);
  entry.at = clock_.now();
  {
    const MutexLock lock(mutex_);
    close_windows(entry.at, false);
    Kind kind(entry.actor, entry.peer, entry.route, entry.status);
    if (counts_.size() >= kKindsMax && !counts_.contains(kind)) {
      kind = {"others", "", "", entry.status};
      entry.actor = "others";
      entry.peer.clear();
      entry.route.clear();
      entry.resource.clear();
    }
    Count& count = counts_[std::move(kind)];
    if (count.begun == 0) count.begun = entry.at;
    count.last = entry;
    if (++count.seen <= kRefusalsWhole) keep(std::move(entry));
  }
  write_soon();
}

// What came after the ones that were kept becomes one entry.
void Audit::close_windows(TimeUs now, bool all) {
  if (!all && now < next_close_) return;
  next_close_ = std::numeric_limits<TimeUs>::max();
  for (auto at = counts_.begin(); at != counts_.end();) {
    Count& count = at->second;
    const TimeUs end = count.begun + kRefusalsWindowUs;
    if (!all && now < end) {
      next_close_ = std::min(next_close_, end);
      ++at;
      continue;
    }
    if (count.seen > kRefusalsWhole) {
      count.last.times = count.seen - kRefusalsWhole;
      keep(std::move(count.last));
    }
    at = counts_.erase(at);
  }
  // New windows begin after this one's look and end later than it.
  next_close_ = std::min(next_close_, now + kRefusalsWindowUs);
}

// What gathers until the writer comes to it goes in one write.
void Audit::write_soon() {
  {
    const MutexLock lock(mutex_);
    if (waiting_.empty()) return;
  }
  try {
    database_.write_async(
        [this](storage::Transaction& transaction) {
          std::vector<AuditEntry> entries;
          {
            const MutexLock lock(mutex_);
            entries.swap(waiting_);
          }
          insert(transaction, entries);
        },
        [](const std::exception_ptr& fault) {
          if (!fault) return;
          try {
            std::rethrow_exception(fault);
          } catch (const std::exception& error) {
            log::error("the audit record could not be written", {{"reason", error.what()}});
          }
        });
  } catch (const Error& error) {
    // A full queue: the entries wait for the next one.
    log::warning("the audit record waits", {{"reason", error.what()}});
  }
}

void Audit::flush() {
  std::vector<AuditEntry> entries;
  {
    const MutexLock lock(mutex_);
    close_windows(clock_.now(), true);
    entries.swap(waiting_);
  }
  if (entries.empty()) return;
  try {
    database_.write([&](storage::Transaction& transaction) { insert(transaction, entries); });
  } catch (const Error& error) {
    log::error("the audit record could not be written", {{"reason", error.what()}});
  }
}

std::vector<AuditEntry> list_audit(storage::Session& session, const AuditFilter& filter) {
  if (filter.limit < 1 || filter.limit > kAuditPageMax) {
    throw Error(Code::kInvalidArgument,
                "limit must be between 1 and " + std::to_string(kAuditPageMax));
  }
  const std::int64_t before =
      filter.before_seq > 0 ? filter.before_seq : std::numeric_limits<std::int64_t>::max();
  const std::int64_t least_status = filter.refused_only ? 400 : 0;
  const std::string columns =
      "SELECT seq, at, actor, peer, method, route, resource, status, times FROM audit WHERE ";
  auto row = filter.actor.empty()
                 ? session.query(columns + "seq < ?1 AND status >= ?2 ORDER BY seq DESC LIMIT ?3",
                                 before, least_status, filter.limit)
                 : session.query(columns +
                                     "actor = ?4 AND seq < ?1 AND status >= ?2 "
                                     "ORDER BY seq DESC LIMIT ?3",
                                 before, least_status, filter.limit, filter.actor);
  std::vector<AuditEntry> entries;
  while (row.step()) {
    entries.push_back({row.int64(0), row.int64(1), row.text(2), row.text(3), row.text(4),
                       row.text(5), row.text(6), static_cast<int>(row.int64(7)), row.int64(8)});
  }
  return entries;
}

}  // namespace slipway::access
