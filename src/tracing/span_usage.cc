// SPDX-License-Identifier: Apache-2.0
#include <unordered_map>

#include "tracing/span_table.h"

namespace slipway::tracing {
namespace {

// Calls `count` for each node with data that has none with data above it. `has` says which have.
template <typename Has, typename Count>
void each_topmost(const std::vector<UsageNode>& nodes, const Has& has, const Count& count) {
  std::unordered_map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < nodes.size(); ++i) places[nodes[i].span_id] = i;
  std::vector<std::vector<std::size_t>> children(nodes.size());
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const auto parent = places.find(nodes[i].parent_id);
    if (nodes[i].parent_id.empty() || parent == places.end()) {
      open.push_back(i);
    } else {
      children[parent->second].push_back(i);
    }
  }
  // Below a node that speaks nothing is counted, so the walk ends there. Spans that name one
  // another as parents hang on no root and are not reached.
  while (!open.empty()) {
    const std::size_t i = open.back();
    open.pop_back();
    if (has(nodes[i])) {
      count(nodes[i]);
      continue;
    }
    open.insert(open.end(), children[i].begin(), children[i].end());
  }
}

}  // namespace

std::optional<Tokens> sum_tokens(const std::vector<UsageNode>& nodes) {
  std::optional<Tokens> sum;
  each_topmost(
      nodes, [](const UsageNode& node) { return node.tokens.has_value(); },
      [&](const UsageNode& node) {
        // Input, output and total are always there.
        if (!sum) sum = Tokens{0, 0, 0, std::nullopt, std::nullopt, std::nullopt};
        for (std::size_t i = 0; i < sum->size(); ++i) {
          const auto& part = (*node.tokens)[i];
          std::int64_t next = 0;
          if (part && !__builtin_add_overflow((*sum)[i].value_or(0), *part, &next))
            (*sum)[i] = next;
        }
      });
  return sum;
}

std::optional<Costs> sum_costs(const std::vector<UsageNode>& nodes) {
  std::optional<Costs> sum;
  each_topmost(
      nodes, [](const UsageNode& node) { return node.costs.has_value(); },
      [&](const UsageNode& node) {
        if (!sum) sum = Costs{0.0, 0.0, 0.0};
        for (std::size_t i = 0; i < sum->size(); ++i)
          (*sum)[i] = (*sum)[i].value_or(0) + (*node.costs)[i].value_or(0);
      });
  return sum;
}

}  // namespace slipway::tracing
