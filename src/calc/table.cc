// SPDX-License-Identifier: Apache-2.0
#include "calc/table.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <iterator>

namespace slipway::calc {
namespace {

std::vector<Entry> make_table() {
  std::vector<Entry> all;
  for (auto part : {comparison_entries, resampling_entries, run_entries, multiplicity_entries,
                    rate_entries, canary_entries, sequential_entries, alarm_entries}) {
    std::vector<Entry> entries = part();
    std::move(entries.begin(), entries.end(), std::back_inserter(all));
  }
  std::ranges::sort(all, {}, &Entry::name);
  const auto twice = std::ranges::adjacent_find(all, {}, &Entry::name);
  assert(twice == all.end());
  static_cast<void>(twice);
  return all;
}

}  // namespace

const std::vector<Entry>& table() {
  static const std::vector<Entry> entries = make_table();
  return entries;
}

Field optional_field(Field field, json::Value fallback) {
  field.required = false;
  field.fallback = std::move(fallback);
  return field;
}

Field conf_field() { return optional_field({.key = "conf", .range = kOpenUnit}, 0.95); }

Field alpha_field(double fallback, const std::string& key) {
  return optional_field({.key = key, .range = kOpenUnit}, fallback);
}

Field power_field() { return optional_field({.key = "power", .range = kOpenUnit}, 0.8); }

Field alternative_field() {
  return optional_field(
      {.key = "alternative", .type = Type::kText, .options = {"two-sided", "greater", "less"}},
      "two-sided");
}

stats::Alternative alternative_of(const Input& input) {
  const std::string& name = input.text("alternative");
  if (name == "greater") return stats::Alternative::kGreater;
  return name == "less" ? stats::Alternative::kLess : stats::Alternative::kTwoSided;
}

Output sample_size_output(const stats::SampleSize& size) {
  Output output;
  output.number("n", size.n);
  if (size.n_ceil <= static_cast<double>(kCountMax))
    output.count("n_ceil", static_cast<std::int64_t>(size.n_ceil));
  else
    output.number("n_ceil", size.n_ceil);
  return output;
}

Field seed_field() { return optional_field({.key = "seed", .type = Type::kCount}, 0); }

Field list_field(const std::string& key, std::size_t size_min, Range range, Type type) {
  return {.key = key, .type = type, .range = range, .size_min = size_min};
}

std::vector<Field> paired_fields(std::size_t size_min) {
  return {optional_field(list_field("a", size_min)), optional_field(list_field("b", size_min)),
          optional_field(list_field("x", size_min))};
}

Choice paired_choice() { return {{"a", "b"}, {"x"}}; }

std::vector<double> paired_differences(const Input& input) {
  if (input.has("x")) return input.numbers("x");
  std::vector<double> differences = input.numbers("a");
  const std::vector<double> b = input.numbers("b");
  if (b.size() != differences.size()) bad_input("b", "must be as long as `a`");
  for (std::size_t i = 0; i < b.size(); ++i) {
    differences[i] -= b[i];
    if (!std::isfinite(differences[i])) bad_input("b", "must lie within a double's range of `a`");
  }
  return differences;
}

}  // namespace slipway::calc
