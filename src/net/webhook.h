// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "net/http_client.h"

namespace slipway::net {

inline constexpr int kWebhookTimeoutMs = 10'000;

// Posts a JSON document to a URL that a user configured; the status of the answer, whatever it is
// (3xx too: redirects are not followed). The host is resolved once and the connection goes to that
// address, so that what was checked is what is called. Refused with kPermissionDenied: addresses
// that are link-local (a cloud's metadata service), multicast or unspecified. Errors name scheme,
// host and port alone, as the rest of such a URL is often a secret. One attempt; trying again is
// the caller's.
//   throws  kInvalidArgument, kUnavailable, kDeadlineExceeded as HttpClient does
int post_json(HttpClient& client, const std::string& url, std::string_view body,
              int timeout_ms = kWebhookTimeoutMs);

// The first address of a host that a webhook may go to, as text. Throws kUnavailable when the host
// has none, kPermissionDenied as above.
std::string webhook_address(const std::string& host);

}  // namespace slipway::net
