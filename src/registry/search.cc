// SPDX-License-Identifier: Apache-2.0
#include "registry/search.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string_view>

#include "base/error.h"
#include "json/value.h"
#include "registry/search_table.h"

namespace slipway::registry {
namespace {

using tracking::Attribute;
using tracking::Comparison;
using tracking::Entity;
using tracking::Operator;
using tracking::OrderTerm;

// An attribute's canonical name is its SQL column.
constexpr std::array<Attribute, 1> kModelFilter{{{"name", "m.name", false, true, true}}};
constexpr std::array<Attribute, 3> kModelOrder{
    {{"name", "m.name", false, false, true},
     {"timestamp", "m.updated_at", true, false, true},
     {"last_updated_timestamp", "m.updated_at", true, false, true}}};
constexpr std::array<Attribute, 4> kVersionFilter{
    {{"name", "m.name", false, true, true},
     {"run_id", "v.run_id", false, true, true},
     {"source_path", "v.source", false, false, true},
     {"version_number", "v.version", true, false, true}}};
constexpr std::array<Attribute, 4> kVersionOrder{
    {{"name", "m.name", false, false, true},
     {"version_number", "v.version", true, false, true},
     {"creation_timestamp", "v.created_at", true, false, true},
     {"last_updated_timestamp", "v.updated_at", true, false, true}}};

// Throws for what the language of all searches has and this one has not.
void check(const Comparison& term) {
  if (term.entity == Entity::kAttribute && term.numeric &&
      (std::trunc(term.number) != term.number || std::abs(term.number) > 9e15)) {
    std::string number;
    json::append_number(number, term.number);
    throw Error(Code::kInvalidArgument,
                "Invalid value for numeric attribute 'version_number': " + number);
  }
}

bool is_prompt_term(const Comparison& term) {
  return term.entity == Entity::kTag && term.key == kPromptTag && !term.texts.empty();
}

bool asks_for_prompts(const Comparison& term) {
  const bool is_true = term.texts.front() == "true";
  return (term.op == Operator::kEqual && is_true) || (term.op == Operator::kNotEqual && !is_true);
}

struct Question {
  tracking::Filter filter;
  bool prompts = false;
};

Question parse(const std::string& text, const tracking::SearchLanguage& language) {
  Question question;
  for (Comparison& term : tracking::parse_filter(text, language)) {
    check(term);
    if (is_prompt_term(term)) {
      // Models that are no prompts lack the tag, so the other ways to name it mean "leave prompts
      // out", as by default.
      if (!asks_for_prompts(term)) continue;
      question.prompts = true;
    }
    question.filter.push_back(std::move(term));
  }
  return question;
}

// The user's terms, and behind them those of `rest` that are not among them.
std::vector<OrderTerm> whole_order(std::vector<OrderTerm> order,
                                   const std::vector<OrderTerm>& rest) {
  for (const OrderTerm& term : rest) {
    const auto same = [&](const OrderTerm& other) { return other.key == term.key; };
    if (std::none_of(order.begin(), order.end(), same)) order.push_back(term);
  }
  return order;
}

std::string mark_of(std::string_view what, const Search& search) {
  std::vector<std::string> parts = {std::string(what), search.filter};
  parts.insert(parts.end(), search.order_by.begin(), search.order_by.end());
  return tracking::search_mark(parts);
}

OrderTerm by(std::string_view column, bool ascending) {
  return {Entity::kAttribute, std::string(column), ascending};
}

}  // namespace

ModelPage search_models(storage::Session& session, const Search& search,
                        const tracking::PlanOptions& options) {
  const Question question = parse(search.filter, {kModelFilter, tracking::Dialect::kModels});
  const std::vector<OrderTerm> order =
      whole_order(tracking::parse_order(search.order_by, {kModelOrder, tracking::Dialect::kModels}),
                  {by("m.name", true)});
  const tracking::KeyPage found = tracking::find_page(
      session, ModelTable(question.prompts), question.filter, order, search.page_token,
      mark_of("models", search), search.max_results, options);
  return {load_models(session, found.keys), found.next_page_token};
}

VersionPage search_versions(storage::Session& session, const Search& search,
                            const tracking::PlanOptions& options) {
  const Question question = parse(search.filter, {kVersionFilter, tracking::Dialect::kVersions});
  std::vector<OrderTerm> order =
      tracking::parse_order(search.order_by, {kVersionOrder, tracking::Dialect::kVersions});
  if (order.empty()) order.push_back(by("v.updated_at", false));
  order = whole_order(std::move(order), {by("m.name", true), by("v.version", false)});
  const tracking::KeyPage found = tracking::find_page(
      session, VersionTable(question.prompts), question.filter, order, search.page_token,
      mark_of("versions", search), search.max_results, options);
  return {load_versions(session, found.keys), found.next_page_token};
}

}  // namespace slipway::registry
