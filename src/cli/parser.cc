// SPDX-License-Identifier: Apache-2.0
// The only file that sees CLI11: it turns rows of the command table into its tree, and what it
// parsed into Arguments.
#include <CLI/CLI.hpp>
#include <charconv>
#include <filesystem>
#include <iostream>
#include <unistd.h>

#include "base/error.h"
#include "base/nearest.h"
#include "cli/command.h"
#include "cli/help.h"
#include "cli/output.h"

namespace slipway::cli {

std::string Option::key() const {
  if (kind == Kind::kPositional || kind == Kind::kPositionals) return flags;
  const std::size_t start = flags.rfind("--");
  return flags.substr(start == std::string::npos ? flags.rfind('-') + 1 : start + 2);
}

std::optional<std::string> Arguments::text(std::string_view key) const {
  const auto found = values_.find(std::string(key));
  if (found == values_.end() || found->second.empty()) return std::nullopt;
  return found->second.back();
}

std::string Arguments::text_or(std::string_view key, std::string_view otherwise) const {
  return text(key).value_or(std::string(otherwise));
}

std::optional<std::int64_t> Arguments::integer(std::string_view key) const {
  const auto value = text(key);
  if (!value) return std::nullopt;
  std::int64_t number = 0;
  const char* const end = value->data() + value->size();
  const auto [stop, fault] = std::from_chars(value->data(), end, number);
  if (fault != std::errc{} || stop != end) {
    throw Error(Code::kInvalidArgument,
                "`--" + std::string(key) + " " + *value + "` must be a whole number");
  }
  return number;
}

std::vector<std::string> Arguments::list(std::string_view key) const {
  const auto found = values_.find(std::string(key));
  return found == values_.end() ? std::vector<std::string>() : found->second;
}

namespace {

constexpr int kDvcUsageExit = 254;

// The words that name a command, longest match first: "run list" of {"run", "list", "--limit",
// "3"}.
const Command* find_command(const std::vector<std::string>& words, bool as_dvc, std::size_t& used) {
  const Command* best = nullptr;
  used = 0;
  for (const Command& command : commands()) {
    if (as_dvc && !command.dvc) continue;
    std::vector<std::string> names;
    std::string name;
    for (std::istringstream stream(command.name); stream >> name;) names.push_back(name);
    if (names.size() > words.size() || names.size() <= used) continue;
    if (std::equal(names.begin(), names.end(), words.begin())) {
      best = &command;
      used = names.size();
    }
  }
  return best;
}

std::string_view nearest_command(std::string_view typed, bool as_dvc) {
  std::vector<std::string_view> known;
  for (const Command& command : commands()) {
    if (!as_dvc || command.dvc) known.emplace_back(command.name);
  }
  return nearest(typed, known);
}

int unknown_command(const std::vector<std::string>& words, bool as_dvc, const std::string& program,
                    Context& context) {
  std::string typed = words[0];
  // "run lst": the noun is known, so the verb is what was mistyped.
  bool noun_known = false;
  for (const Command& command : commands())
    noun_known = noun_known || command.name.starts_with(words[0] + " ");
  if (noun_known && words.size() == 1) {
    print_noun_help(context.err, words[0]);
    return as_dvc ? kDvcUsageExit : kUsage;
  }
  if (noun_known) typed += " " + words[1];
  const std::string_view near = nearest_command(typed, as_dvc);
  const std::string hint = program + " " + (near.empty() ? "--help" : std::string(near));
  print_error(context, Error(Code::kInvalidArgument, "there is no command `" + typed + "`", hint));
  return as_dvc ? kDvcUsageExit : kUsage;
}

struct Bound {
  const Option* option;
  bool flag = false;
  std::vector<std::string> values;
};

// Registers one option with CLI11, its value landing in `bound`.
void add_option(CLI::App& app, Bound& bound) {
  const Option& option = *bound.option;
  switch (option.kind) {
    case Option::Kind::kFlag: app.add_flag(option.flags, bound.flag, option.help); return;
    case Option::Kind::kInteger:
    case Option::Kind::kText:
    case Option::Kind::kPositional:
      app.add_option(option.flags, bound.values, option.help)
          ->expected(1)
          ->required(option.required);
      return;
    case Option::Kind::kRepeated:
      app.add_option(option.flags, bound.values, option.help)
          ->expected(1)
          ->take_all()
          ->required(option.required);
      return;
    case Option::Kind::kPositionals:
      app.add_option(option.flags, bound.values, option.help)->required(option.required);
      return;
  }
}

int run_command(const Command& command, std::vector<std::string> words, Context& context) {
  CLI::App app;
  app.set_help_flag("");
  bool help = false;
  bool json = false;
  app.add_flag("-h,--help", help);
  if (command.json_option) app.add_flag("--json", json);
  std::vector<Bound> bounds;
  bounds.reserve(command.options.size());
  for (const Option& option : command.options) bounds.push_back({&option, false, {}});
  for (Bound& bound : bounds) add_option(app, bound);
  for (const std::string& word : words) {
    if (word == "--") break;
    if (word == "-h" || word == "--help") {
      print_command_help(context.out, command);
      return kDone;
    }
    if (word == "--json" && command.json_option) context.json = true;
  }
  // Where 2 means changes, as Terraform has it, a wrong option is a failure.
  const bool detailed = std::find(words.begin(), words.end(), "--detailed-exitcode") != words.end();
  try {
    std::reverse(words.begin(), words.end());
    app.parse(words);
  } catch (const CLI::ParseError& fault) {
    std::string message = fault.what();
    if (!message.empty() && message.back() == '\n') message.pop_back();
    print_error(context, Error(Code::kInvalidArgument, "`" + command.name + "`: " + message,
                               "slipway " + command.name + " --help"));
    if (command.dvc) return kDvcUsageExit;
    return detailed ? kFailed : kUsage;
  }
  Arguments arguments;
  for (const Bound& bound : bounds) {
    if (bound.flag) arguments.add(bound.option->key(), "");
    for (const std::string& value : bound.values) arguments.add(bound.option->key(), value);
  }
  return command.run(arguments, context);
}

}  // namespace

int run(const std::string& program, const std::vector<std::string>& words, std::istream& in,
        std::ostream& out, std::ostream& err) {
  const std::string name = std::filesystem::path(program).filename();
  const bool as_dvc = name == "dvc";
  Context context{in,    out, err,   ::isatty(STDOUT_FILENO) == 1, ::isatty(STDERR_FILENO) == 1,
                  false, "",  as_dvc};
  if (words.empty() || words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    print_help(words.empty() ? err : out, as_dvc);
    return words.empty() ? (as_dvc ? kDvcUsageExit : static_cast<int>(kUsage))
                         : static_cast<int>(kDone);
  }
  if (words[0] == "--version" || words[0] == "-V" || (words[0] == "version" && !as_dvc)) {
    const bool json = std::find(words.begin(), words.end(), "--json") != words.end();
    print_version(out, json);
    return kDone;
  }
  std::size_t used = 0;
  const Command* const command = find_command(words, as_dvc, used);
  if (command == nullptr)
    return unknown_command(words, as_dvc, as_dvc ? "dvc" : "slipway", context);
  context.command = command->name;
  try {
    return run_command(*command, {words.begin() + static_cast<std::ptrdiff_t>(used), words.end()},
                       context);
  } catch (const Error& error) {
    print_error(context, error);
    return command->dvc ? dvc_exit_code(error.code()) : exit_code(error.code());
  } catch (const std::exception& fault) {
    print_error(context,
                Error(Code::kInternal, std::string("unexpected failure: ") + fault.what()));
    return kFailed;
  }
}

}  // namespace slipway::cli
