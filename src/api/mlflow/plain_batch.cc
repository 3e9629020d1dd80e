// SPDX-License-Identifier: Apache-2.0
#include "api/mlflow/plain_batch.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "tracking/key_rules.h"

namespace slipway::api::mlflow {
namespace {

constexpr std::size_t kMetricBytesTypical = 64;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Walks over the text; every step returns false where the text is not plain JSON of the expected
// kind. Then nothing that was read counts.
class PlainReader {
 public:
  explicit PlainReader(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  // Blanks, then this character.
  bool take(char c) {
    skip_blanks();
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  bool at_end() {
    skip_blanks();
    return at_ == end_;
  }

  // A text without escapes, in ASCII; a view into the body.
  bool text(std::string_view& out) {
    if (!take('"')) return false;
    const char* const begin = at_;
    while (at_ != end_ && *at_ != '"') {
      const auto c = static_cast<unsigned char>(*at_);
      if (c < 0x20 || c >= 0x80 || c == '\\') return false;
      ++at_;
    }
    if (at_ == end_) return false;
    out = {begin, static_cast<std::size_t>(at_ - begin)};
    ++at_;
    return true;
  }

  bool integer(std::int64_t& out) {
    const std::string_view digits = number_text();
    if (digits.empty()) return false;
    const auto [stop, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
    return fault == std::errc() && stop == digits.data() + digits.size();
  }

  // Also the words that MLflow's clients write for what JSON cannot say, bare or as texts.
  bool number(double& out) {
    skip_blanks();
    if (at_ == end_) return false;
    if (*at_ == '"') {
      std::string_view word;
      return text(word) && non_finite(word, out);
    }
    if (*at_ == 'N' || *at_ == 'I' || (*at_ == '-' && at_ + 1 != end_ && at_[1] == 'I')) {
      const char* const begin = at_;
      while (at_ != end_ && (*at_ == '-' || (*at_ >= 'A' && *at_ <= 'z'))) ++at_;
      return non_finite({begin, static_cast<std::size_t>(at_ - begin)}, out);
    }
    const std::string_view digits = number_text();
    if (digits.empty()) return false;
    const auto [stop, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
    return fault == std::errc() && stop == digits.data() + digits.size();
  }

 private:
  void skip_blanks() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) ++at_;
  }

  static bool non_finite(std::string_view word, double& out) {
    if (word == "NaN") {
      out = std::numeric_limits<double>::quiet_NaN();
    } else if (word == "Infinity") {
      out = std::numeric_limits<double>::infinity();
    } else if (word == "-Infinity") {
      out = -std::numeric_limits<double>::infinity();
    } else {
      return false;
    }
    return true;
  }

  bool digits() {
    const char* const begin = at_;
    while (at_ != end_ && is_digit(*at_)) ++at_;
    return at_ != begin;
  }

  // A number by JSON's grammar (RFC 8259, section 6), which from_chars alone would not check; ""
  // where there is none.
  std::string_view number_text() {
    skip_blanks();
    const char* const begin = at_;
    if (at_ != end_ && *at_ == '-') ++at_;
    const char* const first = at_;
    if (!digits()) return {};
    if (*first == '0' && at_ - first > 1) return {};
    if (at_ != end_ && *at_ == '.') {
      ++at_;
      if (!digits()) return {};
    }
    if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
      ++at_;
      if (at_ != end_ && (*at_ == '+' || *at_ == '-')) ++at_;
      if (!digits()) return {};
    }
    return {begin, static_cast<std::size_t>(at_ - begin)};
  }

  const char* at_;
  const char* end_;
};

// {"name": value, …}: `field(name)` reads each value.
template <typename Field>
bool read_object(PlainReader& reader, Field field) {
  if (!reader.take('{')) return false;
  if (reader.take('}')) return true;
  do {
    std::string_view name;
    if (!reader.text(name) || !reader.take(':') || !field(name)) return false;
  } while (reader.take(','));
  return reader.take('}');
}

template <typename Element>
bool read_list(PlainReader& reader, Element element) {
  if (!reader.take('[')) return false;
  if (reader.take(']')) return true;
  do {
    if (!element()) return false;
  } while (reader.take(','));
  return reader.take(']');
}

bool read_text(PlainReader& reader, std::string& out) {
  std::string_view view;
  if (!reader.text(view)) return false;
  out.assign(view);
  return true;
}

bool read_metric_item(PlainReader& reader, tracking::Metric& metric) {
  bool has_value = false;
  bool has_time = false;
  const auto field = [&](std::string_view name) {
    if (name == "key") return read_text(reader, metric.key);
    if (name == "value") return has_value = reader.number(metric.point.value);
    if (name == "timestamp") return has_time = reader.integer(metric.point.time_ms);
    if (name == "step") return reader.integer(metric.point.step);
    if (name == "model_id") return read_text(reader, metric.model_id);
    if (name == "dataset_name") return read_text(reader, metric.dataset_name);
    if (name == "dataset_digest") return read_text(reader, metric.dataset_digest);
    return false;
  };
  return read_object(reader, field) && has_value && has_time && !metric.key.empty();
}

bool read_pair_item(PlainReader& reader, std::pair<std::string, std::string>& pair) {
  const auto field = [&](std::string_view name) {
    if (name == "key") return read_text(reader, pair.first);
    if (name == "value") return read_text(reader, pair.second);
    return false;
  };
  return read_object(reader, field) && !pair.first.empty();
}

// Of more than `most` items the others are only counted: the batch will be refused.
template <typename Item, typename Read>
bool read_items(PlainReader& reader, std::vector<Item>& out, std::size_t most, std::size_t& beyond,
                Read read) {
  if (!out.empty()) return false;  // a list that comes twice is not plain
  Item surplus;
  return read_list(reader, [&] {
    if (out.size() < most) return read(reader, out.emplace_back());
    ++beyond;
    surplus = Item{};
    return read(reader, surplus);
  });
}

bool read_batch_object(PlainReader& reader, tracking::Batch& batch) {
  const auto field = [&](std::string_view name) {
    if (name == "run_id") return read_text(reader, batch.run_id);
    if (name == "params") {
      return read_items(reader, batch.params, tracking::kParamsPerBatchMax, batch.params_beyond,
                        read_pair_item);
    }
    if (name == "tags") {
      return read_items(reader, batch.tags, tracking::kTagsPerBatchMax, batch.tags_beyond,
                        read_pair_item);
    }
    if (name != "metrics") return false;
    return read_items(reader, batch.metrics, tracking::kMetricsPerBatchMax, batch.metrics_beyond,
                      read_metric_item);
  };
  return read_object(reader, field) && reader.at_end() && !batch.run_id.empty();
}

}  // namespace

std::optional<tracking::Batch> read_plain_batch(std::string_view body) {
  PlainReader reader(body);
  tracking::Batch batch;
  batch.metrics.reserve(std::min(body.size() / kMetricBytesTypical, tracking::kMetricsPerBatchMax));
  if (!read_batch_object(reader, batch)) return std::nullopt;
  return batch;
}

}  // namespace slipway::api::mlflow
