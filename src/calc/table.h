// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "calc/output.h"
#include "calc/schema.h"
#include "stats/alternative.h"
#include "stats/paired_proportion.h"

namespace slipway::calc {

// One statistic: its name, one sentence, its input and its function.
struct Entry {
  std::string name;
  std::string summary;
  Schema input;
  Output (*compute)(const Input& input);
};

// The whole table, sorted by name. Built once; constant afterwards.
const std::vector<Entry>& table();

// Its parts, one for each question.
std::vector<Entry> comparison_entries();    // two models on the same examples
std::vector<Entry> resampling_entries();    // permutations and bootstraps
std::vector<Entry> run_entries();           // seeds, folds, several runs
std::vector<Entry> multiplicity_entries();  // many tests at a time
std::vector<Entry> rate_entries();          // one rate or mean
std::vector<Entry> canary_entries();        // rollouts: canary, shadow, objectives
std::vector<Entry> sequential_entries();    // evidence that may be looked at any time
std::vector<Entry> alarm_entries();         // alarms with a budget

// Fields that many inputs share.
Field conf_field();
Field alpha_field(double fallback = 0.05, const std::string& key = "alpha");
Field power_field();
Field alternative_field();
Field seed_field();
Field list_field(const std::string& key, std::size_t size_min, Range range = {},
                 Type type = Type::kNumbers);
Field optional_field(Field field, json::Value fallback = {});
std::vector<Field> paired_fields(std::size_t size_min);  // a, b or x
Choice paired_choice();

stats::Alternative alternative_of(const Input& input);  // of alternative_field

Output sample_size_output(const stats::SampleSize& size);  // n, n_ceil

// The differences: x, or a - b by index. Throws kInvalidArgument naming `b` when the lengths
// differ.
std::vector<double> paired_differences(const Input& input);

}  // namespace slipway::calc
