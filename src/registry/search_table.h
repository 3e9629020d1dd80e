// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "registry/model_version.h"
#include "registry/registered_model.h"
#include "tracking/search_plan.h"

namespace slipway::registry {

// Registered models and their versions as the planner of searches sees them. Attributes and order
// terms are named by their columns: "m.name" (registered_model m), "v.version" (model_version v).
// Prompts are left out unless `prompts`.
class ModelTable : public tracking::SearchTable {
 public:
  ModelTable(bool prompts, tracking::Scope seen) : prompts_(prompts), seen_(std::move(seen)) {}

  std::string_view main() const override { return "registered_model m"; }
  std::string_view key() const override { return "m.key"; }
  std::string condition(tracking::SearchSql& sql, const tracking::Comparison& c) const override;
  tracking::SortColumn sort_column(tracking::SearchSql& sql, std::string& joins,
                                   const tracking::OrderTerm& term,
                                   std::size_t number) const override;
  std::vector<tracking::Driver> drivers(const tracking::Filter& filter) const override;
  std::vector<tracking::Driver> walks(const tracking::Filter& filter,
                                      const tracking::OrderTerm& term) const override;
  std::vector<tracking::Segment> segments(const tracking::OrderTerm& term) const override;
  std::size_t parts(const tracking::Driver& driver) const override;
  tracking::Access access(tracking::SearchSql& sql, const tracking::Filter& filter,
                          const tracking::Driver& driver, const tracking::OrderTerm* term,
                          std::size_t part, const tracking::Seek* seek) const override;
  std::string scope(tracking::SearchSql& sql, const tracking::Driver& driver) const override;

 private:
  bool prompts_;
  tracking::Scope seen_;
};

class VersionTable : public tracking::SearchTable {
 public:
  VersionTable(bool prompts, tracking::Scope seen) : prompts_(prompts), seen_(std::move(seen)) {}

  std::string_view main() const override {
    return "model_version v JOIN registered_model m ON m.key = v.model";
  }
  std::string_view key() const override { return "v.key"; }
  std::string condition(tracking::SearchSql& sql, const tracking::Comparison& c) const override;
  tracking::SortColumn sort_column(tracking::SearchSql& sql, std::string& joins,
                                   const tracking::OrderTerm& term,
                                   std::size_t number) const override;
  std::vector<tracking::Driver> drivers(const tracking::Filter& filter) const override;
  std::vector<tracking::Driver> walks(const tracking::Filter& filter,
                                      const tracking::OrderTerm& term) const override;
  std::vector<tracking::Segment> segments(const tracking::OrderTerm& term) const override;
  std::size_t parts(const tracking::Driver& driver) const override;
  tracking::Access access(tracking::SearchSql& sql, const tracking::Filter& filter,
                          const tracking::Driver& driver, const tracking::OrderTerm* term,
                          std::size_t part, const tracking::Seek* seek) const override;
  std::string scope(tracking::SearchSql& sql, const tracking::Driver& driver) const override;

 private:
  bool prompts_;
  tracking::Scope seen_;
};

// Those with these keys, in this order, with tags and aliases: a few statements for hundreds.
// kDataLoss when one is missing.
std::vector<RegisteredModel> load_models(storage::Session& session,
                                         const std::vector<std::int64_t>& keys);
std::vector<ModelVersion> load_versions(storage::Session& session,
                                        const std::vector<std::int64_t>& keys);

}  // namespace slipway::registry
