// SPDX-License-Identifier: Apache-2.0
// Who moved a model's aliases, why and on which evidence.
#include <algorithm>
#include <ostream>

#include "base/error.h"
#include "cli/client.h"
#include "cli/noun.h"
#include "cli/output.h"
#include "cli/readable.h"
#include "cli/verbs.h"

namespace slipway::cli {
namespace {

// Every alias that ever moved, also those deleted since, in the order of their first move.
std::vector<std::string> aliases_of(Client& client, const std::string& model) {
  constexpr std::size_t kPage = 10'000;
  std::vector<std::string> aliases;
  std::string after = "0";
  for (;;) {
    const json::Array events =
        list_in(client.get(api_path("/events"), {{"after", after},
                                                 {"type", "alias.moved"},
                                                 {"subject", "model:" + model},
                                                 {"limit", std::to_string(kPage)}}),
                "events");
    for (const json::Value& event : events) {
      const std::string alias = text_at(event, "body.alias");
      if (std::find(aliases.begin(), aliases.end(), alias) == aliases.end())
        aliases.push_back(alias);
    }
    if (events.size() < kPage) return aliases;
    after = text_at(events.back(), "seq");
  }
}

// The moves of one alias with its name in each, newest first.
json::Array moves_of(Client& client, const std::string& model, const std::string& alias) {
  json::Array moves =
      list_in(client.get(api_path("/models/{}/aliases/{}/history", {model, alias})), "moves");
  for (json::Value& move : moves) move.as_object().set("alias", alias);
  return moves;
}

void check_alias(const std::string& model, const std::string& alias,
                 const std::vector<std::string>& known) {
  if (std::find(known.begin(), known.end(), alias) != known.end()) return;
  throw Error(
      Code::kNotFound,
      "no alias `" + alias + "` of model `" + model + "` ever moved" + did_you_mean(alias, known),
      "slipway model history " + model);
}

// Its event time. Where it has none, the wall clock, which is said: the two may be years apart.
std::string when(const json::Value& move) {
  const json::Value* const time = move.find("event_time");
  if (time != nullptr && !time->is_null()) return readable(*time);
  const json::Value* const recorded = move.find("recorded_at");
  return recorded == nullptr ? "-" : "recorded " + readable(*recorded);
}

void print_move(Context& context, const json::Value& move) {
  const auto version = [&move](std::string_view key) {
    const std::string number = text_at(move, key);
    return number.empty() ? std::string("none") : number;
  };
  context.out << text_at(move, "alias") << " " << text_at(move, "move") << "  " << when(move)
              << "  " << version("from") << " -> " << version("to") << "  by "
              << text_at(move, "actor") << "\n";
  const std::string reason = text_at(move, "reason");
  context.out << "  why: " << (reason.empty() ? "no reason given" : reason) << "\n";
  const json::Array evidence = list_in(move, "evidence");
  if (evidence.empty()) context.out << "  evidence: none\n";
  for (const json::Value& hash : evidence)
    context.out << "  evidence: slipway evidence show " << one_line(hash.as_string()) << "\n";
}

}  // namespace

int model_history(const Arguments& arguments, Context& context) {
  const std::string model = *arguments.text("MODEL");
  Client client;
  // The history outlives the model: only one that never had an alias must still be registered.
  std::vector<std::string> aliases = aliases_of(client, model);
  if (aliases.empty()) {
    about(client, kModels, model, [&] {
      client.get("/api/2.0/mlflow/registered-models/get", {{"name", model}});
    });
  }
  if (const auto alias = arguments.text("alias")) {
    check_alias(model, *alias, aliases);
    aliases = {*alias};
  }
  json::Array moves;
  for (const std::string& alias : aliases) {
    const json::Array more = moves_of(client, model, alias);
    moves.insert(moves.end(), more.begin(), more.end());
  }
  std::stable_sort(moves.begin(), moves.end(), [](const json::Value& a, const json::Value& b) {
    return text_at(a, "recorded_at") > text_at(b, "recorded_at");
  });
  if (context.json) {
    print_json(context, json::Object{{"model", model}, {"moves", std::move(moves)}});
    return kDone;
  }
  if (moves.empty()) context.err << "no alias of `" << model << "` was ever set\n";
  for (const json::Value& move : moves) print_move(context, move);
  return kDone;
}

}  // namespace slipway::cli
