// SPDX-License-Identifier: Apache-2.0
#include "tracking/search_filter.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

#include "base/error.h"
#include "tracking/run_search.h"

namespace slipway::tracking {
namespace {

std::vector<Comparison> parse(std::string_view text) { return parse_filter(text, run_language()); }

Comparison text_is(Entity entity, std::string key, Operator op, std::string value) {
  return {entity, std::move(key), op, false, 0, {std::move(value)}};
}
Comparison number_is(Entity entity, std::string key, Operator op, double value) {
  return {entity, std::move(key), op, true, value, {}};
}

struct Good {
  const char* text;
  Comparison comparison;
};

TEST(SearchFilter, OneComparison) {
  const std::vector<Good> rows = {
      {"metrics.rmse < 0.5", number_is(Entity::kMetric, "rmse", Operator::kLess, 0.5)},
      {"metric.rmse>=1e-3", number_is(Entity::kMetric, "rmse", Operator::kGreaterEqual, 1e-3)},
      {"metrics.m = -2", number_is(Entity::kMetric, "m", Operator::kEqual, -2)},
      {"metrics.m = 2.", number_is(Entity::kMetric, "m", Operator::kEqual, 2)},
      {"metrics.m < 1e999",
       number_is(Entity::kMetric, "m", Operator::kLess, std::numeric_limits<double>::infinity())},
      {"`metrics`.m = 2", number_is(Entity::kMetric, "m", Operator::kEqual, 2)},
      {"params.lr = 'a''b'", text_is(Entity::kParam, "lr", Operator::kEqual, "a''b")},
      {"metrics.m <> .5", number_is(Entity::kMetric, "m", Operator::kNotEqual, 0.5)},
      {"metrics.`val loss` <= 3", number_is(Entity::kMetric, "val loss", Operator::kLessEqual, 3)},
      {"metrics.\"val loss\" > 3", number_is(Entity::kMetric, "val loss", Operator::kGreater, 3)},
      {"metrics.system/gpu_0/memory > 3",
       number_is(Entity::kMetric, "system/gpu_0/memory", Operator::kGreater, 3)},
      {"metrics.f1-score > 3", number_is(Entity::kMetric, "f1-score", Operator::kGreater, 3)},
      {"metrics.1st > 3", number_is(Entity::kMetric, "1st", Operator::kGreater, 3)},
      {"params.lr = '0.1'", text_is(Entity::kParam, "lr", Operator::kEqual, "0.1")},
      {"parameters.lr != \"x y\"", text_is(Entity::kParam, "lr", Operator::kNotEqual, "x y")},
      {"tags.mlflow.source.name like '%train%'",
       text_is(Entity::kTag, "mlflow.source.name", Operator::kLike, "%train%")},
      {"tag.`weird key!` ILIKE 'a_b'",
       text_is(Entity::kTag, "weird key!", Operator::kIlike, "a_b")},
      {"tags.größe = 'ü'", text_is(Entity::kTag, "größe", Operator::kEqual, "ü")},
      {"tags.x IS NULL", {Entity::kTag, "x", Operator::kIsNull, false, 0, {}}},
      {"params.x is not null", {Entity::kParam, "x", Operator::kIsNotNull, false, 0, {}}},
      {"status = 'FINISHED'", text_is(Entity::kAttribute, "status", Operator::kEqual, "FINISHED")},
      {"attributes.`Run name` = 'a'",
       text_is(Entity::kAttribute, "run_name", Operator::kEqual, "a")},
      {"attr.Created > 5", number_is(Entity::kAttribute, "start_time", Operator::kGreater, 5)},
      {"run_id IN ('a', 'b')", {Entity::kAttribute, "run_id", Operator::kIn, false, 0, {"a", "b"}}},
      {"run_id NOT IN ('a')", {Entity::kAttribute, "run_id", Operator::kNotIn, false, 0, {"a"}}},
      {"datasets.context = 'train'",
       text_is(Entity::kDataset, "context", Operator::kEqual, "train")},
      {"dataset.name IN ('x')", {Entity::kDataset, "name", Operator::kIn, false, 0, {"x"}}},
  };
  for (const Good& row : rows) {
    const std::vector<Comparison> parsed = parse(row.text);
    ASSERT_EQ(parsed.size(), 1U) << row.text;
    EXPECT_EQ(parsed[0], row.comparison) << row.text;
  }
}

// Once these were compared as 0.
TEST(SearchFilter, NumbersBeyondADoubleAreInfiniteOrZero) {
  EXPECT_EQ(parse("metrics.m < 1e999")[0].number, HUGE_VAL);
  EXPECT_EQ(parse("metrics.m > -1e999")[0].number, -HUGE_VAL);
  EXPECT_EQ(parse("metrics.m > 1e-999")[0].number, 0);
}

TEST(SearchFilter, AndJoins) {
  EXPECT_EQ(parse("metrics.a > 1 AND params.b = 'x' and status = 'FAILED'").size(), 3U);
  EXPECT_TRUE(parse("").empty());
}

struct Bad {
  const char* text;
  const char* message;  // begins with
};

TEST(SearchFilter, FaultsAreNamed) {
  const std::vector<Bad> rows = {
      {"metrics.a > 'x'", "Expected numeric value type for metric. Found 'x'"},
      {"metrics.a > b", "Expected numeric value type for metric. Found b"},
      {"metrics.a LIKE 'x'", "Expected numeric value type for metric. Found 'x'"},
      {"metrics.a LIKE 5",
       "Invalid comparator 'LIKE' not one of '{'>', '>=', '!=', '=', '<', '<='}"},
      {"params.a > 'x'",
       "Invalid comparator '>' not one of '{'!=', '=', 'LIKE', 'ILIKE', 'IS NULL', 'IS NOT "
       "NULL'}'"},
      {"params.a == 'x'", "Invalid comparator '==' not one of"},
      {"params.a = 5",
       "Expected a quoted string value for parameter (e.g. 'my-value'). Got value 5"},
      {"tags.a = x",
       "Parameter value is either not quoted or unidentified quote types used for string value x. "
       "Use either single or double quotes."},
      {"params.a ~ 'x'", "Invalid comparator '~' not one of"},
      {"params.a RLIKE 'x'", "Invalid comparator 'RLIKE' not one of '{"},
      {"params.a = 'x", "Invalid clause(s) in filter string: 'params.a', '=', ''', 'x'"},
      {"metrics.a = +1", "Invalid clause(s) in filter string: 'metrics.a', '=', '+', '1'"},
      {"= 5", "Invalid clause(s) in filter string: '=', '5'"},
      {"'x' = 'y'", "Invalid comparison clause. Expected 'Identifier' found ''x''"},
      {"a = 'x', b = 'y'", "Invalid clause(s) in filter string: 'a = 'x', b = 'y''"},
      {"  ", "Invalid filter '  '. Could not be parsed."},
      {"metrics.a > 1; drop",
       "Search filter contained multiple expression 'metrics.a > 1; drop'. Provide AND-ed "
       "expression list."},
      {"color = 'x'", "Invalid attribute key 'color' specified. Valid keys are '{'run_id', "},
      {"foo.bar = 'x'",
       "Invalid entity type 'foo'. Valid values are ['metric', 'parameter', 'tag', 'attribute', "
       "'dataset']"},
      {"datasets.size = 'x'",
       "Invalid dataset key 'size' specified. Valid keys are '{'name', 'digest', 'context'}'"},
      {"metrics.a > 1 OR metrics.b > 1", "Invalid clause(s) in filter string: 'OR'"},
      {"NOT metrics.a > 1", "Invalid clause(s) in filter string: 'NOT'"},
      {"(metrics.a > 1)", "Invalid clause(s) in filter string: '(metrics.a > 1)'"},
      {"metrics.a > 1 AND", "Invalid clause(s) in filter string: 'AND'"},
      {"AND metrics.a > 1", "Invalid clause(s) in filter string: 'AND'"},
      {"metrics.a > 1 metrics.b > 1", "Invalid clause(s) in filter string: 'metrics.b > 1'"},
      {"metrics.a", "Invalid clause(s) in filter string: 'metrics.a'"},
      {"metrics.a IS NULL",
       "IS NULL / IS NOT NULL is only supported for tags and params, not for 'metric' 'a'"},
      {"run_name IN ('a')",
       "Only ['run_id'] attributes support comparison with a list of quoted string values."},
      {"run_id IN ('a', 5)",
       "While parsing a list in the query, expected string value, punctuation, or whitespace, but "
       "got different type in list: ('a', 5)"},
      {"run_id IN (5)",
       "While parsing a list in the query, expected string value, punctuation, or whitespace, but "
       "got different type in list: (5,)"},
      {"run_id IN ()",
       "While parsing a list in the query, expected a non-empty list of string values, but got "
       "empty list"},
      {"run_id IN ('a' 'b')",
       "While parsing a list in the query, expected a non-empty list of string values, but got "
       "ill-formed list."},
      {"run_id IN ('a'", "Invalid clause(s) in filter string: 'run_id', 'IN', '(', ''a''"},
      {"run_id IN 'a'", "Invalid clause(s) in filter string: 'run_id', 'IN', ''a''"},
      {"start_time > 'x'",
       "Expected numeric value type for numeric attribute: start_time. Found 'x'"},
  };
  for (const Bad& row : rows) {
    try {
      parse(row.text);
      ADD_FAILURE() << row.text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInvalidArgument);
      EXPECT_EQ(std::string(error.what()).substr(0, std::string(row.message).size()), row.message)
          << row.text;
    }
  }
}

// Each search's parser has words of its own.
TEST(SearchFilter, DialectsDiffer) {
  static constexpr Attribute kAttributes[] = {{"name", "name", false, true}};
  const auto message = [](Dialect dialect, std::string_view text) -> std::string {
    const SearchLanguage language{kAttributes, dialect};
    try {
      parse_filter(text, language);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  for (const Dialect dialect : {Dialect::kExperiments, Dialect::kModels, Dialect::kVersions}) {
    EXPECT_EQ(message(dialect, "name = 'a' OR name = 'b'"),
              "Invalid clause(s) in filter string: OR");
    EXPECT_EQ(message(dialect, "params.a = 'b'"),
              "Invalid entity type 'params'. Valid entity types are ('attribute', 'tag', 'tags')");
  }
  EXPECT_EQ(message(Dialect::kExperiments, "name = 5"),
            "Expected a quoted string value for attributes. Got value 5");
  EXPECT_EQ(message(Dialect::kModels, "name = 5"),
            "Expected a quoted string value or a list of quoted string values for attributes. Got "
            "value 5");
  EXPECT_EQ(message(Dialect::kExperiments, "name IS NULL"),
            "IS NULL / IS NOT NULL is only supported for tags, not for attribute 'name'");
  const Dialect models = Dialect::kLoggedModels;
  EXPECT_EQ(message(models, "name = 'a' OR name = 'b'"),
            "Invalid filter string: \"name = 'a' OR name = 'b'\". Expected a list of comparisons "
            "separated by 'AND' (e.g. 'metrics.loss > 0.1 AND params.lr = 0.01').");
  EXPECT_EQ(message(models, "tag.a = 'b'"),
            "Invalid entity type: 'tag'. Expected one of ['attributes', 'metrics', 'params', "
            "'tags'].");
  EXPECT_EQ(message(models, "metrics.a LIKE 'b'"),
            "Invalid comparison operator for metrics.a: 'LIKE'. Expected one of ('<', '<=', '>', "
            "'>=', '=', '!=').");
  EXPECT_EQ(message(models, "params.a > 'b'"),
            "Invalid comparison operator for params.a: '>'. Expected one of ('=', '!=', 'LIKE', "
            "'ILIKE', 'IN', 'NOT IN').");
  EXPECT_EQ(message(models, "name is null"),
            "Invalid comparison: nameIS NULL. Expected a comparison with 3 tokens.");
  EXPECT_EQ(message(models, "name = 5"), "");
}

TEST(SearchFilter, Limits) {
  EXPECT_THROW(parse(std::string(kFilterBytesMax + 1, ' ')), Error);
  // Each in one pass: the time of these grows with their length alone.
  for (const char c : {'(', ')', '\'', '`', ',', ';', '=', '.', '+'})
    EXPECT_THROW(parse(std::string(kFilterBytesMax, c)), Error) << c;
  std::string many = "metrics.a > 1";
  for (std::size_t i = 1; i < kComparisonsMax; ++i) many += " AND metrics.a > 1";
  EXPECT_EQ(parse(many).size(), kComparisonsMax);
  EXPECT_THROW(parse(many + " AND metrics.a > 1"), Error);
  for (const char* op : {"LIKE", "ILIKE"}) {
    const std::string begin = std::string("params.a ") + op + " '";
    EXPECT_EQ(parse(begin + std::string(kPatternBytesMax, '*') + "'").size(), 1U);
    try {
      parse(begin + std::string(kPatternBytesMax + 1, '*') + "'");
      ADD_FAILURE() << "a pattern beyond the limit was taken";
    } catch (const Error& error) {
      EXPECT_STREQ(error.what(),
                   "Invalid filter: a pattern of 16001 bytes, at most 16000 are read");
    }
  }
}

TEST(SearchFilter, OrderTerms) {
  const auto order = parse_order(
      {"metrics.rmse DESC", "params.lr", "start_time asc", "tags.`a b` desc"}, run_language());
  EXPECT_EQ(order, (std::vector<OrderTerm>{{Entity::kMetric, "rmse", false},
                                           {Entity::kParam, "lr", true},
                                           {Entity::kAttribute, "start_time", true},
                                           {Entity::kTag, "a b", false}}));
  const auto message = [](const std::string& term) -> std::string {
    try {
      parse_order({term}, run_language());
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(message("metrics.a down"), "Invalid ordering key in order_by clause 'metrics.a down'.");
  EXPECT_EQ(message(""), "Invalid order_by clause ''. Could not be parsed.");
  EXPECT_EQ(message("datasets.name"), "Invalid identifier type 'dataset'");
  EXPECT_EQ(message("metrics.a DESC, b"),
            "Invalid order_by clause 'metrics.a DESC, b'. Could not be parsed.");
  EXPECT_EQ(message("`run name`").substr(0, 53),
            "Invalid attribute key 'run name' specified. Valid key");
  EXPECT_THROW(parse_order({"metrics.a", "metric.a DESC"}, run_language()), Error);
  EXPECT_THROW(parse_order(std::vector<std::string>(17, "metrics.a"), run_language()), Error);
}

}  // namespace
}  // namespace slipway::tracking
