// SPDX-License-Identifier: Apache-2.0
#include "net/url.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace slipway::net {
namespace {

Url url(std::string scheme, std::string user_info, std::string host, std::uint16_t port,
        std::string target) {
  return {std::move(scheme), std::move(user_info), std::move(host), port, std::move(target)};
}

TEST(ParseUrl, Table) {
  const std::pair<const char*, Url> table[] = {
      {"http://host", url("http", "", "host", 80, "/")},
      {"HTTPS://Host.Example/", url("https", "", "host.example", 443, "/")},
      {"http://127.0.0.1:5000/a%20b?x=1#f", url("http", "", "127.0.0.1", 5000, "/a%20b?x=1")},
      {"http://host?x=1", url("http", "", "host", 80, "/?x=1")},
      {"http://user:p%40ss@host:1/", url("http", "user:p%40ss", "host", 1, "/")},
      {"http://a@b@host/@", url("http", "a@b", "host", 80, "/@")},
      {"http://[::1]:65535/x", url("http", "", "::1", 65535, "/x")},
      {"https://[FE80::1]", url("https", "", "fe80::1", 443, "/")},
      {"http://host:/x", url("http", "", "host", 80, "/x")}};
  for (const auto& [text, expected] : table) EXPECT_EQ(parse_url(text), expected) << text;
}

TEST(ParseUrl, RefusesWithAReason) {
  const std::pair<const char*, const char*> table[] = {
      {"ftp://host", "it starts with neither http:// nor https://"},
      {"host:80", "it starts with neither http:// nor https://"},
      {"", "it starts with neither http:// nor https://"},
      {"http://", "it has no host"},
      {"http://:80/", "it has no host"},
      {"http://[::1", "its [ has no ]"},
      {"http://[::1]x", "its port is not a number from 1 to 65535"},
      {"http://host:0", "its port is not a number from 1 to 65535"},
      {"http://host:65536", "its port is not a number from 1 to 65535"},
      {"http://host:x", "its port is not a number from 1 to 65535"},
      {"http://host:-1", "its port is not a number from 1 to 65535"},
      {"http://ho st/", "it holds a blank or a control byte"},
      {"http://host/\r\nX: y", "it holds a blank or a control byte"}};
  for (const auto& [text, reason] : table) {
    try {
      parse_url(text);
      FAIL() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInvalidArgument);
      EXPECT_EQ(std::string(error.what()),
                "`" + std::string(text) + "` is not a usable URL: " + reason);
    }
  }
}

TEST(ComposeUrl, GivesTheTextBack) {
  for (const char* text :
       {"http://host/", "https://host:8443/a?b=c", "http://[::1]:81/x", "http://u:p@host/x"}) {
    EXPECT_EQ(compose_url(parse_url(text)), text);
  }
  EXPECT_EQ(compose_url(parse_url("https://host:443")), "https://host/");
}

TEST(Origin, HidesWhatMayBeSecret) {
  EXPECT_EQ(origin(parse_url("https://user:password@hooks.example:8443/T000/B000?key=x")),
            "https://hooks.example:8443");
}

TEST(IsLoopback, Table) {
  for (const char* host : {"localhost", "127.0.0.1", "127.9.9.9", "::1"})
    EXPECT_TRUE(is_loopback(host)) << host;
  for (const char* host :
       {"128.0.0.1", "localhost.example", "0.0.0.0", "::2", "127.0.0.1.example", ""}) {
    EXPECT_FALSE(is_loopback(host)) << host;
  }
}

}  // namespace
}  // namespace slipway::net
