// SPDX-License-Identifier: Apache-2.0
#include "base/sha256.h"

#include <array>
#include <openssl/evp.h>
#include <span>

#include "base/error.h"
#include "base/id.h"

namespace slipway {

struct Sha256::State {
  EVP_MD_CTX* context = ::EVP_MD_CTX_new();
  ~State() { ::EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  if (state_->context == nullptr ||
      ::EVP_DigestInit_ex(state_->context, ::EVP_sha256(), nullptr) != 1) {
    throw Error(Code::kInternal, "the cryptography library offers no SHA-256");
  }
}

Sha256::~Sha256() = default;

void Sha256::update(std::string_view bytes) {
  if (::EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) != 1) {
    throw Error(Code::kInternal, "SHA-256 failed");
  }
}

std::string Sha256::finish_hex() {
  std::array<std::uint8_t, 32> digest{};
  unsigned length = 0;
  if (::EVP_DigestFinal_ex(state_->context, digest.data(), &length) != 1) {
    throw Error(Code::kInternal, "SHA-256 failed");
  }
  return to_hex(std::span<const std::uint8_t>(digest.data(), length));
}

}  // namespace slipway
