// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <list>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "access/account.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "storage/database.h"

namespace slipway::access {

// What a request presents: a token (Bearer, or as the password of Basic), or name and password.
struct Credential {
  std::string username;  // "" for a token
  std::string secret;
  bool is_token = false;
};
// From an Authorization header; nullopt when it is none of these.
std::optional<Credential> read_credential(std::optional<std::string_view> authorization);

// Who a credential belongs to.
struct SignedIn {
  Account account;
  bool by_token = false;
};

// Finds out whose a credential is. A password costs tens of milliseconds and tens of megabytes to
// check, so what was found is remembered under a keyed hash of the credential: a request after the
// first costs a microsecond. What is remembered is forgotten after kRememberedUs, and at once when
// an account or a token changes in this process. Names that nobody has cost as much as wrong
// passwords, and are answered alike. Thread-safe.
class SignIn {
 public:
  struct Options {
    std::size_t remembered_max = 10'000;  // the oldest make room
    int checks_max = 2;                   // passwords checked at once
  };
  static constexpr TimeUs kRememberedUs = 60'000'000;
  static constexpr TimeUs kRefusalRememberedUs = 5'000'000;
  static constexpr int kWaitingMax = 3;

  SignIn(storage::Database& database, const Clock& clock);
  SignIn(storage::Database& database, const Clock& clock, const Options& options);

  // Whether the store has an account, and so is closed to those who have none.
  bool has_accounts() const { return has_accounts_.load(std::memory_order_acquire); }

  // From memory alone. The outer nullopt: not known, ask check(); the inner one: refused.
  std::optional<std::optional<SignedIn>> remembered(const Credential& credential);

  // Blocks. nullopt: refused. Throws kUnavailable when checks_max others are being checked and
  // kWaitingMax wait: better than to let strangers take all threads and memory.
  std::optional<SignedIn> check(const Credential& credential);

  // Within a write that changes accounts, passwords or tokens: forgets once it is committed.
  void note_change(storage::Transaction& transaction);

 private:
  struct Entry {
    std::string key;
    std::optional<SignedIn> found;
    TimeUs until = 0;
  };

  std::string key_of(const Credential& credential) const;
  std::optional<SignedIn> look_up(const Credential& credential, TimeUs& until);
  std::optional<SignedIn> check_password_of(const Credential& credential);
  void remember(const std::string& key, const std::optional<SignedIn>& found, TimeUs until,
                std::uint64_t generation);

  storage::Database& database_;
  const Clock& clock_;
  const Options options_;
  std::array<std::uint8_t, 32> secret_{};  // constant after construction
  std::atomic<bool> has_accounts_{false};

  Mutex mutex_;
  CondVar done_;
  std::list<Entry> newest_first_ GUARDED_BY(mutex_);
  std::unordered_map<std::string, std::list<Entry>::iterator> by_key_ GUARDED_BY(mutex_);
  std::set<std::string> under_way_ GUARDED_BY(mutex_);
  int waiting_ GUARDED_BY(mutex_) = 0;
  std::uint64_t generation_ GUARDED_BY(mutex_) = 0;
};

}  // namespace slipway::access
