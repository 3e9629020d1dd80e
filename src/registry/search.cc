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

constexpr std::size_t kVersionsABlock = 100;
constexpr std::size_t kVersionBytes = 256;  // besides its texts

std::size_t bytes_of(const ModelVersion& version) {
  std::size_t bytes = kVersionBytes + version.model.size() + version.description.size() +
                      version.source.size() + version.location.size() + version.run_link.size() +
                      version.condition_reason.size();
  for (const Tag& tag : version.tags) bytes += tag.key.size() + tag.value.size();
  for (const std::string& alias : version.aliases) bytes += alias.size();
  return bytes;
}

// The first of these versions, until they hold enough.
std::vector<ModelVersion> load_some(storage::Session& session, std::span<const std::int64_t> keys) {
  std::vector<ModelVersion> versions;
  std::size_t bytes = 0;
  while (!keys.empty() && bytes < kVersionsBytesMax) {
    const auto block = keys.first(std::min(kVersionsABlock, keys.size()));
    for (ModelVersion& version : load_versions(session, {block.begin(), block.end()})) {
      bytes += bytes_of(version);
      versions.push_back(std::move(version));
      if (bytes >= kVersionsBytesMax) break;
    }
    keys = keys.subspan(block.size());
  }
  return versions;
}

}  // namespace

ModelPage search_models(storage::Session& session, const Search& search,
                        const tracking::PlanOptions& options) {
  const Question question = parse(search.filter, {kModelFilter, tracking::Dialect::kModels});
  const std::vector<OrderTerm> order =
      whole_order(tracking::parse_order(search.order_by, {kModelOrder, tracking::Dialect::kModels}),
                  {by("m.name", true)});
  const tracking::KeyPage found = tracking::find_page(
      session, ModelTable(question.prompts, question.prompts ? search.prompts : search.models),
      question.filter, order, search.page_token, mark_of("models", search), search.max_results,
      options);
  return {load_models(session, found.keys), found.next_page_token};
}

VersionPage search_versions(storage::Session& session, const Search& search,
                            const tracking::PlanOptions& options) {
  const Question question = parse(search.filter, {kVersionFilter, tracking::Dialect::kVersions});
  std::vector<OrderTerm> order =
      tracking::parse_order(search.order_by, {kVersionOrder, tracking::Dialect::kVersions});
  if (order.empty()) order.push_back(by("v.updated_at", false));
  order = whole_order(std::move(order), {by("m.name", true), by("v.version", false)});
  const VersionTable table(question.prompts, question.prompts ? search.prompts : search.models);
  const std::string mark = mark_of("versions", search);
  tracking::KeyPage found = tracking::find_page(
      session, table, question.filter, order, search.page_token, mark, search.max_results, options);
  VersionPage page{load_some(session, found.keys), std::move(found.next_page_token)};
  if (page.versions.size() < found.keys.size()) {
    page.next_page_token =
        tracking::token_behind(session, table, order, mark, page.versions.back().key);
  }
  return page;
}

}  // namespace slipway::registry
