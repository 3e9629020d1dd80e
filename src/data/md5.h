// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::data {

// Which bytes a DVC hash is of. DVC 3 hashes the file as it is; DVC 2 first replaced "\r\n" by "\n"
// in what looked like text, chunk by chunk of 1 MiB (a pair split between chunks stays), and its
// hashes live on in old lock files.
enum class HashKind { kMd5, kMd5Dos2Unix };

// 32 lower-case hex digits. Pure, thread-safe.
std::string md5_hex(std::string_view bytes);

// The same of a file's bytes, in constant memory. Throws errno_error naming the path.
std::string md5_file(const std::filesystem::path& path, HashKind kind = HashKind::kMd5);

// The same of many files, on up to eight threads when there is enough to do; results in the order
// of the paths. Throws the first failure.
std::vector<std::string> md5_files(const std::vector<std::filesystem::path>& paths,
                                   HashKind kind = HashKind::kMd5);

}  // namespace slipway::data
