// SPDX-License-Identifier: Apache-2.0
// MLflow's search language: the filter in the first line, terms of the order in the others.
#include "tracking/search_filter.h"

#include <algorithm>
#include <string>
#include <vector>

#include "fuzz.h"
#include "tracking/run_search.h"

namespace slipway {

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text = fuzz::text_of(data, size);
  const tracking::SearchLanguage& language = tracking::run_language();
  const std::size_t line = std::min(text.find('\n'), text.size());
  const std::string_view filter = text.substr(0, line);
  std::vector<tracking::Comparison> comparisons;
  if (fuzz::accepts([&] { comparisons = tracking::parse_filter(filter, language); })) {
    fuzz::require(comparisons.size() <= tracking::kComparisonsMax, "the limit holds");
    // The conjunction of a filter with itself is that filter twice.
    std::vector<tracking::Comparison> twice;
    const std::string doubled = std::string(filter) + " AND " + std::string(filter);
    if (!comparisons.empty() &&
        fuzz::accepts([&] { twice = tracking::parse_filter(doubled, language); })) {
      fuzz::require(twice.size() == 2 * comparisons.size(), "AND joins");
    }
    for (const tracking::Comparison& comparison : comparisons) {
      const bool null_test = comparison.op == tracking::Operator::kIsNull ||
                             comparison.op == tracking::Operator::kIsNotNull;
      fuzz::require(null_test || comparison.numeric || !comparison.texts.empty(),
                    "a comparison has something to compare with");
    }
  }
  std::vector<std::string> terms;
  while (line < text.size() && terms.size() <= tracking::kOrderTermsMax) {
    text.remove_prefix(std::min(text.find('\n'), text.size()));
    if (text.empty()) break;
    text.remove_prefix(1);
    terms.emplace_back(text.substr(0, std::min(text.find('\n'), text.size())));
  }
  (void)fuzz::accepts([&] {
    fuzz::require(tracking::parse_order(terms, language).size() == terms.size(),
                  "each term becomes one");
  });
  return 0;
}

}  // namespace slipway
