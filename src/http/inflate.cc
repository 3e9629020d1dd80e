// SPDX-License-Identifier: Apache-2.0
#include "http/inflate.h"

#include <algorithm>
#include <array>
#include <limits>
#include <zlib.h>

#include "base/error.h"

namespace slipway::http {
namespace {

constexpr std::size_t kPieceBytes = 64U << 10;
constexpr int kGzipWindow = 16 + MAX_WBITS;
constexpr int kZlibWindow = MAX_WBITS;
constexpr int kRawWindow = -MAX_WBITS;

class Inflater {
 public:
  explicit Inflater(int window) {
    if (inflateInit2(&stream_, window) != Z_OK)
      throw Error(Code::kInternal, "cannot start to inflate a body");
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // The next member of `body`, appended to `out`; the body without it. kInvalidArgument when it is
  // damaged or does not end.
  std::string_view member(std::string_view body, std::uint64_t bytes_max, std::string& out) {
    inflateReset(&stream_);
    std::array<char, kPieceBytes> piece;
    for (;;) {
      const std::size_t given =
          std::min<std::size_t>(body.size(), std::numeric_limits<unsigned>::max());
      // zlib reads through a pointer that is not const, and writes nothing there.
      stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
      stream_.avail_in = static_cast<unsigned>(given);
      stream_.next_out = reinterpret_cast<Bytef*>(piece.data());
      stream_.avail_out = static_cast<unsigned>(piece.size());
      const int status = ::inflate(&stream_, Z_NO_FLUSH);
      const std::size_t produced = piece.size() - stream_.avail_out;
      body.remove_prefix(given - stream_.avail_in);
      if (out.size() + produced > bytes_max) {
        throw Error(
            Code::kResourceExhausted,
            "the body is larger than " + std::to_string(bytes_max) + " bytes once it is inflated");
      }
      out.append(piece.data(), produced);
      if (status == Z_STREAM_END) return body;
      const bool stuck = status == Z_BUF_ERROR && body.empty();
      if ((status != Z_OK && status != Z_BUF_ERROR) || stuck)
        throw Error(Code::kInvalidArgument, "the body is not what its Content-Encoding says");
    }
  }

 private:
  z_stream stream_{};
};

std::string inflate_one(std::string_view body, int window, std::uint64_t bytes_max) {
  Inflater inflater(window);
  std::string out;
  inflater.member(body, bytes_max, out);
  return out;
}

}  // namespace

std::string inflate(std::string_view body, Encoding encoding, const InflateLimits& limits) {
  const std::uint64_t by_ratio =
      std::max<std::uint64_t>(limits.ratio_free, body.size() * limits.ratio_max);
  const std::uint64_t bytes_max = std::min(limits.bytes_max, by_ratio);
  if (encoding == Encoding::kGzip) {
    if (body.empty()) return {};
    Inflater inflater(kGzipWindow);
    std::string out;
    // Zeros may follow, as of a file that was padded.
    while (!body.empty() && body.find_first_not_of('\0') != std::string_view::npos)
      body = inflater.member(body, bytes_max, out);
    return out;
  }
  try {
    return inflate_one(body, kZlibWindow, bytes_max);
  } catch (const Error& error) {
    if (error.code() != Code::kInvalidArgument) throw;
    return inflate_one(body, kRawWindow, bytes_max);  // without zlib's head
  }
}

}  // namespace slipway::http
