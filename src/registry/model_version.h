// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "registry/registered_model.h"
#include "storage/database.h"

namespace slipway::registry {

inline constexpr std::size_t kSourceCharactersMax = 2'048;
inline constexpr std::size_t kRunLinkCharactersMax = 500;

// Whether our engine can serve a version. MLflow's clients see READY at once; this is what serving
// found out afterwards.
enum class Condition { kUnchecked, kServable, kUnservable };
std::string_view condition_name(Condition condition);  // "unchecked", "servable", "unservable"

// One registered artifact. Numbers count 1, 2, 3 … within a model; a deleted version's number is
// never given again.
struct ModelVersion {
  std::int64_t key = 0;  // internal, never reused
  std::string model;
  std::int64_t version = 0;
  TimeUs created_at = 0;
  TimeUs updated_at = 0;
  std::string user_id;
  std::string stage = "None";  // MLflow's old stages: None, Staging, Production, Archived; nothing
                               // of ours looks at it
  std::string description;
  std::string
      source;  // as registered: "models:/m-…", "runs:/R/path", "mlflow-artifacts:/…", "s3://…"
  std::string location;  // where its files are: `source` resolved to an artifact URI
  std::string run_id;    // "" = none
  std::string run_link;
  std::string model_id;  // the logged model it was made from, "" = none
  Condition condition = Condition::kUnchecked;
  std::string condition_reason;      // why unservable; "" otherwise
  std::vector<Tag> tags;             // by key
  std::vector<std::string> aliases;  // sorted
};

// A prompt is a model whose versions carry this tag with the value "true". Searches leave prompts
// out unless they ask.
inline constexpr std::string_view kPromptTag = "mlflow.prompt.is_prompt";
inline constexpr std::string_view kPromptTextTag = "mlflow.prompt.text";
inline constexpr std::size_t kPromptTextCharactersMax = 100'000;

struct NewVersion {
  std::string model;
  std::string source;
  std::string run_id;
  std::string run_link;
  std::string model_id;
  std::string description;
  std::vector<Tag> tags;
  std::string actor;
  std::string user_id;
};

// All throw kNotFound "Model Version (name=X, version=N) not found" where the version must exist; a
// deleted one does not.

// Checks and resolves the source (registry/source.h), takes the next number, freezes the provenance
// document (registry/provenance.h) and appends model.version_created with it as evidence.
ModelVersion create_version(storage::Transaction& transaction, const Clock& clock,
                            const NewVersion& version);

std::optional<ModelVersion> find_version(storage::Session& session, const std::string& model,
                                         std::int64_t version);
ModelVersion get_version(storage::Session& session, const std::string& model, std::int64_t version);
std::vector<ModelVersion> list_versions(storage::Session& session,
                                        const std::string& model);  // by number, ascending

ModelVersion update_version(storage::Transaction& transaction, const Clock& clock,
                            const std::string& model, std::int64_t version,
                            const std::optional<std::string>& description);

// Soft: the number stays taken, texts are redacted, aliases removed. kPermissionDenied while a
// ruled alias points to it. Appends model.version_deleted.
void delete_version(storage::Transaction& transaction, const Clock& clock, const std::string& model,
                    std::int64_t version, const std::string& actor);

void set_version_tag(storage::Transaction& transaction, const Clock& clock,
                     const std::string& model, std::int64_t version, const Tag& tag);
void delete_version_tag(storage::Transaction& transaction, const Clock& clock,
                        const std::string& model, std::int64_t version, const std::string& key);

// The canonical spelling of an MLflow stage, any case accepted; kInvalidArgument with MLflow's
// words otherwise.
std::string canonical_stage(std::string_view stage);

// `archive_existing` moves the other versions of that stage to Archived; only with Staging and
// Production (kInvalidArgument).
ModelVersion transition_stage(storage::Transaction& transaction, const Clock& clock,
                              const std::string& model, std::int64_t version,
                              std::string_view stage, bool archive_existing);

// The newest version of each stage asked for; of every stage that has one when `stages` is empty.
// By number, ascending.
std::vector<ModelVersion> latest_versions(storage::Session& session, const std::string& model,
                                          const std::vector<std::string>& stages);
std::optional<ModelVersion> newest_version(storage::Session& session, const std::string& model);

// For statements that read versions (alias v, joined with registered_model m): the columns in
// ModelVersion's order, one such row, and what has rows of its own (tags, aliases).
std::string_view version_columns();
ModelVersion read_version_row(const storage::Statement& row);
void load_version_lists(storage::Session& session, ModelVersion& version);

// What serving found out. No event of its own: serving appends endpoint.loaded or
// endpoint.load_failed. An unservable version is taken by no ruled alias.
void set_condition(storage::Transaction& transaction, const std::string& model,
                   std::int64_t version, Condition condition, const std::string& reason);

}  // namespace slipway::registry
