// SPDX-License-Identifier: Apache-2.0
#include "http/inflate.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "base/error.h"

namespace slipway::http {
namespace {

constexpr int kGzip = 16 + MAX_WBITS;
constexpr int kZlib = MAX_WBITS;
constexpr int kRaw = -MAX_WBITS;

std::string deflate_with(int window, std::string_view text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(text.size() + 1'000, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<unsigned>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<unsigned>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

std::string refusal(std::string_view body, Encoding encoding, const InflateLimits& limits = {}) {
  try {
    inflate(body, encoding, limits);
  } catch (const Error& error) {
    return std::string(code_name(error.code())) + ": " + error.what();
  }
  return "";
}

TEST(Inflate, TakesEveryEncodingOff) {
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += std::to_string(i);
  EXPECT_EQ(inflate(deflate_with(kGzip, text), Encoding::kGzip), text);
  EXPECT_EQ(inflate(deflate_with(kZlib, text), Encoding::kDeflate), text);
  EXPECT_EQ(inflate(deflate_with(kRaw, text), Encoding::kDeflate), text);
  EXPECT_EQ(inflate(deflate_with(kGzip, "a") + deflate_with(kGzip, "b") + std::string(3, '\0'),
                    Encoding::kGzip),
            "ab");
  EXPECT_EQ(inflate("", Encoding::kGzip), "");
}

TEST(Inflate, RefusesWhatIsDamagedOrCutOff) {
  const std::string wrong = "invalid_argument: the body is not what its Content-Encoding says";
  const std::string whole = deflate_with(kGzip, std::string(1'000, 'x'));
  EXPECT_EQ(refusal("nonsense", Encoding::kGzip), wrong);
  EXPECT_EQ(refusal("nonsense", Encoding::kDeflate), wrong);
  EXPECT_EQ(refusal("", Encoding::kDeflate), wrong);
  for (std::size_t size = 1; size < whole.size(); ++size)
    EXPECT_EQ(refusal(whole.substr(0, size), Encoding::kGzip), wrong) << size;
  std::string damaged = whole;
  damaged[damaged.size() - 6] ^= 1;  // the checksum
  EXPECT_EQ(refusal(damaged, Encoding::kGzip), wrong);
  EXPECT_EQ(refusal(whole + "x", Encoding::kGzip), wrong);
}

TEST(Inflate, HasAnEnd) {
  const std::string zeros = deflate_with(kGzip, std::string(3'000'000, '\0'));
  ASSERT_LT(zeros.size(), 4'000U);
  const auto beyond = [](std::uint64_t bytes) {
    return "resource_exhausted: the body is larger than " + std::to_string(bytes) +
           " bytes once it is inflated";
  };
  EXPECT_EQ(refusal(zeros, Encoding::kGzip), beyond(1U << 20));
  EXPECT_EQ(refusal(zeros, Encoding::kGzip, {.bytes_max = 1'000}), beyond(1'000));
  EXPECT_EQ(refusal(zeros, Encoding::kGzip, {.ratio_max = 10'000}), "");
  EXPECT_EQ(refusal(zeros, Encoding::kGzip, {.bytes_max = 2'999'999, .ratio_max = 10'000}),
            beyond(2'999'999));
}

}  // namespace
}  // namespace slipway::http
