// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <gtest/gtest.h>
#include <sstream>

#include "calc/calc.h"

namespace slipway::calc {
namespace {

struct Outcome {
  int code;
  std::string out;
  std::string err;
};

Outcome call(const std::vector<std::string>& args, const std::string& input = "") {
  std::istringstream in(input);
  std::ostringstream out;
  std::ostringstream err;
  const int code = run_stats(args, in, out, err);
  return {code, out.str(), err.str()};
}

TEST(StatsCommand, PrintsOneBareObject) {
  const Outcome outcome = call({"always-valid-p"}, "{\"e\": [2, 1, 4]}\n");
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, "{\"p\":[0.5,0.5,0.25],\"p_last\":0.25}\n");
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(call({"always-valid-p", "--json"}, "{\"e\": [2, 1, 4]}").out, outcome.out);
}

TEST(StatsCommand, BadInputIsOneLineAndCode2) {
  struct Row {
    std::vector<std::string> args;
    const char* input;
    const char* err;
  };
  const Row rows[] = {
      {{"wilson"}, "{\"k\":1}", "error: `n` is missing\n"},
      {{"wilson"}, "[1,2]", "error: `-`: the input must be one object, not a list\n"},
      {{"nothing"},
       "{}",
       "error: `nothing` is not a statistic: `slipway stats list` prints the names\n"},
      {{}, "", "error: `NAME` is missing: `slipway stats list` prints the names\n"},
      {{"wilson", "--fast"}, "{}", "error: `--fast` is not a flag of `slipway stats`\n"},
      {{"wilson", "holm"}, "{}", "error: `holm` is one word too many: input comes on stdin\n"},
      {{"list", "--jsonl"}, "", "error: `--jsonl` has no meaning for `list`\n"},
  };
  for (const Row& row : rows) {
    const Outcome outcome = call(row.args, row.input);
    EXPECT_EQ(outcome.code, 2);
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(outcome.err, row.err);
  }
}

TEST(StatsCommand, TextThatIsNoJsonIsNamedAsTheWholeInput) {
  for (const char* input :
       {"", "{", "{\"k\":1,}", "{\"k\":1}{}", "\xff", "nan", "{\"k\":1,\"k\":2,\"n\":3}"}) {
    const Outcome outcome = call({"wilson"}, input);
    EXPECT_EQ(outcome.code, 2) << input;
    EXPECT_EQ(outcome.out, "");
    EXPECT_TRUE(outcome.err.starts_with("error: `-`: not valid JSON: ")) << outcome.err;
    EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1);
  }
}

TEST(StatsCommand, JsonlAnswersLineByLineAndGoesOnAfterABadOne) {
  const Outcome outcome =
      call({"always-valid-p", "--jsonl"}, "{\"e\":[4]}\n{\"f\":1}\nnope\n{\"e\":[2]}");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.err, "");
  std::istringstream lines(outcome.out);
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(line, "{\"p\":[0.25],\"p_last\":0.25}");
  std::getline(lines, line);
  EXPECT_EQ(line, "{\"error\":{\"key\":\"f\",\"message\":\"`f` is not a key of this input\"}}");
  std::getline(lines, line);
  EXPECT_TRUE(line.starts_with("{\"error\":{\"key\":\"-\",\"message\":\"`-`: not valid JSON: "))
      << line;
  std::getline(lines, line);
  EXPECT_EQ(line, "{\"p\":[0.5],\"p_last\":0.5}");
  EXPECT_FALSE(std::getline(lines, line));
  EXPECT_EQ(call({"always-valid-p", "--jsonl"}, "{\"e\":[4]}\n").code, 0);
  EXPECT_EQ(call({"always-valid-p", "--jsonl"}, "").out, "");
}

TEST(StatsCommand, ListPrintsNamesOrSchemas) {
  const Outcome plain = call({"list"});
  EXPECT_EQ(plain.code, 0);
  std::string expected;
  for (const std::string& name : names()) expected += name + "\n";
  EXPECT_EQ(plain.out, expected);
  const Outcome json = call({"list", "--json"});
  EXPECT_EQ(json.out, json::write(list_json()) + "\n");
}

}  // namespace
}  // namespace slipway::calc
