// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace slipway::tracking {

// What MLflow allows as keys and values (3.17.2, utils/validation.py). Lengths are in characters,
// not bytes. Every check throws kInvalidArgument in MLflow's words, which its users know: "Invalid
// value \"a//b\" for parameter 'name' supplied: Names may …". `path` is the field as the request
// has it: "key", "metrics[3].name".

inline constexpr std::size_t kKeyCharactersMax = 250;
inline constexpr std::size_t kParamValueCharactersMax =
    6'000;  // longer ones are cut, as MLflow's server does by default
inline constexpr std::size_t kTagValueCharactersMax = 8'000;  // likewise
inline constexpr std::size_t kExperimentTagValueCharactersMax = 20'000;
inline constexpr std::size_t kExperimentNameCharactersMax = 500;
inline constexpr std::size_t kArtifactLocationCharactersMax = 2'048;
inline constexpr std::size_t kMetricsPerBatchMax = 1'000;
inline constexpr std::size_t kParamsPerBatchMax = 100;
inline constexpr std::size_t kTagsPerBatchMax = 100;
inline constexpr std::size_t kEntitiesPerBatchMax = 1'000;
inline constexpr std::size_t kDatasetsPerCallMax = 1'000;
inline constexpr std::size_t kDatasetNameCharactersMax = 500;
inline constexpr std::size_t kDatasetDigestCharactersMax = 36;
inline constexpr std::size_t kDatasetSourceCharactersMax = 65'535;
inline constexpr std::size_t kDatasetSchemaCharactersMax = 1'048'575;
inline constexpr std::size_t kDatasetProfileCharactersMax = 16'777'215;
inline constexpr std::size_t kInputTagKeyCharactersMax = 255;
inline constexpr std::size_t kInputTagValueCharactersMax = 500;

// Letters, digits, and _ - . space : / ; equal to its own normal form as a path (no "..", "//",
// leading or trailing "/"). Not its length.
void check_key(std::string_view key, std::string_view path);

// check_key and at most kKeyCharactersMax; `what` begins the message about the length ("Metric
// name").
void check_key_and_length(std::string_view key, std::string_view path, std::string_view what);

// Throws "'what' exceeds the maximum length of N characters".
void check_length(std::string_view text, std::size_t characters_max, std::string_view what);

// A text holds any character but U+0000: SQLite's functions end a text there, and PostgreSQL cannot
// keep it.
void check_text(std::string_view text, std::string_view path);

// 1 to 500 characters.
void check_experiment_name(std::string_view name);

// None of / : . % " ' ; "" is allowed (a name is invented then).
void check_logged_model_name(std::string_view name);

// A time of a metric: >= 0.
void check_metric_time(std::int64_t time_ms, std::string_view key, double value,
                       std::string_view path);

std::size_t count_characters(std::string_view text);

// The first so many characters.
std::string_view cut_to_characters(std::string_view text, std::size_t characters_max);

// A path in POSIX normal form, as Python's posixpath.normpath has it: "" is ".", "a//b/../c" is
// "a/c".
std::string normal_path(std::string_view path);

// "adjective-noun-123", for runs and models that nobody named.
std::string invent_name();

// Text as JSON has it, quoted: for messages.
std::string quoted(std::string_view text);

}  // namespace slipway::tracking
