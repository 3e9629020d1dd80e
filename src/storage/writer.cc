// SPDX-License-Identifier: Apache-2.0
#include "storage/writer.h"

#include <cassert>
#include <string>
#include <utility>

#include "base/error.h"

namespace slipway::storage {
namespace {

// What a fault has left open. A connection that is gone has nothing open.
void undo(Connection& connection, const char* sql) {
  if (!connection.in_transaction()) return;
  try {
    connection.run(sql);
  } catch (const Error&) {
    // The transaction has ended by itself: in_transaction() says so.
  }
}

}  // namespace

Writer::Writer(Session::State& connection, std::mutex* turn, std::int64_t queue_max)
    : state_(connection), turn_(turn), queue_max_(queue_max), thread_([this] { loop(); }) {}

Writer::~Writer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

// One write, inside a savepoint unless nothing else is in the transaction. Returns its Error, if it
// threw one.
std::exception_ptr Writer::run_one(Transaction& transaction, const Write& write, bool alone) {
  const std::size_t actions_before = state_.after_commit.size();
  try {
    if (!alone) transaction.execute("SAVEPOINT one_write");
    write(transaction);
    // What was sent has been done, or its fault is thrown here.
    if (!alone) transaction.changes();
    if (!alone) transaction.execute("RELEASE one_write");
    return nullptr;
  } catch (const std::exception&) {
    std::exception_ptr fault = std::current_exception();
    state_.after_commit.resize(actions_before);
    if (!alone) undo(*state_.connection, "ROLLBACK TO one_write; RELEASE one_write");
    return fault;
  }
}

// Fills `faults`, one a write; returns that of the group as a whole.
std::exception_ptr Writer::run_all(const std::vector<Queued>& group,
                                   std::vector<std::exception_ptr>& faults) {
  Connection& connection = *state_.connection;
  Transaction transaction(&state_);
  const bool alone = group.size() == 1;
  try {
    connection.begin();
    for (std::size_t i = 0; i < group.size(); ++i) {
      faults[i] = run_one(transaction, group[i].write, alone);
      // A full disk rolls the whole transaction back inside SQLite, and a lost connection does so
      // too: what came before is gone, so the group ends here.
      if (!connection.in_transaction()) return faults[i];
    }
    if (alone && faults.front()) {
      undo(connection, "ROLLBACK");
      return faults.front();
    }
    auto commit = transaction.prepare("COMMIT");
    commit.step();
    return nullptr;
  } catch (const std::exception&) {
    std::exception_ptr fault = std::current_exception();
    undo(connection, "ROLLBACK");
    return fault;
  }
}

void Writer::run_group(std::vector<Queued>& group) {
  std::vector<std::exception_ptr> faults(group.size());
  std::exception_ptr group_fault;
  {
    std::unique_lock<std::mutex> turn;
    if (turn_ != nullptr) turn = std::unique_lock<std::mutex>(*turn_);
    group_fault = run_all(group, faults);
  }
  std::vector<std::function<void()>> actions;
  actions.swap(state_.after_commit);
  if (!group_fault) {
    for (const auto& action : actions) action();
  }
  for (std::size_t i = 0; i < group.size(); ++i) {
    const std::exception_ptr fault = group_fault && !faults[i] ? group_fault : faults[i];
    if (group[i].done) group[i].done(fault);
  }
  if (!group_fault) state_.connection->committed();
}

void Writer::loop() {
  const std::size_t most =
      state_.connection->engine() == Engine::kPostgres ? kGroupWritesMaxPostgres : kGroupWritesMax;
  std::vector<Queued> group;
  for (;;) {
    group.clear();
    {
      std::unique_lock<std::mutex> lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      while (!queue_.empty() && group.size() < most) {
        group.push_back(std::move(queue_.front()));
        queue_.pop_front();
      }
    }
    run_group(group);
  }
}

void Writer::write_async(Write write, Done done) {
  {
    const std::lock_guard lock(mutex_);
    if (static_cast<std::int64_t>(queue_.size()) >= queue_max_) {
      throw Error(Code::kUnavailable,
                  "more than " + std::to_string(queue_max_) +
                      " writes are waiting for the store; try again in a moment");
    }
    queue_.push_back({std::move(write), std::move(done)});
  }
  changed_.notify_one();
}

void Writer::write(const Write& write) {
  assert(std::this_thread::get_id() != thread_.get_id());
  std::mutex mutex;
  std::condition_variable finished;
  bool done = false;
  std::exception_ptr fault;
  write_async(write, [&](std::exception_ptr outcome) {
    const std::lock_guard lock(mutex);
    fault = std::move(outcome);
    done = true;
    finished.notify_one();
  });
  std::unique_lock<std::mutex> lock(mutex);
  finished.wait(lock, [&] { return done; });
  if (fault) std::rethrow_exception(fault);
}

std::int64_t Writer::waiting() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::int64_t>(queue_.size());
}

}  // namespace slipway::storage
