// SPDX-License-Identifier: Apache-2.0
#include "http/message.h"

#include <gtest/gtest.h>

namespace slipway::http {
namespace {

TEST(Request, HeadersAreFoundInAnyCase) {
  Request request;
  request.headers = {{"content-TYPE", "a"}, {"Content-Type", "b"}};
  EXPECT_EQ(request.header("Content-Type"), "a");
  EXPECT_EQ(request.header("Content-Typ"), std::nullopt);
}

TEST(Request, QueryNamesAreExact) {
  Request request;
  request.query = {{"a", "1"}, {"a", "2"}, {"B", ""}};
  EXPECT_EQ(request.query_value("a"), "1");
  EXPECT_EQ(request.query_value("B"), "");
  EXPECT_EQ(request.query_value("b"), std::nullopt);
}

TEST(ReasonPhrase, IsInTitleCase) {
  EXPECT_EQ(reason_phrase(404), "Not Found");
  EXPECT_EQ(reason_phrase(200), "OK");
  EXPECT_EQ(reason_phrase(599), "Unknown");
}

TEST(StatusOf, EveryCodeHasOne) {
  const std::pair<Code, int> table[] = {
      {Code::kInvalidArgument, 400},  {Code::kNotFound, 404},
      {Code::kAlreadyExists, 409},    {Code::kFailedPrecondition, 409},
      {Code::kConflict, 409},         {Code::kUnauthenticated, 401},
      {Code::kPermissionDenied, 403}, {Code::kResourceExhausted, 429},
      {Code::kUnavailable, 503},      {Code::kDeadlineExceeded, 504},
      {Code::kUnimplemented, 501},    {Code::kDataLoss, 500},
      {Code::kInternal, 500}};
  for (const auto& [code, status] : table) EXPECT_EQ(status_of(code), status) << code_name(code);
}

}  // namespace
}  // namespace slipway::http
