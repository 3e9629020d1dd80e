// SPDX-License-Identifier: Apache-2.0
// Any text: documents or an Error; what is read can be written and reads back the same.
#include <algorithm>
#include <cmath>
#include <string>

#include "fuzz.h"
#include "yaml/emit.h"
#include "yaml/node.h"

namespace slipway {
namespace {

// Aliases multiply what a few bytes stand for. A unit test reaches the limit; here it would cost
// time alone.
constexpr std::ptrdiff_t kAliasesMax = 8;

bool has_nan(const yaml::Node& node) {
  if (node.is_float()) return std::isnan(node.as_double());
  if (node.is_sequence()) return std::any_of(node.items().begin(), node.items().end(), has_nan);
  return node.is_mapping() &&
         std::any_of(node.entries().begin(), node.entries().end(), [](const yaml::Entry& entry) {
           return has_nan(entry.key) || has_nan(entry.value);
         });
}

void check(const yaml::Node& node) {
  const std::string text = yaml::emit(node);
  yaml::Node again;
  fuzz::require(fuzz::accepts([&] { again = yaml::parse(text, "again"); }),
                "what is written can be read");
  if (fuzz::lost_a_blank(text)) return;
  fuzz::require(has_nan(node) || again == node, "what is written reads back the same");
  fuzz::require(yaml::emit(again) == text, "and is written the same again");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  if (std::count(text.begin(), text.end(), '*') > kAliasesMax) return 0;
  std::vector<yaml::Node> documents;
  if (!fuzz::accepts([&] { documents = yaml::parse_documents(text, "file"); })) return 0;
  for (const yaml::Node& document : documents) {
    (void)yaml::to_json_text(document);
    check(document);
  }
  return 0;
}

}  // namespace slipway
