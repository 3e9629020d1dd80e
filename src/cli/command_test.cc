// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"

#include <cstdlib>
#include <gtest/gtest.h>
#include <set>
#include <sstream>

#include "base/error.h"
#include "base/file.h"
#include "cli/help.h"
#include "cli/output.h"
#include "json/value.h"

namespace slipway::cli {
namespace {

struct Said {
  int code = 0;
  std::string out;
  std::string err;
};

Said say(const std::vector<std::string>& words, const std::string& program = "slipway") {
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  Said said;
  said.code = run(program, words, in, out, err);
  said.out = out.str();
  said.err = err.str();
  return said;
}

TEST(CommandTable, EachRowIsWhole) {
  std::set<std::string> names;
  for (const Command& command : commands()) {
    EXPECT_TRUE(names.insert(command.name).second) << command.name << " stands twice";
    EXPECT_FALSE(command.summary.empty()) << command.name;
    EXPECT_NE(command.summary.back(), '.') << command.name;
    EXPECT_FALSE(command.examples.empty()) << command.name;
    EXPECT_TRUE(command.run) << command.name;
    for (const std::string& example : command.examples) {
      EXPECT_NE(example.find("slipway " + command.name.substr(0, command.name.find(' '))),
                std::string::npos)
          << example;
    }
    for (const Option& option : command.options)
      EXPECT_FALSE(option.help.empty()) << command.name << " " << option.flags;
  }
}

TEST(CommandTable, HelpShowsExamplesFirstAndEveryOption) {
  for (const Command& command : commands()) {
    std::vector<std::string> words;
    std::string word;
    for (std::istringstream name(command.name); name >> word;) words.push_back(word);
    words.emplace_back("--help");
    const Said said = say(words);
    EXPECT_EQ(said.code, kDone) << command.name;
    EXPECT_TRUE(said.out.starts_with(command.summary)) << said.out;
    EXPECT_LT(said.out.find(command.examples[0]), said.out.find("usage:")) << command.name;
    for (const Option& option : command.options)
      EXPECT_NE(said.out.find(option.help), std::string::npos)
          << command.name << " " << option.flags;
    EXPECT_TRUE(said.err.empty()) << said.err;
  }
}

TEST(CommandTable, TheGuideHoldsExactlyThisTable) {
  const std::string guide = read_file("docs/guide/command-line.md");
  const std::string begin = "<!-- commands -->\n";
  const std::size_t from = guide.find(begin);
  const std::size_t to = guide.find("<!-- end of commands -->");
  ASSERT_NE(from, std::string::npos);
  ASSERT_NE(to, std::string::npos);
  const std::string table = commands_as_markdown();
  if (std::getenv("SLIPWAY_UPDATE_GOLDEN") != nullptr) {
    write_file_atomic("docs/guide/command-line.md",
                      guide.substr(0, from + begin.size()) + table + guide.substr(to));
    return;
  }
  EXPECT_EQ(guide.substr(from + begin.size(), to - from - begin.size()), table)
      << "SLIPWAY_UPDATE_GOLDEN=1 build/release/test_cli rewrites it";
}

TEST(CommandLine, AnUnknownWordNamesTheNearest) {
  Said said = say({"stroy"});
  EXPECT_EQ(said.code, kUsage);
  EXPECT_EQ(said.err, "error: there is no command `stroy`\n  hint: slipway story\n");
  EXPECT_TRUE(said.out.empty());
  said = say({"run", "lst"});
  EXPECT_EQ(said.err, "error: there is no command `run lst`\n  hint: slipway run list\n");
  said = say({"run"});
  EXPECT_EQ(said.code, kUsage);
  EXPECT_TRUE(said.err.starts_with("`slipway run` needs a verb:\n  run list"));
  EXPECT_EQ(say({"rnu", "list"}).err,
            "error: there is no command `rnu`\n  hint: slipway run list\n");
  EXPECT_EQ(say({"modle"}).err, "error: there is no command `modle`\n  hint: slipway model\n");
}

TEST(CommandLine, UnknownWordsSpeakJsonToo) {
  const std::vector<std::vector<std::string>> lines{
      {"stroy", "--json"}, {"run", "lst", "--json"}, {"run", "--json"}};
  for (const std::vector<std::string>& words : lines) {
    const Said said = say(words);
    EXPECT_EQ(said.code, kUsage) << words[0];
    EXPECT_TRUE(said.err.empty()) << said.err;
    EXPECT_EQ(json::parse(said.out).find("error")->find("code")->as_string(), "invalid_argument");
  }
}

TEST(CommandLine, HelpTakesACommandOrANoun) {
  const Said command = say({"help", "run", "list"});
  EXPECT_EQ(command.code, kDone);
  EXPECT_EQ(command.out, say({"run", "list", "--help"}).out);
  const Said noun = say({"help", "run"});
  EXPECT_EQ(noun.code, kDone);
  EXPECT_TRUE(noun.out.starts_with("  run list ")) << noun.out;
  EXPECT_EQ(say({"run", "--help"}).out, noun.out);
  const Said unknown = say({"help", "stroy"});
  EXPECT_EQ(unknown.code, kUsage);
  EXPECT_EQ(unknown.err, "error: there is no command `stroy`\n  hint: slipway story\n");
}

TEST(CommandLine, WrongOptionsAreUsageErrorsUnderJsonToo) {
  Said said = say({"run", "list", "--nope"});
  EXPECT_EQ(said.code, kUsage);
  EXPECT_TRUE(said.err.starts_with("error: `run list`: ")) << said.err;
  EXPECT_TRUE(said.err.ends_with("  hint: slipway run list --help\n")) << said.err;
  EXPECT_EQ(say({"plan", "--detailed-exitcode", "--nope"}).code, kFailed);
  said = say({"run", "show", "--json"});
  EXPECT_EQ(said.code, kUsage);
  EXPECT_TRUE(said.err.empty());
  EXPECT_EQ(json::parse(said.out).find("error")->find("code")->as_string(), "invalid_argument");
}

TEST(CommandLine, AUsageErrorNamesTheWordAndTheWayOut) {
  const auto error = [](const std::vector<std::string>& words) {
    const Said said = say(words);
    EXPECT_EQ(said.code, kUsage) << words[0];
    return said.err.substr(0, said.err.find('\n'));
  };
  EXPECT_EQ(error({"run", "list", "--limt", "3"}),
            "error: `run list`: there is no option `--limt`, did you mean `--limit`?");
  EXPECT_EQ(error({"doctor", "now"}), "error: `doctor`: `now` is one word too many");
  EXPECT_EQ(error({"run", "show", "a", "b"}), "error: `run show`: `b` is one word too many");
  EXPECT_EQ(error({"run", "list", "--limit"}), "error: `run list`: --limit needs a value");
  EXPECT_EQ(error({"rollout", "list", "--endpoint", ""}),
            "error: `rollout list`: --endpoint is empty");
  EXPECT_EQ(error({"endpoint", "show", ""}), "error: `endpoint show`: ENDPOINT is empty");
  EXPECT_EQ(error({"run", "list", "--limit", "0"}),
            "error: `--limit 0` must be a whole number from 1 to 50000");
  EXPECT_EQ(error({"event", "list", "--after", "-4"}),
            "error: `--after -4` must be a whole number from 0");
  EXPECT_EQ(error({"event", "list", "--subject", "late-arrival"}),
            "error: `--subject late-arrival`: write KIND:NAME, such as endpoint:late-arrival");
  EXPECT_EQ(error({"monitor", "export", "m", "--format", "json"}),
            "error: `--format json`: csv is the only format");
  EXPECT_EQ(say({"plan", "--detailed-exitcode", "--out", ""}).code, kFailed);
}

TEST(CommandLine, AServerThatCannotBeReachedHasAWayOut) {
  setenv("SLIPWAY_URL", "http://127.0.0.1:1", 1);
  const Said said = say({"trigger", "list"});
  unsetenv("SLIPWAY_URL");
  EXPECT_EQ(said.code, kUnavailable);
  EXPECT_TRUE(said.err.starts_with("error: cannot reach http://127.0.0.1:1/")) << said.err;
  EXPECT_TRUE(
      said.err.ends_with("  hint: slipway server   (or: export SLIPWAY_URL=http://HOST:PORT)\n"))
      << said.err;
}

TEST(CommandLine, WithoutAServerEveryRemoteCommandSaysHowToFindOne) {
  for (const char* const name : {"SLIPWAY_URL", "MLFLOW_TRACKING_URI"}) unsetenv(name);
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path("/");
  const Said said = say({"story", "--json"});
  const Said plain = say({"endpoint", "list"});
  std::filesystem::current_path(before);
  EXPECT_EQ(said.code, kUnavailable);
  EXPECT_EQ(json::parse(said.out).find("error")->find("code")->as_string(), "unavailable");
  EXPECT_EQ(plain.err,
            "error: no server found: SLIPWAY_URL is not set and none runs on a .slipway folder "
            "here or above\n"
            "  hint: slipway server   (or: export SLIPWAY_URL=http://HOST:PORT)\n");
}

TEST(CommandLine, AnIntegerIsDigitsOnly) {
  Arguments arguments;
  arguments.add("limit", "12");
  EXPECT_EQ(arguments.integer("limit"), 12);
  EXPECT_EQ(arguments.integer("absent"), std::nullopt);
  for (const char* const wrong : {"many", "1.5", "inf", "", "1 2", "99999999999999999999"}) {
    Arguments bad;
    bad.add("limit", wrong);
    EXPECT_THROW(bad.integer("limit"), Error) << wrong;
  }
}

TEST(CommandLine, UnderTheNameDvcOnlyDvcsVerbsExist) {
  const Said said = say({"server"}, "/usr/bin/dvc");
  EXPECT_EQ(said.code, 254);
  EXPECT_TRUE(said.err.starts_with("error: there is no command `server`")) << said.err;
  EXPECT_EQ(say({"repro", "--help"}, "dvc").code, kDone);
}

TEST(CommandLine, VersionIsOneLineAndFactsUnderJson) {
  EXPECT_EQ(say({"--version"}).out, "slipway 0.1.0\n");
  EXPECT_EQ(
      json::parse(say({"--version", "--json"}).out).find("data")->find("version")->as_string(),
      "0.1.0");
}

TEST(Output, TablesAreTabSeparatedWhenPipedAndKeepNoControlCharacters) {
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  Context context{in, out, err};
  context.command = "run list";
  const json::Array rows{json::Object{{"a", "x\x1b[31my"}, {"b", json::Object{{"c", 1.5}}}},
                         json::Object{{"a", nullptr}}};
  print_table(context, rows, {{"A", "a"}, {"C", "b.c"}});
  EXPECT_EQ(out.str(), "x [31my\t1.5\n-\t-\n");
}

TEST(Output, TablesAreAlignedAndCutOnATerminal) {
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  Context context{in, out, err};
  context.out_is_terminal = true;
  context.columns = 24;
  const json::Array rows{json::Object{{"name", "航班"}, {"why", "0123456789 0123456789"}},
                         json::Object{{"name", "b"}, {"why", ""}}};
  print_table(context, rows, {{"NAME", "name"}, {"WHY", "why"}});
  EXPECT_EQ(out.str(), "NAME  WHY\n航班  0123456789 0123...\nb     -\n");
  EXPECT_TRUE(err.str().empty());
  print_table(context, {}, {{"NAME", "name"}});
  EXPECT_EQ(err.str(), "none\n");
}

TEST(Output, ObjectsAreReadNotParsed) {
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  Context context{in, out, err};
  const json::Value value = json::parse(
      R"({"a":"","b":{"c":0.1234567,"d":[1,"x"]},"steps":[{"weight":0.25,"c0":{"error":0.0}}],)"
      R"("t":"2013-03-01T05:00:00.000000Z","on":true})");
  print_object(context, value);
  EXPECT_EQ(out.str(),
            "a: -\nb:\n  c: 0.123457\n  d: 1, x\nsteps:\n  - weight 0.25, c0 (error 0)\n"
            "t: 2013-03-01T05:00:00Z\non: yes\n");
}

TEST(Output, EveryCodeHasAnExit) {
  EXPECT_EQ(exit_code(Code::kInvalidArgument), 2);
  EXPECT_EQ(exit_code(Code::kPermissionDenied), 4);
  EXPECT_EQ(exit_code(Code::kNotFound), 5);
  EXPECT_EQ(exit_code(Code::kConflict), 6);
  EXPECT_EQ(exit_code(Code::kUnavailable), 7);
  EXPECT_EQ(exit_code(Code::kInternal), 1);
}

}  // namespace
}  // namespace slipway::cli
