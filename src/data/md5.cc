// SPDX-License-Identifier: Apache-2.0
#include "data/md5.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <exception>
#include <fcntl.h>
#include <memory>
#include <mutex>
#include <openssl/evp.h>
#include <span>
#include <thread>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/id.h"

namespace slipway::data {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{1}
                                    << 20;  // part of the dos2unix format: see HashKind
constexpr std::size_t kTextSampleBytes = 512;
constexpr std::size_t kFilesPerThreadMin = 8;
constexpr std::size_t kThreadsMax = 8;

class Md5 {
 public:
  Md5() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_md5(), nullptr) != 1) {
      throw Error(Code::kInternal, "the cryptography library offers no MD5");
    }
  }
  void update(std::string_view bytes) {
    EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size());
  }
  std::string hex() {
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    EVP_DigestFinal_ex(context_.get(), digest.data(), &size);
    return to_hex(std::span<const std::uint8_t>(digest.data(), size));
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

// DVC 2's guess: no NUL, and at most 30 % of the first 512 bytes outside printable ASCII and \n \r
// \t \f \b.
bool looks_like_text(std::string_view chunk) {
  const std::string_view sample = chunk.substr(0, kTextSampleBytes);
  if (sample.empty()) return true;
  std::size_t odd = 0;
  for (const char c : sample) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == 0) return false;
    if ((byte < 32 || byte >= 127) &&
        std::string_view("\n\r\t\f\b").find(c) == std::string_view::npos)
      ++odd;
  }
  return odd * 10 <= sample.size() * 3;
}

std::string without_carriage_returns(std::string_view chunk) {
  std::string out;
  out.reserve(chunk.size());
  for (std::size_t i = 0; i < chunk.size(); ++i) {
    if (chunk[i] == '\r' && i + 1 < chunk.size() && chunk[i + 1] == '\n') continue;
    out += chunk[i];
  }
  return out;
}

std::string named(const std::filesystem::path& path) {
  return "cannot read `" + path.string() + "`";
}

}  // namespace

std::string md5_hex(std::string_view bytes) {
  Md5 md5;
  md5.update(bytes);
  return md5.hex();
}

std::string md5_file(const std::filesystem::path& path, HashKind kind) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) throw errno_error(errno, named(path));
  Md5 md5;
  std::string buffer(kChunkBytes, '\0');
  for (;;) {
    std::size_t filled = 0;  // whole chunks: where one ends matters to dos2unix
    while (filled < buffer.size()) {
      const ssize_t got = ::read(fd.get(), buffer.data() + filled, buffer.size() - filled);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw errno_error(errno, named(path));
      if (got == 0) break;
      filled += static_cast<std::size_t>(got);
    }
    const std::string_view chunk(buffer.data(), filled);
    if (kind == HashKind::kMd5Dos2Unix && looks_like_text(chunk)) {
      md5.update(without_carriage_returns(chunk));
    } else {
      md5.update(chunk);
    }
    if (filled < buffer.size()) return md5.hex();
  }
}

std::vector<std::string> md5_files(const std::vector<std::filesystem::path>& paths, HashKind kind) {
  std::vector<std::string> hashes(paths.size());
  const std::size_t wanted =
      std::min({paths.size() / kFilesPerThreadMin, kThreadsMax,
                static_cast<std::size_t>(std::thread::hardware_concurrency())});
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::exception_ptr fault;
  const auto work = [&] {
    for (std::size_t i = next++; i < paths.size(); i = next++) {
      try {
        hashes[i] = md5_file(paths[i], kind);
      } catch (const Error&) {
        const std::lock_guard lock(mutex);
        if (!fault) fault = std::current_exception();
        next = paths.size();
      }
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < wanted; ++i) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
  if (fault) std::rethrow_exception(fault);
  return hashes;
}

}  // namespace slipway::data
