// SPDX-License-Identifier: Apache-2.0
#include "access/sign_in.h"

#include <algorithm>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <utility>

#include "access/api_token.h"
#include "access/password.h"
#include "base/error.h"
#include "base/id.h"
#include "base/text.h"

namespace slipway::access {
namespace {

constexpr std::size_t kSecretBytesMax = 4'096;
// Opens an MLflow server that was never told another; here it opens no administrator's account,
// wherever its hash came from.
constexpr std::string_view kShippedByMlflow = "password1234";

bool starts_with_word(std::string_view text, std::string_view word) {
  return text.size() > word.size() && text[word.size()] == ' ' &&
         same_ignoring_case(text.substr(0, word.size()), word);
}

bool looks_like_token(std::string_view secret) {
  return secret.starts_with(kApiTokenPrefix) || secret.starts_with("slp_") ||
         secret.starts_with("slst_");
}

}  // namespace

std::optional<Credential> read_credential(std::optional<std::string_view> authorization) {
  if (!authorization) return std::nullopt;
  const std::string_view header = trimmed(*authorization);
  if (starts_with_word(header, "bearer")) {
    const std::string_view token = trimmed(header.substr(7));
    if (token.empty()) return std::nullopt;
    return Credential{"", std::string(token), true};
  }
  if (!starts_with_word(header, "basic")) return std::nullopt;
  std::string pair;
  if (!base64_decode(trimmed(header.substr(6)), pair)) return std::nullopt;
  const std::size_t colon = pair.find(':');
  if (colon == std::string::npos || colon + 1 == pair.size()) return std::nullopt;
  std::string secret = pair.substr(colon + 1);
  // MLflow's client sends a token as a password where it has no other place for it.
  if (looks_like_token(secret)) return Credential{"", std::move(secret), true};
  return Credential{pair.substr(0, colon), std::move(secret), false};
}

SignIn::SignIn(storage::Database& database, const Clock& clock)
    : SignIn(database, clock, Options()) {}

SignIn::SignIn(storage::Database& database, const Clock& clock, const Options& options)
    : database_(database), clock_(clock), options_(options) {
  random_bytes(secret_);
  database_.read([this](storage::Session& session) { has_accounts_ = any_account(session); });
}

// The credential itself is not kept: what a dump of this memory shows opens nothing.
std::string SignIn::key_of(const Credential& credential) const {
  std::string text(1, credential.is_token ? 't' : 'p');
  text += credential.username;
  text += '\0';
  text += credential.secret;
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> out{};
  unsigned int size = 0;
  HMAC(EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()),
       reinterpret_cast<const unsigned char*>(text.data()),  // NOLINT: OpenSSL takes bytes
       text.size(), out.data(), &size);
  return {out.begin(), out.begin() + size};
}

std::optional<std::optional<SignedIn>> SignIn::remembered(const Credential& credential) {
  if (credential.secret.size() > kSecretBytesMax) return std::optional<SignedIn>();
  const std::string key = key_of(credential);
  const TimeUs now = clock_.now();
  const MutexLock lock(mutex_);
  const auto found = by_key_.find(key);
  if (found == by_key_.end() || found->second->until <= now) return std::nullopt;
  return found->second->found;
}

std::optional<SignedIn> SignIn::check_password_of(const Credential& credential) {
  std::string hash;
  std::optional<Account> account;
  database_.read([&](storage::Session& session) {
    account = find_account(session, credential.username);
    if (account) hash = password_hash_of(session, credential.username);
  });
  if (!account) {
    waste_as_much_time(credential.secret);
    return std::nullopt;
  }
  const bool fits = password_matches(hash, credential.secret);
  if (!fits || (account->is_admin && credential.secret == kShippedByMlflow)) return std::nullopt;
  return SignedIn{*account, false};
}

std::optional<SignedIn> SignIn::look_up(const Credential& credential, TimeUs& until) {
  if (!credential.is_token) return check_password_of(credential);
  const auto holder =
      database_.read_returning<std::optional<TokenHolder>>([&](storage::Session& session) {
        return find_token_holder(session, credential.secret, clock_.now());
      });
  if (!holder) return std::nullopt;
  if (holder->expires_at) until = std::min(until, *holder->expires_at);
  return SignedIn{holder->account, true};
}

std::optional<SignedIn> SignIn::check(const Credential& credential) {
  if (credential.secret.size() > kSecretBytesMax) return std::nullopt;
  const std::string key = key_of(credential);
  std::uint64_t generation = 0;
  {
    const MutexLock lock(mutex_);
    while (under_way_.contains(key) ||
           under_way_.size() >= static_cast<std::size_t>(options_.checks_max)) {
      const bool same = under_way_.contains(key);
      if (!same && waiting_ >= kWaitingMax) {
        throw Error(Code::kUnavailable,
                    "too many passwords are being checked now; try again in a moment");
      }
      if (!same) ++waiting_;
      done_.wait(mutex_);
      if (!same) --waiting_;
      const auto found = by_key_.find(key);  // perhaps somebody asked the same
      if (found != by_key_.end() && found->second->until > clock_.now())
        return found->second->found;
    }
    under_way_.insert(key);
    generation = generation_;
  }
  const auto ended = [&] {
    const MutexLock lock(mutex_);
    under_way_.erase(key);
    done_.notify_all();
  };
  std::optional<SignedIn> found;
  TimeUs until = clock_.now() + kRememberedUs;
  try {
    found = look_up(credential, until);
  } catch (const std::exception&) {
    ended();
    throw;
  }
  if (!found) until = clock_.now() + kRefusalRememberedUs;
  remember(key, found, until, generation);
  ended();
  return found;
}

void SignIn::remember(const std::string& key, const std::optional<SignedIn>& found, TimeUs until,
                      std::uint64_t generation) {
  const MutexLock lock(mutex_);
  if (generation != generation_) return;  // what was read may be wrong by now
  if (const auto old = by_key_.find(key); old != by_key_.end()) {
    newest_first_.erase(old->second);
    by_key_.erase(old);
  }
  newest_first_.push_front({key, found, until});
  by_key_[key] = newest_first_.begin();
  if (newest_first_.size() > options_.remembered_max) {
    by_key_.erase(newest_first_.back().key);
    newest_first_.pop_back();
  }
}

void SignIn::note_change(storage::Transaction& transaction) {
  const bool any = any_account(transaction);
  transaction.after_commit([this, any] {
    const MutexLock lock(mutex_);
    ++generation_;
    by_key_.clear();
    newest_first_.clear();
    has_accounts_.store(any, std::memory_order_release);
  });
}

}  // namespace slipway::access
