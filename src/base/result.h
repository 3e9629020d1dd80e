// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cassert>
#include <utility>
#include <variant>

#include "base/error.h"

namespace slipway {

// A value, or the Error that took its place. For results that cross a thread or callback boundary,
// and for per-item results of a batch; everywhere else an Error is thrown.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return std::holds_alternative<T>(state_); }
  const Error& error() const {
    assert(!ok());
    return std::get<Error>(state_);
  }

  // The value; throws the Error if there is none.
  T& value() & {
    if (!ok()) throw Error(error());
    return std::get<T>(state_);
  }
  const T& value() const& {
    if (!ok()) throw Error(error());
    return std::get<T>(state_);
  }
  T&& value() && {
    if (!ok()) throw Error(error());
    return std::get<T>(std::move(state_));
  }

 private:
  std::variant<T, Error> state_;
};

}  // namespace slipway
