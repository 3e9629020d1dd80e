// SPDX-License-Identifier: Apache-2.0
#include "api/slipway/errors.h"

#include <gtest/gtest.h>

namespace slipway::api {
namespace {

TEST(Errors, EveryCodeHasItsStatus) {
  EXPECT_EQ(http_status(Code::kInvalidArgument), 400);
  EXPECT_EQ(http_status(Code::kUnauthenticated), 401);
  EXPECT_EQ(http_status(Code::kPermissionDenied), 403);
  EXPECT_EQ(http_status(Code::kNotFound), 404);
  EXPECT_EQ(http_status(Code::kAlreadyExists), 409);
  EXPECT_EQ(http_status(Code::kConflict), 409);
  EXPECT_EQ(http_status(Code::kFailedPrecondition), 412);
  EXPECT_EQ(http_status(Code::kResourceExhausted), 507);
  EXPECT_EQ(http_status(Code::kInternal), 500);
  EXPECT_EQ(http_status(Code::kDataLoss), 500);
  EXPECT_EQ(http_status(Code::kUnimplemented), 501);
  EXPECT_EQ(http_status(Code::kUnavailable), 503);
  EXPECT_EQ(http_status(Code::kDeadlineExceeded), 504);
}

TEST(Errors, TheBodyNamesCodeMessageAndHint) {
  const http::Response response =
      error_response(Error(Code::kConflict, "plan is stale", "slipway plan -o new.plan"));
  EXPECT_EQ(response.status, 409);
  EXPECT_EQ(
      response.body,
      R"({"error":{"code":"conflict","message":"plan is stale","hint":"slipway plan -o new.plan"}})");
  EXPECT_EQ(error_response(Error(Code::kNotFound, "no such path"), 405).status, 405);
}

TEST(Errors, BodiesMustBeObjects) {
  http::Request request;
  EXPECT_TRUE(body_object(request).empty());
  request.body = "[1]";
  try {
    body_object(request);
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "the request's body must be a JSON object, not a list");
  }
}

TEST(Errors, FieldsAreNamed) {
  const json::Object body{{"reason", 3}, {"at", "yesterday"}, {"ok", "2013-03-01"}};
  try {
    optional_text(body, "reason");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "`reason` must be a text, not a number");
  }
  EXPECT_THROW(required_text(body, "absent"), Error);
  EXPECT_THROW(optional_time(body, "at"), Error);
  EXPECT_EQ(optional_time(body, "ok"), parse_time("2013-03-01"));
  EXPECT_EQ(optional_time(body, "absent"), std::nullopt);
}

TEST(Errors, ALongNameIsCutBetweenCharacters) {
  const auto shown = [](const std::string& name) {
    const std::string text = unknown_name("endpoint", name, {}).what();
    return text.substr(text.find('`'));
  };
  const std::string a(200, 'a');
  EXPECT_EQ(shown(a + "b"), "`" + a + "`");
  EXPECT_EQ(shown(a.substr(1) + "é"), "`" + a.substr(1) + "`");
  EXPECT_EQ(shown(a.substr(2) + "éb"), "`" + a.substr(2) + "é`");
  EXPECT_EQ(shown(a.substr(3) + "\xF0\x9F\x98\x80"), "`" + a.substr(3) + "`");
  // Not UTF-8 at all: nothing is left to show.
  EXPECT_EQ(shown(std::string(300, '\x80')), "``");
}

TEST(Errors, QueryIntegersHaveARange) {
  http::Request request;
  request.query = {{"limit", "50"}, {"after", "x"}};
  EXPECT_EQ(query_integer(request, "limit", 10, 1, 100), 50);
  EXPECT_EQ(query_integer(request, "absent", 10, 1, 100), 10);
  EXPECT_THROW(query_integer(request, "limit", 10, 1, 49), Error);
  EXPECT_THROW(query_integer(request, "after", 0, 0, 100), Error);
}

}  // namespace
}  // namespace slipway::api
