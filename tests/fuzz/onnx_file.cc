// SPDX-License-Identifier: Apache-2.0
// The walk over an ONNX file that stands before the engine: facts or an Error.
#include "serving/onnx_file.h"

#include <algorithm>

#include "fuzz.h"

namespace slipway {

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  serving::OnnxFacts facts;
  if (!fuzz::accepts([&] { facts = serving::read_onnx_facts(fuzz::text_of(data, size)); }))
    return 0;
  fuzz::require(facts.ir_version > 0, "a model has a version of its format");
  fuzz::require(facts.nodes >= 0 && facts.nodes <= serving::kModelNodesMax, "the limit holds");
  fuzz::require(std::is_sorted(facts.external_files.begin(), facts.external_files.end()),
                "files are sorted");
  fuzz::require(std::adjacent_find(facts.external_files.begin(), facts.external_files.end()) ==
                    facts.external_files.end(),
                "each file once");
  return 0;
}

}  // namespace slipway
