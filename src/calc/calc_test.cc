// SPDX-License-Identifier: Apache-2.0
#include "calc/calc.h"

#include <algorithm>
#include <gtest/gtest.h>

#include "base/error.h"

namespace slipway::calc {
namespace {

std::string failure(const std::string& name, const std::string& input) {
  try {
    return json::write(run(name, json::parse(input, {.bare_non_finite = true})));
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(Calc, ListsItsNamesInOrder) {
  const std::vector<std::string> all = names();
  EXPECT_TRUE(std::ranges::is_sorted(all));
  for (const char* name :
       {"cluster-se", "canary-e-process", "e-detector", "wilson", "paired-bootstrap", "holm"}) {
    EXPECT_TRUE(std::ranges::binary_search(all, name)) << name;
  }
}

TEST(Calc, UnknownNameIsNotFound) {
  try {
    run("no-such-thing", json::Object{});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kNotFound);
    EXPECT_STREQ(error.what(), "`no-such-thing` is not a statistic");
  }
}

struct BadInput {
  const char* name;
  const char* input;
  const char* message;
};

TEST(Calc, BadInputNamesItsKey) {
  const BadInput rows[] = {
      {"wilson", "[]", "`-`: the input must be one object, not a list"},
      {"wilson", R"({"k":1})", "`n` is missing"},
      {"wilson", R"({"k":1,"n":2,"m":3})", "`m` is not a key of this input"},
      {"wilson", R"({"k":"1","n":2})", "`k` must be a count, not a text"},
      {"wilson", R"({"k":true,"n":2})", "`k` must be a count, not true or false"},
      {"wilson", R"({"k":-1,"n":2})", "`k` must be a count: an integer of at least 0"},
      {"wilson", R"({"k":0.5,"n":2})", "`k` must be a count: an integer of at least 0"},
      {"wilson", R"({"k":3,"n":2})", "`k` must be a count of at most `n`"},
      {"wilson", R"({"k":3,"n":9007199254740993})", "`n` must be at most 2^53"},
      {"wilson", R"({"k":3,"n":1e300})", "`n` must be at most 2^53"},
      {"wilson", R"({"k":3,"n":NaN})", "`n` must be a count: an integer of at least 0"},
      {"wilson", R"({"k":1,"n":2,"conf":1})", "`conf` must be above 0 and below 1"},
      {"wilson", R"({"k":1,"n":2,"conf":null})", "`conf` must be a number, not null"},
      {"paired-t", R"({})", "`a` is missing, or `x`"},
      {"paired-t", R"({"a":[1,2]})", "`b` is missing"},
      {"paired-t", R"({"a":[1,2],"b":[1,2,3]})", "`b` must be as long as `a`"},
      {"paired-t", R"({"a":[1,2],"b":[1,2],"x":[1,2]})", "`x` cannot be given together with `a`"},
      {"paired-t", R"({"x":[1]})", "`x` must hold at least 2 values"},
      {"paired-t", R"({"x":[1,null]})", "`x` must be a number, not null"},
      {"paired-t", R"({"x":[1,NaN]})", "`x` must be finite"},
      {"paired-t", R"({"x":[1,-Infinity]})", "`x` must be finite"},
      {"paired-t", R"({"x":1})", "`x` must be a list, not a number"},
      {"paired-t", R"({"a":[1e308,1],"b":[-1e308,1]})",
       "`b` must lie within a double's range of `a`"},
      {"paired-t", R"({"x":[1,2],"alternative":"bigger"})",
       R"(`alternative` must be one of "two-sided", "greater", "less")"},
      {"cluster-se", R"({"x":[1,2],"cluster":[1]})", "`cluster` must be as long as the values"},
      {"cluster-se", R"({"x":[1,2],"cluster":["a","a"]})",
       "`cluster` must hold at least 2 different clusters"},
      {"cluster-se", R"({"x":[1,2],"cluster":[1,1.5]})", "`cluster` must hold texts or integers"},
      {"canary-e-process", R"({"steps":[],"delta":0.1})", "`steps` must hold at least 1 value"},
      {"canary-e-process", R"({"steps":[1],"delta":0.1})", "`steps` must hold objects"},
      {"canary-e-process", R"({"steps":[{"w":0.1,"c0":0,"canary":[1,2]}],"delta":0.1})",
       "`stable` is missing"},
      {"canary-e-process",
       R"({"steps":[{"w":0.1,"c0":0,"canary":[1,2],"stable":[1,2,3]}],"delta":0.1})",
       "`stable` must hold exactly 2 values"},
      {"canary-e-process",
       R"({"steps":[{"w":1,"c0":0,"canary":[1,2],"stable":[1,2]}],"delta":0.1})",
       "`w` must be above 0 and below 1"},
      {"canary-e-process",
       R"({"steps":[{"w":0.5,"c0":0,"canary":[9007199254740992,0],"stable":[1,2]}],"delta":0.1})",
       "`steps` must count at most 2^53 requests in all"},
      {"canary-e-process-stream", R"({"arm":[2],"y":[0],"w":0.5,"c0":0,"delta":0.1})",
       "`arm` must hold 0 and 1 only"},
      {"canary-e-process-stream", R"({"arm":[1],"y":[0,1],"w":0.5,"c0":0,"delta":0.1})",
       "`y` must be as long as `arm`"},
      {"canary-e-process-stream", R"({"arm":[1],"y":[0],"w":[0.5,0.5],"c0":0,"delta":0.1})",
       "`w` must be as long as `arm`"},
      {"canary-e-process-stream", R"({"arm":[1],"y":[0],"w":0.5,"c0":"walking","delta":0.1})",
       R"(`c0` must be "running")"},
      {"shadow-e-process", R"({})", "`z` is missing, or `plus`"},
      {"shadow-e-process", R"({"z":[1.5]})", "`z` must be at least -1 and at most 1"},
      {"guardrail-verdict", R"({"rollback_e":[1,2],"promote_e":[1]})",
       "`promote_e` must be as long as `rollback_e`"},
      {"e-detector", R"({"x":[0.5],"m":0.1,"n":1})", "`n` must be above 1"},
      {"e-detector", R"({"x":[0.5],"m":0.1,"rule":"ewma"})",
       R"(`rule` must be one of "sr", "cusum")"},
      {"e-detector", R"({"x":[],"m":0.1})", "`x` must hold at least 1 value"},
      {"window-e-detector", R"({"e":[[1,2],[3]]})", "`e` must hold lists of one length"},
      {"asymptotic-cs", R"({"n":10,"alpha":0.5,"sides":1})",
       "`alpha` must be below 0.5 when `sides` is 1"},
      {"asymptotic-cs", R"({"n":10,"sides":3})", "`sides` must be at least 1 and at most 2"},
      {"t-test-e-value", R"({"t":1})", "`n` is missing"},
      {"paired-bootstrap", R"({"x":[1,2],"resamples":99})",
       "`resamples` must be at least 100 and at most 100000000"},
      {"paired-bootstrap", R"({"x":[1,2,3,4,5,6,7,8],"exhaustive":true})",
       "`exhaustive` must not be true for more than 7 units: their resamples are too many"},
      {"paired-permutation", R"({"x":[1,2],"resamples":100000001})",
       "`resamples` must be at least 1 and at most 100000000"},
      {"holm", R"({"p":[0.5,1.5]})", "`p` must be at least 0 and at most 1"},
  };
  for (const BadInput& row : rows)
    EXPECT_EQ(failure(row.name, row.input), row.message) << row.name << row.input;
}

TEST(Calc, AcceptsWholeNumbersAsCounts) {
  EXPECT_EQ(failure("mcnemar", R"({"b":3.0,"c":3})").substr(0, 20), R"({"n":6,"p_exact":1.0)");
}

TEST(Calc, ClusterKeysOfTextAndNumberDiffer) {
  const std::string output = failure("cluster-se", R"({"x":[1,2,3,5],"cluster":[1,1.0,"1","1"]})");
  EXPECT_NE(output.find(R"("clusters":2)"), std::string::npos) << output;
}

TEST(Calc, UndefinedIsNullWithANoteAndInfiniteIsAText) {
  EXPECT_EQ(failure("wilson", R"({"k":0,"n":0})"),
            R"({"estimate":null,"lo":0.0,"hi":1.0,"note":"no trials"})");
  EXPECT_EQ(
      failure("shadow-e-process", R"({"plus":100000,"minus":0})"),
      R"({"e":"inf","e_max":null,"at":null,"note":"counts have no order, so there is no path"})");
}

TEST(Calc, SameInputSameBytes) {
  const char* const input = R"({"x":[1,2,3,4,5,6,7,8,9],"seed":7})";
  const std::string first = failure("paired-bootstrap", input);
  EXPECT_EQ(first, failure("paired-bootstrap", input));
  EXPECT_NE(first, failure("paired-bootstrap", R"({"x":[1,2,3,4,5,6,7,8,9],"seed":8})"));
}

TEST(Calc, SchemasComeFromTheTableThatParses) {
  const json::Value list = list_json();
  ASSERT_EQ(list.as_array().size(), names().size());
  const json::Value* wilson = nullptr;
  for (const json::Value& entry : list.as_array()) {
    if (entry.find("name")->as_string() == "wilson") wilson = entry.find("input");
    EXPECT_FALSE(entry.find("summary")->as_string().empty());
  }
  ASSERT_NE(wilson, nullptr);
  EXPECT_EQ(
      json::write(*wilson),
      R"({"type":"object","properties":{"k":{"type":"integer","minimum":0,"maximum":9007199254740992},)"
      R"("n":{"type":"integer","minimum":0,"maximum":9007199254740992},)"
      R"("conf":{"type":"number","exclusiveMinimum":0.0,"exclusiveMaximum":1.0,"default":0.95}},)"
      R"("required":["k","n"],"additionalProperties":false})");
}

}  // namespace
}  // namespace slipway::calc
