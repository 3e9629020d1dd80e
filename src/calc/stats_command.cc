// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <istream>
#include <iterator>
#include <ostream>

#include "base/error.h"
#include "calc/calc.h"
#include "calc/schema.h"

namespace slipway::calc {
namespace {

constexpr int kDone = 0;
constexpr int kBadUsage = 2;

struct Words {
  std::string name;
  bool json = false;
  bool jsonl = false;
};

Words read_words(const std::vector<std::string>& args) {
  Words words;
  for (const std::string& arg : args) {
    if (arg == "--json")
      words.json = true;
    else if (arg == "--jsonl")
      words.jsonl = true;
    else if (arg.starts_with("-"))
      bad_input(arg, "is not a flag of `slipway stats`");
    else if (words.name.empty())
      words.name = arg;
    else
      bad_input(arg, "is one word too many: input comes on stdin");
  }
  if (words.name.empty()) bad_input("NAME", "is missing: `slipway stats list` prints the names");
  return words;
}

json::Value parse_input(std::string_view text) {
  try {
    return json::parse(text, {.bare_non_finite = true});
  } catch (const Error& error) {
    bad_input("-", error.what());
  }
}

// The text between the first two backticks: every message about bad input starts with its key.
std::string key_of(std::string_view message) {
  const std::size_t open = message.find('`');
  const std::size_t close = open == std::string_view::npos ? open : message.find('`', open + 1);
  return close == std::string_view::npos ? "-"
                                         : std::string(message.substr(open + 1, close - open - 1));
}

std::string one_line(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return text;
}

json::Value error_object(const Error& error) {
  const std::string message = one_line(error.what());
  return json::Object{{"error", json::Object{{"key", key_of(message)}, {"message", message}}}};
}

int run_lines(const std::string& name, std::istream& in, std::ostream& out) {
  int code = kDone;
  for (std::string line; std::getline(in, line);) {
    json::Value answer;
    try {
      answer = run(name, parse_input(line));
    } catch (const Error& error) {
      answer = error_object(error);
      code = kBadUsage;
    }
    out << json::write(answer) << '\n' << std::flush;
  }
  return code;
}

void print_list(bool as_json, std::ostream& out) {
  if (as_json) {
    out << json::write(list_json()) << '\n';
    return;
  }
  for (const std::string& name : names()) out << name << '\n';
}

void require_known(const std::string& name) {
  const std::vector<std::string> known = names();
  if (!std::ranges::binary_search(known, name)) {
    bad_input(name, "is not a statistic: `slipway stats list` prints the names");
  }
}

}  // namespace

int run_stats(const std::vector<std::string>& args, std::istream& in, std::ostream& out,
              std::ostream& err) {
  try {
    const Words words = read_words(args);
    if (words.name == "list") {
      if (words.jsonl) bad_input("--jsonl", "has no meaning for `list`");
      print_list(words.json, out);
      return kDone;
    }
    require_known(words.name);
    if (words.jsonl) return run_lines(words.name, in, out);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    out << json::write(run(words.name, parse_input(text))) << '\n';
    return kDone;
  } catch (const Error& error) {
    err << "error: " << one_line(error.what()) << '\n';
    return kBadUsage;
  }
}

}  // namespace slipway::calc
