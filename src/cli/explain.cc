// SPDX-License-Identifier: Apache-2.0
// The chain from one answer back to what it was made of: prediction, version, run, stages, data,
// commit.
#include <ostream>

#include "cli/client.h"
#include "cli/noun.h"
#include "cli/output.h"
#include "cli/readable.h"
#include "cli/verbs.h"

namespace slipway::cli {
namespace {

using Fields = std::vector<Field>;

constexpr std::size_t kValuesShown = 16;
constexpr std::size_t kCommitShown = 12;

bool is_true(const json::Value& value, std::string_view path) {
  const json::Value* const found = at(value, path);
  return found != nullptr && found->is_bool() && found->as_bool();
}

std::string shown_at(const json::Value& value, std::string_view path) {
  const json::Value* const found = at(value, path);
  return found == nullptr ? "-" : readable(*found);
}

// "late_probability 0.0814239", the first values of a tensor.
std::string tensor_text(const json::Value& tensor) {
  const json::Array values = list_in(tensor, "data");
  std::string text = text_at(tensor, "name");
  for (std::size_t i = 0; i < values.size() && i < kValuesShown; ++i)
    text += (i == 0 ? " " : ", ") + readable(values[i]);
  if (values.size() > kValuesShown)
    text += " and " + std::to_string(values.size() - kValuesShown) + " more";
  return text;
}

void add_prediction(Fields& fields, const json::Value& answer) {
  const json::Value& record = *answer.find("prediction");
  std::string arm = text_at(record, "arm");
  if (const std::string rollout = text_at(record, "rollout"); !rollout.empty())
    arm += " of rollout " + rollout;
  fields.emplace_back("prediction", text_at(answer, "id") + ", endpoint " +
                                        text_at(record, "endpoint") + ", " +
                                        shown_at(record, "event_time") + ", " + arm + ", status " +
                                        text_at(record, "status"));
  for (const json::Value& tensor : list_in(record, "inputs"))
    fields.emplace_back("  asked", tensor_text(tensor));
  for (const json::Value& tensor : list_in(record, "outputs"))
    fields.emplace_back("  answered", tensor_text(tensor));
  std::string replay = text_at(answer, "replay.reason");
  if (is_true(answer, "replay.done")) {
    replay = is_true(answer, "replay.equal")
                 ? "the same answer"
                 : "another answer, off by " + shown_at(answer, "replay.largest_difference");
    replay += " (" + text_at(answer, "replay.engine") + ")";
  }
  fields.emplace_back("  replayed", replay);
}

void add_version(Fields& fields, const json::Value& answer) {
  const std::string name =
      text_at(answer, "prediction.model") + "/" + text_at(answer, "prediction.version");
  const json::Value* const version = answer.find("version");
  if (version == nullptr || !version->is_object()) {
    fields.emplace_back("version", name + ", no longer in the registry");
    return;
  }
  fields.emplace_back("version", name + ", " + text_at(*version, "condition") + ", created " +
                                     shown_at(*version, "created_at") + ", from " +
                                     text_at(*version, "source"));
}

void add_run(Fields& fields, const json::Value& answer) {
  const std::string id = text_at(answer, "prediction.run_id");
  if (id.empty()) {
    fields.emplace_back("run", "none: the version was not registered from a run");
    return;
  }
  fields.emplace_back("run", id + " " + text_at(answer, "provenance.run.name"));
  const json::Value* const params = at(answer, "provenance.run.params");
  if (params != nullptr && params->is_object() && !params->as_object().empty())
    fields.emplace_back("  params", readable(*params));
}

void add_stages(Fields& fields, const json::Value& answer) {
  const json::Array stages = list_in(answer, "stages");
  if (stages.empty()) fields.emplace_back("stage", "none: the run was not made by `slipway repro`");
  for (const json::Value& stage : stages) {
    std::string text = text_at(stage, "stage") + ", run " + text_at(stage, "run_id");
    if (const std::string commit = text_at(stage, "commit"); !commit.empty())
      text += ", commit " + commit.substr(0, kCommitShown);
    if (text_at(stage, "dirty") == "true") text += " and changes that were not committed";
    fields.emplace_back("stage", text);
  }
}

void add_data(Fields& fields, const json::Value& answer) {
  const json::Array data = list_in(answer, "data");
  if (data.empty()) fields.emplace_back("data", "none recorded");
  for (const json::Value& item : data) {
    const json::Value* const size = item.find("size");
    fields.emplace_back(
        "data",
        text_at(item, "path") + ", " + text_at(item, "hash") +
            (size != nullptr && size->is_integer() ? ", " + readable_bytes(size->as_int()) : ""));
  }
}

}  // namespace

int explain(const Arguments& arguments, Context& context) {
  Client client;
  const json::Value answer =
      client.get(api_path("/predictions/{}", {*arguments.text("PREDICTION")}));
  if (context.json) {
    print_json(context, answer);
    return kDone;
  }
  Fields fields;
  add_prediction(fields, answer);
  add_version(fields, answer);
  add_run(fields, answer);
  add_stages(fields, answer);
  add_data(fields, answer);
  const std::string commit = text_at(answer, "commit");
  fields.emplace_back("commit", commit.empty() ? "none recorded" : commit);
  if (const std::string hash = text_at(answer, "provenance.hash"); !hash.empty())
    fields.emplace_back("evidence", "slipway evidence show " + hash);
  print_fields(context, fields);
  return kDone;
}

}  // namespace slipway::cli
