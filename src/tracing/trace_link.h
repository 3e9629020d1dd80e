// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tracking/session.h"

namespace slipway::tracing {

// What a trace belongs to besides its experiment.
enum class LinkKind { kRun = 1, kPrompt = 2 };

inline constexpr std::size_t kLinksPerCallMax = 100;

// Links traces to a run; a link that is there already stays. Neither has to exist yet: clients link
// before the spans of a trace have arrived. kInvalidArgument beyond kLinksPerCallMax.
void link_traces_to_run(storage::Transaction& transaction,
                        const std::vector<std::string>& trace_ids, std::string_view run_id);

struct PromptVersion {
  std::string name;
  std::int64_t version = 0;
};
// Links prompt versions to a trace that exists (else kNotFound).
void link_prompts(storage::Transaction& transaction, std::string_view trace_id,
                  const std::vector<PromptVersion>& prompts);

}  // namespace slipway::tracing
