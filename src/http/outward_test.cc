// SPDX-License-Identifier: Apache-2.0
#include "http/outward.h"

#include <gtest/gtest.h>
#include <regex>
#include <stdexcept>

namespace slipway::http {
namespace {

const std::regex kHidden("internal error [0-9a-f]{8}: the server's log has more under this id");

TEST(Outward, AnErrorForTheClientStandsAsItIs) {
  const Error shown = outward(Error(Code::kNotFound, "no run `x`", "make one"), "GET /x");
  EXPECT_EQ(shown.code(), Code::kNotFound);
  EXPECT_STREQ(shown.what(), "no run `x`");
  EXPECT_EQ(shown.hint(), "make one");
}

TEST(Outward, WhatTellsOfTheInsideIsNamedByAnIdAlone) {
  const Error of_store(Code::kInternal, "the store refused `SELECT secret`", "a hint");
  const std::runtime_error of_library("vector::_M_default_append");
  for (const std::exception* fault : {static_cast<const std::exception*>(&of_store),
                                      static_cast<const std::exception*>(&of_library)}) {
    const Error shown = outward(*fault, "POST /x");
    EXPECT_EQ(shown.code(), Code::kInternal);
    EXPECT_TRUE(std::regex_match(shown.what(), kHidden)) << shown.what();
    EXPECT_EQ(shown.hint(), "");
  }
}

}  // namespace
}  // namespace slipway::http
