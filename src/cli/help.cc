// SPDX-License-Identifier: Apache-2.0
#include "cli/help.h"

#include <ostream>

#include "cli/version.h"
#include "json/value.h"

namespace slipway::cli {
namespace {

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

bool is_positional(const Option& option) {
  return option.kind == Option::Kind::kPositional || option.kind == Option::Kind::kPositionals;
}

std::string usage(const Command& command) {
  std::string line = "slipway " + command.name;
  for (const Option& option : command.options) {
    if (!is_positional(option)) continue;
    const std::string name =
        option.flags + (option.kind == Option::Kind::kPositionals ? "..." : "");
    line += option.required ? " " + name : " [" + name + "]";
  }
  bool has_options = command.json_option;
  for (const Option& option : command.options) has_options = has_options || !is_positional(option);
  return has_options ? line + " [options]" : line;
}

std::string shown_flags(const Option& option) {
  std::string flags = option.flags;
  for (std::size_t at = flags.find(','); at != std::string::npos; at = flags.find(',', at + 2))
    flags.replace(at, 1, ", ");
  return option.value_name.empty() ? flags : flags + " " + option.value_name;
}

}  // namespace

void print_help(std::ostream& out, bool as_dvc) {
  out << (as_dvc
              ? "dvc: DVC's verbs, done by slipway\n\n"
              : "slipway: data, experiments, models, serving and monitoring as one loop, as code, "
                "with evidence\n\n"
                "  slipway server                     start everything: tracking, registry, "
                "serving, page\n"
                "  slipway plan && slipway apply      make production what slipway.yaml says\n\n");
  for (const Command& command : commands()) {
    if (as_dvc && !command.dvc) continue;
    out << "  " << padded(command.name, 20) << command.summary << "\n";
  }
  out << "\n" << (as_dvc ? "dvc" : "slipway") << " COMMAND --help shows a command with examples\n";
}

void print_noun_help(std::ostream& out, const std::string& noun) {
  for (const Command& command : commands()) {
    if (command.name.starts_with(noun + " "))
      out << "  " << padded(command.name, 20) << command.summary << "\n";
  }
}

void print_command_help(std::ostream& out, const Command& command) {
  out << command.summary << "\n\n";
  for (const std::string& example : command.examples) out << "  " << example << "\n";
  out << "\nusage: " << usage(command) << "\n";
  for (const Option& option : command.options)
    out << "  " << padded(shown_flags(option), 26) << option.help << "\n";
  if (command.json_option) {
    out << "  " << padded("--json", 26)
        << (command.dvc ? "print DVC's JSON" : "print one JSON object, errors too") << "\n";
  }
}

void print_version(std::ostream& out, bool json) {
  if (!json) {
    out << "slipway " << kVersion << "\n";
    return;
  }
  const json::Value facts =
      json::Object{{"v", 1},
                   {"kind", "version"},
                   {"data", json::Object{{"version", kVersion},
                                         {"compiler", __VERSION__},
                                         {"mlflow_protocol", kMlflowProtocol}}}};
  out << json::write(facts) << "\n";
}

std::string commands_as_markdown() {
  std::string text = "| command | what it does |\n|---|---|\n";
  for (const Command& command : commands()) {
    text += "| `" + usage(command) + "` | " + command.summary + " |\n";
  }
  return text;
}

}  // namespace slipway::cli
