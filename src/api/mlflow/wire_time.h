// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace slipway::api::mlflow {

// Times and durations as protobuf's JSON has them, which traces use. Milliseconds on our side;
// finer fractions are cut.
//   source  protobuf 3, google/protobuf/timestamp.proto and duration.proto

// "2024-05-06T07:08:09.123Z"; no fraction where there is none. Years 0001 to 9999.
std::string timestamp_text(std::int64_t ms);
// The same with up to nine decimals, with Z or an offset; nullopt for anything else.
std::optional<std::int64_t> parse_timestamp(std::string_view text);

// "1.500s", "2s", "-0.010s".
std::string duration_text(std::int64_t ms);
// Seconds with up to nine decimals and "s"; nullopt for anything else.
std::optional<std::int64_t> parse_duration_text(std::string_view text);

}  // namespace slipway::api::mlflow
