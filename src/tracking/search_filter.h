// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::tracking {

// MLflow's search language: comparisons joined by AND. Parsed into values here; the *_search files
// turn these into SQL.
//
//   filter      = [ comparison { AND comparison } ]
//   comparison  = identifier operator literal | identifier ("IN" | "NOT IN") "(" text { "," text }
//   ")" | identifier "IS" ["NOT"] "NULL" identifier  = [ entity "." ] key ; a key with other
//   characters stands in `backticks` or "double quotes" operator    = "=" | "!=" | "<>" | "<" |
//   "<=" | ">" | ">=" | "LIKE" | "ILIKE" text        = 'single' or "double" quoted ; number =
//   [-] digits [ . digits ] [ e digits ]
// Words are case-insensitive, entities are not. Faults throw kInvalidArgument with MLflow's words
// (search_message.h), looked for in MLflow's order: parts that are no comparison, then each
// comparison's identifier, literal and operator.
//   source  MLflow 3.17.2 utils/search_utils.py, search_logged_model_utils.py;
//   docs/formats/mlflow.md says where we are stricter.

enum class Entity { kAttribute, kMetric, kParam, kTag, kDataset };
enum class Operator {
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kLike,
  kIlike,
  kIn,
  kNotIn,
  kIsNull,
  kIsNotNull
};

struct Comparison {
  Entity entity = Entity::kAttribute;
  std::string key;  // of an attribute: its canonical name
  Operator op = Operator::kEqual;
  bool numeric = false;
  double number = 0;               // where numeric
  std::vector<std::string> texts;  // else: one, or the list of IN
  bool operator==(const Comparison&) const = default;
};

// An attribute that a search knows.
struct Attribute {
  std::string_view name;       // as written
  std::string_view canonical;  // as the search knows it
  bool numeric = false;
  bool lists = false;    // takes IN and NOT IN
  bool sortable = true;  // may stand in order_by
};

// Whose words and habits hold (search_message.h), and which entities there are: runs have all,
// logged models no datasets, the others attributes and tags.
enum class Dialect { kRuns, kExperiments, kModels, kVersions, kLoggedModels };

// What one kind of search accepts.
struct SearchLanguage {
  std::span<const Attribute> attributes;
  Dialect dialect = Dialect::kRuns;
};

// The left side of a comparison, for messages.
struct SearchKey {
  Entity entity = Entity::kAttribute;
  std::string name;       // as written
  std::string canonical;  // as the search knows it
  bool numeric = false;
  bool lists = false;
};
enum class LiteralKind { kText, kNumber, kName, kList };

std::vector<Comparison> parse_filter(std::string_view text, const SearchLanguage& language);

struct OrderTerm {
  Entity entity = Entity::kAttribute;
  std::string key;  // of an attribute: its canonical name
  bool ascending = true;
  bool operator==(const OrderTerm&) const = default;
};

// "<identifier> [ASC|DESC]" each. A key that comes twice is kInvalidArgument.
std::vector<OrderTerm> parse_order(const std::vector<std::string>& terms,
                                   const SearchLanguage& language);

inline constexpr std::size_t kFilterBytesMax = 64U << 10;
inline constexpr std::size_t kComparisonsMax = 100;
inline constexpr std::size_t kOrderTermsMax = 16;
// Of LIKE and ILIKE. Written as the store's pattern it is up to three times as long, and SQLite
// takes 50,000.
inline constexpr std::size_t kPatternBytesMax = 16'000;
inline constexpr std::size_t kSearchExperimentsMax = 10'000;

// kInvalidArgument for more experiments than one search takes.
void check_experiment_count(std::size_t count);

// "= < <= > >=": what a stretch of an index can meet.
bool is_range(Operator op);

// The operator as SQL has it, for a comparison with one value: "=", "<>", "<" …; REQUIRES one of
// those six.
std::string_view sql_operator(Operator op);

}  // namespace slipway::tracking
