// SPDX-License-Identifier: Apache-2.0
#include "api/mlflow/run_writer.h"

#include <charconv>
#include <cmath>

#include "api/mlflow/fields.h"
#include "json/value.h"

namespace slipway::api::mlflow {
namespace {

void append_integer(std::string& out, std::int64_t value) {
  char digits[24];
  const auto [end, fault] = std::to_chars(digits, digits + sizeof digits, value);
  (void)fault;  // 24 characters hold every int64
  out.append(digits, end);
}

void append_double(std::string& out, double value) {
  if (std::isfinite(value)) {
    json::append_number(out, value);
  } else {
    out += std::isnan(value) ? "\"NaN\"" : value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  }
}

// A text of `json::write(..., indent 2)` moved `blanks` to the right.
void append_indented(std::string& out, const std::string& text, int blanks) {
  for (const char c : text) {
    out += c;
    if (c == '\n') out.append(static_cast<std::size_t>(blanks), ' ');
  }
}

void append_pairs(std::string& out, std::string_view name, const tracking::Pairs& pairs) {
  out += "        \"";
  out += name;
  out += "\": [";
  bool first = true;
  for (const auto& [key, value] : pairs) {
    out += first ? "\n          {\n            \"key\": " : ",\n          {\n            \"key\": ";
    first = false;
    json::append_quoted(out, key);
    out += ",\n            \"value\": ";
    json::append_quoted(out, value);
    out += "\n          }";
  }
  out += "\n        ]";
}

void append_metrics(std::string& out, const std::vector<tracking::LatestMetric>& metrics) {
  out += "        \"metrics\": [";
  bool first = true;
  for (const tracking::LatestMetric& metric : metrics) {
    out += first ? "\n          {\n            \"key\": " : ",\n          {\n            \"key\": ";
    first = false;
    json::append_quoted(out, metric.key);
    out += ",\n            \"value\": ";
    append_double(out, metric.value);
    out += ",\n            \"timestamp\": ";
    append_integer(out, metric.time_ms);
    out += ",\n            \"step\": ";
    append_integer(out, metric.step);
    out += "\n          }";
  }
  out += "\n        ]";
}

void append_data(std::string& out, const tracking::Run& run) {
  if (run.metrics.empty() && run.params.empty() && run.tags.empty()) {
    out += "      \"data\": {}";
    return;
  }
  out += "      \"data\": {\n";
  std::string_view separator;
  if (!run.metrics.empty()) {
    append_metrics(out, run.metrics);
    separator = ",\n";
  }
  if (!run.params.empty()) {
    out += separator;
    append_pairs(out, "params", run.params);
    separator = ",\n";
  }
  if (!run.tags.empty()) {
    out += separator;
    append_pairs(out, "tags", run.tags);
  }
  out += "\n      }";
}

void append_token(std::string& out, bool has_list, std::string_view token) {
  if (token.empty()) return;
  out += has_list ? ",\n  \"next_page_token\": " : "\n  \"next_page_token\": ";
  json::append_quoted(out, token);
}

// Before an item: the list's head before the first.
void open_item(std::string& out, std::string_view list) {
  if (!out.empty()) {
    out += ',';
    return;
  }
  out += "{\n  \"";
  out += list;
  out += "\": [";
}

// What was written is the answer's begin, not copied.
std::string close(std::string&& out, std::string_view token) {
  const bool has_list = !out.empty();
  if (!has_list && token.empty()) return "{}";
  out += has_list ? "\n  ]" : "{";
  append_token(out, has_list, token);
  out += "\n}";
  return std::move(out);
}

}  // namespace

void RunWriter::add(const tracking::Run& run) {
  open_item(out_, "runs");
  out_ += "\n    {\n      \"info\": ";
  append_indented(out_, json::write(to_json(run.info), {.indent = 2}), 6);
  out_ += ",\n";
  append_data(out_, run);
  // Datasets and models are few and rare: through values.
  tracking::Run rest;
  rest.datasets = run.datasets;
  rest.model_inputs = run.model_inputs;
  rest.model_outputs = run.model_outputs;
  const json::Value value = to_json(rest);
  out_ += ",\n      \"inputs\": ";
  append_indented(out_, json::write(*value.find("inputs"), {.indent = 2}), 6);
  out_ += ",\n      \"outputs\": ";
  append_indented(out_, json::write(*value.find("outputs"), {.indent = 2}), 6);
  out_ += "\n    }";
}

std::string RunWriter::finish(std::string_view next_page_token) && {
  return close(std::move(out_), next_page_token);
}

void PointWriter::add(std::string_view key, const tracking::Point& point, std::string_view run_id) {
  open_item(out_, "metrics");
  out_ += "\n    {\n      \"key\": ";
  json::append_quoted(out_, key);
  out_ += ",\n      \"value\": ";
  append_double(out_, point.value);
  out_ += ",\n      \"timestamp\": ";
  append_integer(out_, point.time_ms);
  out_ += ",\n      \"step\": ";
  append_integer(out_, point.step);
  if (!run_id.empty()) {
    out_ += ",\n      \"run_id\": ";
    json::append_quoted(out_, run_id);
  }
  out_ += "\n    }";
}

std::string PointWriter::finish(std::string_view next_page_token) && {
  return close(std::move(out_), next_page_token);
}

namespace {
// Of a value, a time and a step, and what stands between them.
constexpr std::size_t kNumbersBytesMax = 128;
}  // namespace

PointLine::PointLine(std::string_view key) : head_("{\"key\":") {
  json::append_quoted(head_, key);
  head_ += ",\"value\":";
}

std::size_t PointLine::point_bytes_max() const { return head_.size() + kNumbersBytesMax; }

void PointLine::add(const std::vector<tracking::Point>& points, std::string& out) {
  out.reserve(out.size() + points.size() * (head_.size() + kNumbersBytesMax / 2));
  for (const tracking::Point& point : points) {
    out += started_ ? "," : "{\"metrics\":[";
    started_ = true;
    out += head_;
    append_double(out, point.value);
    out += ",\"timestamp\":";
    append_integer(out, point.time_ms);
    out += ",\"step\":";
    append_integer(out, point.step);
    out += '}';
  }
}

void PointLine::finish(std::string_view next_page_token, std::string& out) {
  out += ']';
  if (!next_page_token.empty()) {
    out += ",\"next_page_token\":";
    json::append_quoted(out, next_page_token);
  }
  out += '}';
}

}  // namespace slipway::api::mlflow
