// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace slipway {

// SHA-256 (FIPS 180-4) of bytes that come piece by piece. Not thread-safe. Throws kInternal if the
// library has none.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void update(std::string_view bytes);

  // 64 lower-case hex digits of all that was given. REQUIRES: asked once, and no update()
  // afterwards.
  std::string finish_hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace slipway
