// SPDX-License-Identifier: Apache-2.0
#include "base/sha256.h"

#include <gtest/gtest.h>

#include "base/id.h"

namespace slipway {
namespace {

TEST(Sha256Test, PiecesHashLikeTheWhole) {
  Sha256 empty;
  EXPECT_EQ(empty.finish_hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  Sha256 abc;
  abc.update("a");
  abc.update("");
  abc.update("bc");
  EXPECT_EQ(abc.finish_hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const std::string long_text(1'000'000, 'a');
  Sha256 pieces;
  for (std::size_t i = 0; i < long_text.size(); i += 777) {
    pieces.update(std::string_view{long_text}.substr(i, 777));
  }
  EXPECT_EQ(pieces.finish_hex(), sha256_hex(long_text));
}

}  // namespace
}  // namespace slipway
