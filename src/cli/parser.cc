// SPDX-License-Identifier: Apache-2.0
// The only file that sees CLI11: it turns rows of the command table into its tree, and what it
// parsed into Arguments.
#include <CLI/CLI.hpp>
#include <charconv>
#include <filesystem>
#include <iostream>
#include <sys/ioctl.h>
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

std::optional<std::int64_t> Arguments::integer(std::string_view key, std::int64_t least,
                                               std::int64_t most) const {
  const auto value = text(key);
  if (!value) return std::nullopt;
  std::int64_t number = 0;
  const char* const end = value->data() + value->size();
  const auto [stop, fault] = std::from_chars(value->data(), end, number);
  if (fault == std::errc{} && stop == end && number >= least && number <= most) return number;
  std::string wanted = "a whole number";
  if (least != INT64_MIN) wanted += " from " + std::to_string(least);
  if (most != INT64_MAX) wanted += " to " + std::to_string(most);
  throw Error(Code::kInvalidArgument,
              "`--" + std::string(key) + " " + *value + "` must be " + wanted);
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

bool is_noun(const std::string& word, bool as_dvc) {
  return std::any_of(commands().begin(), commands().end(), [&](const Command& command) {
    return (!as_dvc || command.dvc) && command.name.starts_with(word + " ");
  });
}

// The command or noun that was probably meant: of two words first, "rnu list" is near "run list".
std::string_view nearest_command(const std::vector<std::string>& words, bool as_dvc) {
  std::vector<std::string_view> known;
  for (const Command& command : commands()) {
    if (as_dvc && !command.dvc) continue;
    const std::string_view name = command.name;
    known.push_back(name);
    if (name.find(' ') != std::string_view::npos) known.push_back(name.substr(0, name.find(' ')));
  }
  if (words.size() > 1) {
    const std::string_view near = nearest(words[0] + " " + words[1], known);
    if (!near.empty()) return near;
  }
  return nearest(words[0], known);
}

int unknown_command(const std::vector<std::string>& words, bool as_dvc, Context& context) {
  const std::string program = as_dvc ? "dvc" : "slipway";
  const int code = as_dvc ? kDvcUsageExit : kUsage;
  // "run lst": the noun is known, so the verb is what was mistyped.
  const bool noun_known = is_noun(words[0], as_dvc);
  const bool verb_given = words.size() > 1 && !words[1].starts_with("-");
  if (noun_known && !verb_given) {
    if (words.size() > 1 && (words[1] == "--help" || words[1] == "-h")) {
      print_noun_help(context.out, words[0]);
      return kDone;
    }
    if (context.json) {
      print_error(context, Error(Code::kInvalidArgument, "`" + words[0] + "` needs a verb",
                                 program + " " + words[0] + " --help"));
    } else {
      context.err << "`" << program << " " << words[0] << "` needs a verb:\n";
      print_noun_help(context.err, words[0]);
    }
    return code;
  }
  const std::string typed = noun_known ? words[0] + " " + words[1] : words[0];
  const std::string_view near = nearest_command(words, as_dvc);
  const std::string hint = program + " " + (near.empty() ? "--help" : std::string(near));
  print_error(context, Error(Code::kInvalidArgument, "there is no command `" + typed + "`", hint));
  return code;
}

// `slipway help`, `slipway help run`, `slipway help run list`.
int help_about(const std::vector<std::string>& words, bool as_dvc, Context& context) {
  if (words.empty() || words[0].starts_with("-")) {
    print_help(context.out, as_dvc);
    return kDone;
  }
  std::size_t used = 0;
  if (const Command* const command = find_command(words, as_dvc, used); command != nullptr) {
    print_command_help(context.out, *command);
    return kDone;
  }
  if (words.size() == 1 && is_noun(words[0], as_dvc)) {
    print_noun_help(context.out, words[0]);
    return kDone;
  }
  return unknown_command(words, as_dvc, context);
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
          ->allow_extra_args(false)  // else the first of several positionals takes all words
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

std::string unknown_word(const Command& command, const std::string& word) {
  if (!word.starts_with("-") || word == "-") return "`" + word + "` is one word too many";
  std::vector<std::string> flags{"--help"};
  if (command.json_option) flags.emplace_back("--json");
  for (const Option& option : command.options) {
    if (option.flags.starts_with("-")) flags.push_back("--" + option.key());
  }
  const std::string_view near =
      nearest(std::string_view{word}.substr(0, word.find('=')), {flags.begin(), flags.end()});
  return "there is no option `" + word + "`" +
         (near.empty() ? "" : ", did you mean `" + std::string(near) + "`?");
}

// What was wrong with the words, in ours.
std::string usage_fault(const Command& command, const CLI::App& app, const CLI::ParseError& fault) {
  std::string message = fault.what();
  if (const std::vector<std::string> left = app.remaining();
      dynamic_cast<const CLI::ExtrasError*>(&fault) != nullptr && !left.empty()) {
    message = unknown_word(command, left.front());
  } else if (dynamic_cast<const CLI::ArgumentMismatch*>(&fault) != nullptr) {
    const std::string name = message.substr(0, message.find(':'));
    message = name + (message.find("At Most") != std::string::npos ? " can be given only once"
                                                                   : " needs a value");
  }
  while (!message.empty() && message.back() == '\n') message.pop_back();
  return message;
}

// An empty value is a shell variable that was not set, as a rule: `--endpoint "$E"` must not mean
// every endpoint. The option or argument that has one, as it is written; "" where none has.
std::string empty_one(const std::vector<Bound>& bounds) {
  for (const Bound& bound : bounds) {
    const bool is_option = bound.option->flags.starts_with("-");
    for (const std::string& value : bound.values) {
      if (value.empty()) return (is_option ? "--" : "") + bound.option->key();
    }
  }
  return "";
}

int run_command(const Command& command, const std::vector<std::string>& words, Context& context) {
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
  std::string wrong;
  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
    const std::string empty = command.dvc ? "" : empty_one(bounds);
    if (!empty.empty()) wrong = empty + " is empty";
  } catch (const CLI::ParseError& fault) {
    wrong = usage_fault(command, app, fault);
  }
  if (!wrong.empty()) {
    print_error(context, Error(Code::kInvalidArgument, "`" + command.name + "`: " + wrong,
                               "slipway " + command.name + " --help"));
    if (command.dvc) return kDvcUsageExit;
    // Where 2 means changes, as Terraform has it, a wrong option is a failure.
    const bool detailed =
        std::find(words.begin(), words.end(), "--detailed-exitcode") != words.end();
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
  winsize size{};
  if (context.out_is_terminal && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
    context.columns = size.ws_col;
  if (words.empty()) {
    print_help(err, as_dvc);
    return as_dvc ? kDvcUsageExit : static_cast<int>(kUsage);
  }
  const bool json = std::find(words.begin(), words.end(), "--json") != words.end();
  if (words[0] == "--version" || words[0] == "-V" || (words[0] == "version" && !as_dvc)) {
    print_version(out, json);
    return kDone;
  }
  if (words[0] == "--help" || words[0] == "-h" || words[0] == "help")
    return help_about({words.begin() + 1, words.end()}, as_dvc, context);
  std::size_t used = 0;
  const Command* const command = find_command(words, as_dvc, used);
  if (command == nullptr) {
    context.json = json;
    return unknown_command(words, as_dvc, context);
  }
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
