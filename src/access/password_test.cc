// SPDX-License-Identifier: Apache-2.0
#include "access/password.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace slipway::access {
namespace {

// Made by Werkzeug 3.1 of the password "a-password-of-ann".
struct Known {
  const char* method;
  const char* hash;
};
constexpr Known kKnown[] = {
    {"scrypt",
     "scrypt:32768:8:1$CF8S9BZpCdlmV2BN$f43e531f31cac6738d04c53c3d4052fda6eadb0d22f53f"
     "1e2c336eaf5cea110dd15ab160ec6c15ef6816c0fb6ded9152602b13f5a94672535487306adb6e54"
     "ef"},
    {"scrypt:16384:8:1",
     "scrypt:16384:8:1$c35BcIjiZhZVDoND$b08e1a8cc795a225ba4fef35a520c51b8ea057449f914d"
     "541ea3d9896188e44528164f9f39414c85126908163174bdc82a6afcf108684527e6b8e12b02bd9f"
     "0d"},
    {"pbkdf2:sha256:1000",
     "pbkdf2:sha256:1000$GMMszY1ozyXwyIK2$454b2dffd46ab2a21aa391547cd86bb5d39486537087"
     "7c0b88a91af01e7892d1"},
    {"pbkdf2:sha512:1000",
     "pbkdf2:sha512:1000$HQK90XrseA1MmG31$76eb48e43efa853d879f35b6a052db19ed2f90fb51d3"
     "1fdf0648c9bf640499a821e944718a424ee17a8a4e3799c25fc72f90660b45da55c5b79a290e7e8d"
     "8b0b"},
    {"pbkdf2:sha1:1000",
     "pbkdf2:sha1:1000$LVOMYn5Zjti8Pilb$72763857a1ef8ccf89cf2cebbb41bb829463cafd"},
    {"pbkdf2:sha256:600000",
     "pbkdf2:sha256:600000$A5GM1VLJU2woYrIa$867ae0f5d811937c7685ac737f0735642c8ec0fcfa"
     "a60b702048a0227dc14fa2"},
};

TEST(Password, ReadsWhatWerkzeugWrites) {
  for (const Known& known : kKnown) {
    EXPECT_TRUE(password_matches(known.hash, "a-password-of-ann")) << known.method;
    EXPECT_FALSE(password_matches(known.hash, "a-password-of-bob")) << known.method;
    EXPECT_FALSE(password_matches(known.hash, "")) << known.method;
  }
}

TEST(Password, WritesWhatItReads) {
  const std::string hash = hash_password("correct horse battery");
  EXPECT_TRUE(hash.starts_with("scrypt:32768:8:1$")) << hash;
  EXPECT_EQ(hash.size(), 17 + 16 + 1 + 128U);
  EXPECT_TRUE(password_matches(hash, "correct horse battery"));
  EXPECT_FALSE(password_matches(hash, "correct horse batterz"));
  EXPECT_NE(hash, hash_password("correct horse battery"));  // another salt
}

TEST(Password, AHashThatIsNoneOpensNothing) {
  for (const char* const hash :
       {"", "$", "$$", "plain$$a-password-of-ann", "scrypt:32768:8$salt$00", "scrypt:0:8:1$salt$00",
        "scrypt:3:8:1$salt$00", "scrypt:x:8:1$salt$00", "pbkdf2:md5:1$salt$00",
        "pbkdf2:sha256:0$salt$00", "pbkdf2:sha256:-1$salt$00", "scrypt:32768:8:1$salt"}) {
    EXPECT_FALSE(password_matches(hash, "a-password-of-ann")) << hash;
  }
}

TEST(Password, AHashThatAsksForTooMuchIsNotTried) {
  // 128 * 2^22 * 8 bytes are 4 GiB; 10^11 rounds are hours.
  EXPECT_FALSE(password_matches("scrypt:4194304:8:1$salt$00", "a-password-of-ann"));
  EXPECT_FALSE(password_matches("pbkdf2:sha256:100000000000$salt$00", "a-password-of-ann"));
}

std::string refusal(std::string_view password) {
  try {
    check_password(password);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Password, HasTwelveCharactersAtLeast) {
  EXPECT_EQ(refusal("12345678901"), "Password must be at least 12 characters.");
  EXPECT_EQ(refusal("123456789012"), "");
  EXPECT_EQ(refusal("äöüäöüäöüäö"), "Password must be at least 12 characters.");  // 11, 22 bytes
  EXPECT_EQ(refusal(std::string(1'024, 'x')), "");
  EXPECT_EQ(refusal(std::string(1'025, 'x')), "Password must be at most 1024 bytes.");
  EXPECT_EQ(refusal("password1234"),
            "This password was once shipped with a server and is publicly known: choose another.");
}

}  // namespace
}  // namespace slipway::access
