// SPDX-License-Identifier: Apache-2.0
#include "tracing/trace_link.h"

#include "base/error.h"
#include "tracing/trace_table.h"

namespace slipway::tracing {
namespace {

void link(storage::Transaction& transaction, std::string_view trace_id, LinkKind kind,
          std::string_view target) {
  transaction.execute(
      "INSERT INTO trace_link (trace_id, kind, target) VALUES (?1, ?2, ?3) "
      "ON CONFLICT (trace_id, kind, target) DO NOTHING",
      trace_id, static_cast<std::int64_t>(kind), target);
}

}  // namespace

void link_traces_to_run(storage::Transaction& transaction,
                        const std::vector<std::string>& trace_ids, std::string_view run_id) {
  if (trace_ids.size() > kLinksPerCallMax) {
    throw Error(Code::kInvalidArgument, "Cannot link more than " +
                                            std::to_string(kLinksPerCallMax) +
                                            " traces to a run in a single request. Provided " +
                                            std::to_string(trace_ids.size()) + " traces.");
  }
  for (const std::string& id : trace_ids) link(transaction, id, LinkKind::kRun, run_id);
}

void link_prompts(storage::Transaction& transaction, std::string_view trace_id,
                  const std::vector<PromptVersion>& prompts) {
  if (prompts.empty()) return;
  get_trace_key(transaction, trace_id);
  for (const PromptVersion& prompt : prompts) {
    link(transaction, trace_id, LinkKind::kPrompt,
         prompt.name + "/" + std::to_string(prompt.version));
  }
}

}  // namespace slipway::tracing
