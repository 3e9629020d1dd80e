// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace slipway::access {

// A secret that lets its holder write: 256 random bits, written "slp_" and 64 hex digits. Kept by
// the server as its SHA-256 only, save for the server's own token, which the command line reads
// from the data folder.
std::string new_token();

// The token that a request presents: "Bearer T", or the password of "Basic …"
// (MLFLOW_TRACKING_PASSWORD). nullopt when there is no such header or it is neither.
std::optional<std::string> presented_token(std::optional<std::string_view> authorization);

// True if the texts are equal; takes the same time wherever they differ.
bool equal_in_constant_time(std::string_view a, std::string_view b);

// The server's own token: from `folder`/token, made there (mode 0600) when absent. Throws
// kPermissionDenied when the file can be read by others, naming the command that mends it.
std::string load_or_create_token(const std::filesystem::path& folder);

}  // namespace slipway::access
