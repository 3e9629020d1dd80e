// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "storage/database.h"

namespace slipway::registry {

// The URI of a version that some text of the form "models:/NAME/3", "models:/NAME@ALIAS",
// "models:/NAME/latest" or "models:/NAME/Production" names, and what "models:/m-ID" names.
struct ModelUri {
  std::string model_id;  // "m-…"; then the others are empty
  std::string name;
  std::string selector;  // what follows the name: a number, a stage or "latest"
  std::string alias;     // what follows '@'
};
// kInvalidArgument "Invalid model version source: …" when the text is no such URI.
ModelUri parse_model_uri(std::string_view uri);

// Where a new version's files are and what they came from.
struct ResolvedSource {
  std::string source;    // as it is kept; an alias or stage in it has become a number
  std::string location;  // artifact URI
  std::string run_id;    // "" = none; filled from the logged model or the source version where the
                         // request named none
  std::string model_id;  // likewise
  bool operator==(const ResolvedSource&) const = default;
};

// Checks that whoever registers `source` may: a version must not open files that its request did
// not own up to. In short
//   runs:/R/…                  only with run_id R; whether the run exists is not checked
//   models:/m-ID               only with that model_id
//   models:/NAME/VERSION       takes over that version's run and model; those sent along must be
//   the same mlflow-artifacts:/…        only below the artifact root of the named run or logged
//   model; never with a host a local path or file: URI  only below the (then local) artifact root
//   of the named run or logged model http, sftp, hdfs …         never (the server would fetch from
//   a host of the client's choice) s3, gs, dbfs …             always, without "..", also when
//   escaped any number of times, without NUL "prompt-template", "dummy-source"  only with
//   `is_prompt`: prompts have no files; the tag opens no other source
// Throws kInvalidArgument with MLflow's words.
//   source  MLflow 3.17.2, as asked
ResolvedSource resolve_source(storage::Session& session, const std::string& source,
                              const std::string& run_id, const std::string& model_id,
                              bool is_prompt);

}  // namespace slipway::registry
