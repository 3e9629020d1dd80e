// SPDX-License-Identifier: Apache-2.0
#include "net/webhook.h"

#include <arpa/inet.h>
#include <cstring>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "net/url.h"

namespace slipway::net {
namespace {

bool is_refused(std::uint32_t v4) {
  return (v4 >> 16) == 0xA9FE || (v4 >> 28) >= 0xE ||
         (v4 >> 24) == 0;  // 169.254/16, 224/4 and 240/4, 0/8
}

bool is_refused(const in6_addr& v6) {
  if (IN6_IS_ADDR_V4MAPPED(&v6)) {
    std::uint32_t v4 = 0;
    std::memcpy(&v4, v6.s6_addr + 12, sizeof v4);
    return is_refused(ntohl(v4));
  }
  return IN6_IS_ADDR_LINKLOCAL(&v6) || IN6_IS_ADDR_MULTICAST(&v6) || IN6_IS_ADDR_UNSPECIFIED(&v6);
}

// The address as text; `refused` says whether a webhook may not go there.
std::string text_of(const sockaddr& address, bool& refused) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address, sizeof v6);
    refused = is_refused(v6.sin6_addr);
    inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
  } else {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    refused = is_refused(ntohl(v4.sin_addr.s_addr));
    inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
  }
  return text;
}

}  // namespace

std::string webhook_address(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int failed = getaddrinfo(host.c_str(), nullptr, &hints, &found); failed != 0) {
    throw Error(Code::kUnavailable,
                "cannot find the webhook's host `" + host + "`: " + gai_strerror(failed));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, freeaddrinfo);
  bool refused = false;
  std::string text = text_of(*found->ai_addr, refused);
  if (refused) {
    throw Error(Code::kPermissionDenied, "the webhook's host `" + host + "` is the address " +
                                             text +
                                             ", which webhooks may not call; name another host");
  }
  return text;
}

int post_json(HttpClient& client, const std::string& url, std::string_view body, int timeout_ms) {
  const Url parsed = parse_url(url);
  HttpRequest request;
  request.method = "POST";
  request.url = url;
  request.address = webhook_address(parsed.host);
  request.headers = {{"Content-Type", "application/json"}};
  request.body = body;
  request.timeout_ms = timeout_ms;
  request.response_bytes_max = 1U << 20;
  try {
    return client.send(request).status;
  } catch (const Error& error) {
    std::string message = error.what();
    const std::string full = compose_url(parsed);
    const std::string secret = full.substr(full.size() - parsed.target.size());
    if (const std::size_t at = message.find(secret); secret.size() > 1 && at != std::string::npos)
      message.erase(at, secret.size());
    throw Error(error.code(), "webhook: " + message, error.hint());
  }
}

}  // namespace slipway::net
