// SPDX-License-Identifier: Apache-2.0
#include "http/router.h"

#include <gtest/gtest.h>
#include <type_traits>

namespace slipway::http {
namespace {

Route plain(Method method, std::string pattern) {
  return route(
      method, std::move(pattern), Access::anybody(), Execution::kInline,
      [](const Request&) { return Response{}; }, "");
}

// "PATTERN name=value …", or "405 GET POST", or "404".
std::string matched(const Router& router, Method method, std::string_view path) {
  const Router::Match match = router.match(method, path);
  if (match.route == nullptr) {
    if (match.allowed.empty()) return "404";
    std::string text = "405";
    for (const Method allowed : match.allowed) text += " " + std::string(method_name(allowed));
    return text;
  }
  std::string text = match.route->pattern;
  for (const auto& [name, value] : match.parameters) text += " " + name + "=" + value;
  return text;
}

static_assert(!std::is_default_constructible_v<Access>);
static_assert(!std::is_default_constructible_v<Route>, "a route without access does not compile");

TEST(Router, Table) {
  Router router;
  for (const char* pattern :
       {"/", "/health", "/a/b", "/a/{x}", "/a/{x}/c", "/a/fixed/{y}", "/files/{path...}",
        "/v2/models/{name}", "/v2/models/{name}/infer",
        "/v2/models/{name}/versions/{version}/infer", "/slash/", "/{any}/z"}) {
    router.add(plain(Method::kGet, pattern));
  }
  router.add(plain(Method::kPost, "/a/b"));
  router.add(plain(Method::kPut, "/a/{x}"));
  router.add(plain(Method::kDelete, "/files/{path...}"));
  router.add(plain(Method::kHead, "/head"));
  router.add(plain(Method::kGet, "/head"));
  struct Row {
    Method method;
    const char* path;
    const char* expected;
  };
  const Row table[] = {
      {Method::kGet, "/", "/"},
      {Method::kGet, "//", "/"},
      {Method::kGet, "/health", "/health"},
      {Method::kGet, "//health", "/health"},
      {Method::kGet, "/he%61lth", "/health"},
      {Method::kHead, "/health", "/health"},
      {Method::kHead, "/head", "/head"},
      {Method::kGet, "/health/", "404"},
      {Method::kGet, "/slash/", "/slash/"},
      {Method::kGet, "/slash", "404"},
      {Method::kPost, "/health", "405 GET"},
      {Method::kOther, "/health", "405 GET"},
      {Method::kGet, "/nothing", "404"},
      {Method::kGet, "/a/b", "/a/b"},
      {Method::kPost, "/a/b", "/a/b"},
      {Method::kPut, "/a/b", "/a/{x} x=b"},
      {Method::kDelete, "/a/b", "405 GET POST PUT"},
      {Method::kGet, "/a/x%20y", "/a/{x} x=x y"},
      {Method::kGet, "/a/x%2Fy", "/a/{x} x=x/y"},
      {Method::kGet, "/a%2Fb", "404"},
      {Method::kGet, "/a//q", "/a/{x} x=q"},
      {Method::kGet, "/a/", "404"},
      {Method::kGet, "/a/fixed", "/a/{x} x=fixed"},
      {Method::kGet, "/a/fixed/c", "/a/fixed/{y} y=c"},
      {Method::kGet, "/a/other/c", "/a/{x}/c x=other"},
      {Method::kGet, "/a/z", "/a/{x} x=z"},
      {Method::kGet, "/b/z", "/{any}/z any=b"},
      {Method::kGet, "/v2/models/m/infer", "/v2/models/{name}/infer name=m"},
      {Method::kGet, "/v2/models/m/versions/3/infer",
       "/v2/models/{name}/versions/{version}/infer name=m version=3"},
      {Method::kGet, "/v2/models/m/versions/3", "404"},
      {Method::kGet, "/files/", "/files/{path...} path="},
      {Method::kGet, "/files/a/b.txt", "/files/{path...} path=a/b.txt"},
      {Method::kGet, "/files/a//b/", "/files/{path...} path=a/b/"},
      {Method::kGet, "/files/a%2Fb", "/files/{path...} path=a/b"},
      {Method::kDelete, "/files/x", "/files/{path...} path=x"},
      {Method::kPost, "/files/x", "405 GET DELETE"},
      {Method::kGet, "/files", "404"},
      {Method::kGet, "/bad%", "404"},
      {Method::kGet, "", "404"},
  };
  for (const Row& row : table) {
    EXPECT_EQ(matched(router, row.method, row.path), row.expected)
        << method_name(row.method) << " " << row.path;
  }
}

TEST(Router, KeepsItsRoutesInOrder) {
  Router router;
  router.add({plain(Method::kGet, "/b"), plain(Method::kGet, "/a/{x}")});
  ASSERT_EQ(router.routes().size(), 2U);
  EXPECT_EQ(router.routes()[0].pattern, "/b");
  EXPECT_EQ(router.routes()[1].pattern, "/a/{x}");
}

TEST(Router, PointersStayValidWhileThousandsAreAdded) {
  Router router;
  for (int i = 0; i < 2'000; ++i)
    router.add(plain(Method::kGet, "/p" + std::to_string(i) + "/{x}"));
  EXPECT_EQ(matched(router, Method::kGet, "/p0/a"), "/p0/{x} x=a");
  EXPECT_EQ(matched(router, Method::kGet, "/p1999/a"), "/p1999/{x} x=a");
}

TEST(RouterDeathTest, TheSameRouteTwiceIsAProgrammersError) {
  Router router;
  router.add(plain(Method::kGet, "/a"));
  EXPECT_DEATH(router.add(plain(Method::kGet, "/a")), "exists");
}

}  // namespace
}  // namespace slipway::http
