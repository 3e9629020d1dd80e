// SPDX-License-Identifier: Apache-2.0
#include <ostream>

#include "base/error.h"
#include "cli/client.h"
#include "cli/noun.h"
#include "cli/output.h"
#include "cli/readable.h"
#include "cli/verbs.h"

namespace slipway::cli {
namespace {

// The rollout that was meant: its id, or the beginning of one.
std::string rollout_id(Client& client, const Arguments& arguments, Context& context) {
  constexpr std::size_t kIdCharacters = 26;
  const std::optional<std::string> given = arguments.text("ROLLOUT");
  if (given->size() >= kIdCharacters) return *given;
  const std::string& typed = *given;
  const json::Array rollouts = list_of(client, kRollouts);
  std::vector<std::string> ids;
  for (const json::Value& rollout : rollouts) ids.push_back(text_at(rollout, "id"));
  std::string id = whole_id(kRollouts.word, typed, ids);
  if (is_full(kRollouts, rollouts)) {
    context.err << "`" << typed << "` was looked for among the newest " << rollouts.size()
                << " rollouts alone; an older one takes its whole id\n";
  }
  return id;
}

int act(const Arguments& arguments, Context& context, const std::string& verb) {
  Client client;
  const std::string id = rollout_id(client, arguments, context);
  const json::Value after = act_on(client, kRollouts, id, verb, arguments);
  if (context.json) {
    print_json(context, after);
    return kDone;
  }
  context.out << "rollout " << id << " of endpoint `" << text_at(after, "endpoint") << "`, version "
              << text_at(after, "challenger") << " against " << text_at(after, "champion") << ": "
              << text_at(after, "state") << "\n";
  return kDone;
}

// A row for each step and each loss: how many requests each arm answered, and how many badly.
json::Array counter_rows(const json::Value& rollout) {
  json::Array rows;
  std::int64_t number = 0;
  for (const json::Value& step : list_in(rollout, "steps")) {
    ++number;
    const json::Value* const weight = step.find("weight");
    const json::Value* const since = step.find("started_event_time");
    const json::Value* const counters = step.find("counters");
    json::Object row{
        {"step", number},
        {"share", weight == nullptr
                      ? "-"
                      : readable(weight->is_number() ? weight->as_double() * 100 : 0) + " %"},
        {"since", since == nullptr ? json::Value() : *since}};
    if (counters == nullptr || !counters->is_object() || counters->as_object().empty()) {
      rows.emplace_back(std::move(row));
      continue;
    }
    for (const json::Member& loss : counters->as_object()) {
      const auto badly = [&loss](const std::string& arm) {
        const json::Value* const bad = at(loss.second, arm + ".bad");
        const json::Value* const good = at(loss.second, arm + ".good");
        if (bad == nullptr || good == nullptr) return std::string("-");
        return std::to_string(bad->as_int()) + " of " +
               std::to_string(bad->as_int() + good->as_int());
      };
      row.set("loss", loss.first);
      row.set("champion", badly("champion"));
      row.set("challenger", badly("challenger"));
      rows.emplace_back(row);
    }
  }
  return rows;
}

}  // namespace

int rollout_list(const Arguments& arguments, Context& context) {
  Client client;
  const json::Array rollouts =
      list_of(client, kRollouts, {{"endpoint", arguments.text_or("endpoint", "")}});
  print_table(context, rollouts,
              {{"ROLLOUT", "id"},
               {"ENDPOINT", "endpoint"},
               {"FROM", "champion"},
               {"TO", "challenger"},
               {"STATE", "state"},
               {"STEP", "step"},
               {"REASON", "reason"}});
  if (is_full(kRollouts, rollouts))
    context.err << "the newest " << rollouts.size() << "; there may be older ones\n";
  return kDone;
}

int rollout_show(const Arguments& arguments, Context& context) {
  Client client;
  const json::Value rollout = get_one(client, kRollouts, rollout_id(client, arguments, context));
  if (context.json) {
    print_json(context, rollout);
    return kDone;
  }
  json::Object members = rollout.as_object();
  members.erase("steps");
  print_object(context, members);
  context.out << "\nbad answers by step, loss and arm:\n";
  print_rows(context, counter_rows(rollout),
             {{"STEP", "step"},
              {"SHARE", "share"},
              {"LOSS", "loss"},
              {"CHAMPION", "champion"},
              {"CHALLENGER", "challenger"},
              {"SINCE", "since"}});
  return kDone;
}

int rollout_pause(const Arguments& arguments, Context& context) {
  return act(arguments, context, "pause");
}
int rollout_resume(const Arguments& arguments, Context& context) {
  return act(arguments, context, "resume");
}
// The alias rule's no is the gate's no.
int rollout_promote(const Arguments& arguments, Context& context) {
  try {
    return act(arguments, context, "promote");
  } catch (const Error& error) {
    if (error.code() != Code::kPermissionDenied) throw;
    print_error(context, error);
    return kRefused;
  }
}
int rollout_abort(const Arguments& arguments, Context& context) {
  return act(arguments, context, "abort");
}

}  // namespace slipway::cli
