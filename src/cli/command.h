// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "json/value.h"

namespace slipway::cli {

// Exit codes that scripts rely on: the table of docs/guide/command-line.md.
enum ExitCode : int {
  kDone = 0,
  kFailed = 1,
  kUsage = 2,
  kFindings = 3,
  kNotAllowed = 4,
  kNotFound = 5,
  kConflict = 6,
  kUnavailable = 7,
  kRefused = 8,  // a gate or canary said no
};

// One option or positional argument of a command.
struct Option {
  enum class Kind { kFlag, kText, kInteger, kRepeated, kPositional, kPositionals };
  std::string flags;  // "-o,--out" or "--json"; for positionals the name as shown: "FILE"
  Kind kind = Kind::kText;
  std::string help;
  std::string value_name;   // "HOST:PORT"; empty for flags and positionals
  bool required = false;    // positionals and options
  std::string key() const;  // the name in Arguments: "out", "json", "FILE"
};

// What was given on the command line, checked against the table.
class Arguments {
 public:
  bool flag(std::string_view key) const { return values_.contains(std::string(key)); }
  std::optional<std::string> text(std::string_view key) const;
  std::string text_or(std::string_view key, std::string_view otherwise) const;
  // Throws kInvalidArgument naming the option and the range where the text is no such number.
  std::optional<std::int64_t> integer(std::string_view key, std::int64_t least = INT64_MIN,
                                      std::int64_t most = INT64_MAX) const;
  std::vector<std::string> list(std::string_view key) const;
  void add(const std::string& key, std::string value) { values_[key].push_back(std::move(value)); }

 private:
  std::map<std::string, std::vector<std::string>> values_;
};

// Where a command reads and writes. `out` carries the result alone; everything said besides goes to
// `err`.
struct Context {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  bool json = false;        // --json: one object on `out`, also for errors
  std::string command;      // "run list": the kind in the envelope is "run.list"
  bool as_dvc = false;      // started under the name `dvc`: no tracking
  std::size_t columns = 0;  // of the terminal that `out` is; 0 = no terminal, or it does not say
};

// One row of the command table. Parser, help and documentation are made from these.
struct Command {
  std::string name;                   // "run list"
  std::string summary;                // one line, no full stop
  std::vector<std::string> examples;  // shown first in --help, runnable as printed
  std::vector<Option> options;        // besides --json, -h and --help, which every command has
  std::function<int(const Arguments&, Context&)> run;
  bool dvc = false;  // one of DVC's verbs: DVC's texts, JSON and exit codes; takes part under the
                     // name `dvc`
  bool json_option = true;  // false where the output is always JSON, or never a result
};

// The whole table, in the order of the help. One row a command; a command that is not here does not
// exist.
const std::vector<Command>& commands();

// Runs one command line: finds the row, parses, runs it, prints the error if one is thrown, and
// returns the exit code.
//   program   argv[0]: started under the name `dvc`, only DVC's verbs are known
int run(const std::string& program, const std::vector<std::string>& words, std::istream& in,
        std::ostream& out, std::ostream& err);

}  // namespace slipway::cli
