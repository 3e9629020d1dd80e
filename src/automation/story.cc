// SPDX-License-Identifier: Apache-2.0
#include "automation/story.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <functional>
#include <map>
#include <set>

#include "automation/object.h"
#include "automation/spec.h"
#include "base/error.h"
#include "ledger/event.h"
#include "serving/endpoint.h"

namespace slipway::automation {
namespace {

using ledger::StoredEvent;

std::string number_text(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.4g", value);
  return text.data();
}

// A member of an event's body as a reader sees it: texts bare, numbers short, "?" when absent.
std::string member(const StoredEvent& event, std::string_view key) {
  const json::Value* value = event.body.find(key);
  if (value == nullptr || value->is_null()) {
    return "?";
  }
  if (value->is_string()) {
    return value->as_string();
  }
  return value->is_number() && !value->is_integer() ? number_text(value->as_double())
                                                    : json::write(*value);
}

bool has(const StoredEvent& event, std::string_view key) {
  const json::Value* value = event.body.find(key);
  return value != nullptr && !value->is_null() &&
         !(value->is_string() && value->as_string().empty());
}

std::string because(const StoredEvent& event) {
  return has(event, "reason") ? ": " + member(event, "reason") : "";
}

std::string name_of(const StoredEvent& event) {
  return event.subject.substr(event.subject.find(':') + 1);
}

std::string percent(const StoredEvent& event, std::string_view key) {
  const json::Value* value = event.body.find(key);
  return value != nullptr && value->is_number() ? number_text(100 * value->as_double()) + " %"
                                                : "?";
}

std::string versus(const StoredEvent& event) {
  return "version " + member(event, "challenger") +
         (has(event, "champion") ? " against " + member(event, "champion")
                                 : ", with no champion to compare with");
}

std::string first_weight(const StoredEvent& event) {
  const json::Value* steps = event.body.find("steps");
  if (steps != nullptr && steps->is_array() && !steps->as_array().empty()) {
    const json::Value& step = steps->as_array().front();
    const json::Value* weight = step.is_number() ? &step : step.find("weight");
    if (weight != nullptr && weight->is_number()) {
      return " at " + number_text(100 * weight->as_double()) + " %";
    }
  }
  return "";
}

std::string fired_text(const StoredEvent& event) {
  const std::string reason = member(event, "reason");
  const std::string why = reason == "alarm" ? "on alarm " + member(event, "alarm")
                          : reason == "schedule"
                              ? "by its schedule, due " + member(event, "due").substr(0, 10)
                              : "by hand";
  return "trigger " + name_of(event) +
         (event.type == "trigger.fired" ? " fired " + why
                                        : " did not fire " + why + ": " + member(event, "skipped"));
}

std::string trained_text(const StoredEvent& event) {
  if (!has(event, "version")) {
    return "retraining made nothing new" + because(event);
  }
  return "trained version " + member(event, "version") + " in " + member(event, "duration_s") +
         " s (" + member(event, "stages_run") + " stages run, " + member(event, "stages_cached") +
         " cached)";
}

std::string moved_text(const StoredEvent& event) {
  const std::string to = has(event, "to") ? "to version " + member(event, "to") : "away";
  return "alias " + member(event, "alias") + " moved " +
         (has(event, "from") ? "from version " + member(event, "from") + " " : "") + to +
         because(event);
}

std::string alarm_text(const StoredEvent& event) {
  // `bound_loss` and `mean_loss` are in the loss's own unit, as the monitor's file has its bound;
  // what the detector sees is both divided by `loss_scale`.
  std::string losses = " since its restart";
  if (has(event, "bound_loss")) {
    losses += " against a bound of " + member(event, "bound_loss");
    if (member(event, "loss_scale") != "1") {
      losses += " (divided by " + member(event, "loss_scale") +
                ", as the detector sees them: " + member(event, "mean_loss_scaled") + " and " +
                member(event, "bound_scaled") + ")";
    }
  }
  return "monitor " + name_of(event) + ": mean loss " + member(event, "mean_loss") + losses +
         "; the detector reached " + member(event, "value") + " of " + member(event, "threshold") +
         " (at most one false alarm in " + member(event, "budget_blocks") + " blocks)";
}

struct Telling {
  std::string_view type;
  std::string_view word;  // the line's second column
  std::function<std::string(const StoredEvent&)> text;
};

// What is told, and how; other events are not part of the story.
const std::vector<Telling>& tellings() {
  static const std::vector<Telling> kTellings = {
      {"alarm.raised", "alarm", alarm_text},
      {"monitor.blind", "blind",
       [](const StoredEvent& e) { return "monitor " + name_of(e) + " sees nothing" + because(e); }},
      {"monitor.sighted", "sighted",
       [](const StoredEvent& e) { return "monitor " + name_of(e) + " sees again" + because(e); }},
      {"trigger.fired", "trigger", fired_text},
      {"trigger.skipped", "skipped", fired_text},
      {"trigger.paused", "paused",
       [](const StoredEvent& e) { return "trigger " + name_of(e) + " is paused" + because(e); }},
      {"trigger.resumed", "resumed",
       [](const StoredEvent& e) { return "trigger " + name_of(e) + " goes on"; }},
      {"retraining.started", "retraining",
       [](const StoredEvent& e) {
         return "retraining began on commit " + member(e, "commit").substr(0, 12) + " with " +
                member(e, "dataset_rows") + " labelled rows up to " +
                member(e, "watermark").substr(0, 10);
       }},
      {"retraining.finished", "trained", trained_text},
      {"retraining.failed", "failed",
       [](const StoredEvent& e) {
         return "retraining failed (" + member(e, "failure") + ")" + because(e);
       }},
      {"gate.evaluated", "gate",
       [](const StoredEvent& e) {
         return "gate " + name_of(e) + ", " + versus(e) + ": " + member(e, "verdict") + because(e);
       }},
      {"promotion.refused", "refused",
       [](const StoredEvent& e) {
         const std::string refused =
             "version " + member(e, "challenger") + " refused by the " + member(e, "by");
         // The gate's numbers stand in the line above.
         if (member(e, "by") == "gate")
           return refused + "; version " + member(e, "champion") + " stays";
         return refused + because(e);
       }},
      {"rollout.started", "rollout",
       [](const StoredEvent& e) { return "rollout of " + versus(e) + " began" + first_weight(e); }},
      {"rollout.step", "rollout",
       [](const StoredEvent& e) {
         return "rollout goes on at " + percent(e, "weight") + because(e);
       }},
      {"rollout.promoted", "rollout",
       [](const StoredEvent& e) {
         return "rollout promoted version " + member(e, "challenger") + because(e);
       }},
      {"rollout.rolled_back", "rollout",
       [](const StoredEvent& e) {
         return "rollout took version " + member(e, "challenger") + " back" + because(e);
       }},
      {"rollout.expired", "rollout",
       [](const StoredEvent& e) {
         return "rollout of version " + member(e, "challenger") + " ran out of time" + because(e);
       }},
      {"rollout.voided", "rollout",
       [](const StoredEvent& e) {
         return "rollout of version " + member(e, "challenger") + " is void" + because(e);
       }},
      {"rollout.aborted", "rollout",
       [](const StoredEvent& e) {
         return "rollout of version " + member(e, "challenger") + " was aborted" + because(e);
       }},
      {"rollout.paused", "rollout",
       [](const StoredEvent& e) { return "rollout paused by " + e.actor; }},
      {"rollout.resumed", "rollout",
       [](const StoredEvent& e) { return "rollout resumed by " + e.actor; }},
      {"alias.moved", "deployed", moved_text},
      {"alias.refused", "refused",
       [](const StoredEvent& e) {
         return "alias " + member(e, "alias") + " was not moved to version " + member(e, "to") +
                because(e);
       }},
      {"hold.set", "hold",
       [](const StoredEvent& e) { return "automation is held off" + because(e); }},
      {"hold.released", "released",
       [](const StoredEvent&) { return std::string("automation may go on"); }},
      {"endpoint.load_failed", "unservable",
       [](const StoredEvent& e) {
         return "version " + member(e, "version") + " could not be loaded" + because(e);
       }},
  };
  return kTellings;
}

const Telling* telling_of(const std::string& type) {
  for (const Telling& telling : tellings()) {
    if (telling.type == type) {
      return &telling;
    }
  }
  return nullptr;
}

bool starts_with(const std::string& text, std::string_view head) {
  return text.rfind(head, 0) == 0;
}

// Which events belong to an endpoint.
class Relation {
 public:
  // An endpoint without a name stands for all.
  Relation(storage::Session& session, const serving::EndpointRow& endpoint) : endpoint_(endpoint) {
    for (const Object& object : list_objects(session)) {
      if ((object.kind == "Monitor" || object.kind == "Trigger") &&
          spec_text(object.spec, "endpoint") == endpoint.name) {
        subjects_.insert((object.kind == "Monitor" ? "monitor:" : "trigger:") + object.name);
      }
    }
  }

  bool holds(const StoredEvent& event) {
    if (endpoint_.name.empty()) {
      return true;
    }
    const json::Value* endpoint = event.body.find("endpoint");
    if (endpoint != nullptr && endpoint->is_string()) {
      const bool ours = endpoint->as_string() == endpoint_.name;
      if (ours) {
        subjects_.insert(
            event.subject);  // also of a monitor or trigger that has been deleted since
      }
      return ours;
    }
    if (starts_with(event.subject, "gate:") || starts_with(event.subject, "model:")) {
      const json::Value* model = event.body.find("model");
      const json::Value* alias = event.body.find("alias");
      const bool same_model =
          event.subject == "model:" + endpoint_.model ||
          (model != nullptr && model->is_string() && model->as_string() == endpoint_.model);
      return same_model && (alias == nullptr || !alias->is_string() || endpoint_.alias.empty() ||
                            alias->as_string() == endpoint_.alias);
    }
    return event.subject == "endpoint:" + endpoint_.name || subjects_.count(event.subject) != 0;
  }

 private:
  const serving::EndpointRow endpoint_;
  std::set<std::string> subjects_;
};

// When things happened, as an endpoint's clock has it.
class Timeline {
 public:
  Timeline(storage::Session& session, const serving::EndpointRow& endpoint) {
    const std::vector<serving::EndpointRow> endpoints =
        endpoint.name.empty() ? serving::list_endpoints(session)
                              : std::vector<serving::EndpointRow>{endpoint};
    for (const serving::EndpointRow& row : endpoints) {
      if (row.clock == serving::EndpointClock::kEvent) {
        clocks_.push_back({Relation(session, row), 0});
      }
    }
  }

  // REQUIRES: called for every event, in the ledger's order. An event without a time of its own
  // happened at the latest one that the ledger has from its endpoint until then; 0 = before the
  // endpoint's first request. Where no endpoint on `clock: event` is concerned the wall clock
  // tells.
  TimeUs time_of(const StoredEvent& event) {
    bool on_event_clock = false;
    TimeUs latest = 0;
    for (EventClock& clock : clocks_) {
      if (clock.relation.holds(event)) {
        on_event_clock = true;
        clock.latest = std::max(clock.latest, event.event_time);
        latest = std::max(latest, clock.latest);
      }
    }
    return event.event_time != 0 ? event.event_time : on_event_clock ? latest : event.recorded_at;
  }

 private:
  struct EventClock {
    Relation relation;
    TimeUs latest = 0;
  };
  std::vector<EventClock> clocks_;
};

struct Tally {
  std::int64_t alarms = 0;
  std::int64_t retrainings = 0;
  std::int64_t retrainings_failed = 0;
  std::int64_t comparisons = 0;
  std::int64_t deployments = 0;
  std::int64_t refused = 0;
  std::int64_t refused_by_gate = 0;
  std::int64_t refused_by_rollout = 0;
  std::int64_t skipped = 0;
  std::vector<double> lead_times_days;

  void count(const StoredEvent& event) {
    alarms += event.type == "alarm.raised";
    retrainings += event.type == "retraining.started";
    retrainings_failed += event.type == "retraining.failed";
    comparisons += event.type == "gate.evaluated";
    skipped += event.type == "trigger.skipped";
    deployments += event.type == "alias.moved" && has(event, "to");
    if (event.type == "promotion.refused") {
      ++refused;
      refused_by_gate += member(event, "by") == "gate";
      refused_by_rollout += member(event, "by") == "rollout";
    }
  }

  json::Object to_json() const {
    std::vector<double> sorted = lead_times_days;
    std::sort(sorted.begin(), sorted.end());
    json::Value median;
    if (!sorted.empty()) {
      const std::size_t middle = sorted.size() / 2;
      median = sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
    return {{"alarms", alarms},
            {"retrainings", retrainings},
            {"retrainings_failed", retrainings_failed},
            {"comparisons", comparisons},
            {"deployments", deployments},
            {"refused", refused},
            {"refused_by_gate", refused_by_gate},
            {"refused_by_rollout", refused_by_rollout},
            {"skipped", skipped},
            {"lead_times_days", json::Array(lead_times_days.begin(), lead_times_days.end())},
            {"lead_time_days_median", median}};
  }
};

// The time at which the trigger fired that an event goes back to; nullopt also before the first
// request.
std::optional<TimeUs> firing_behind(const StoredEvent& event,
                                    const std::map<std::string, StoredEvent>& by_id) {
  constexpr int kCausesMax = 32;
  std::string cause = event.cause;
  for (int step = 0; step < kCausesMax && !cause.empty(); ++step) {
    const auto found = by_id.find(cause);
    if (found == by_id.end()) {
      return std::nullopt;
    }
    if (found->second.type == "trigger.fired") {
      return found->second.event_time != 0 ? std::optional<TimeUs>(found->second.event_time)
                                           : std::nullopt;
    }
    cause = found->second.cause;
  }
  return std::nullopt;
}

// `event` has the timeline's time.
json::Object line_json(const StoredEvent& event, const Telling& telling) {
  constexpr std::size_t kWordWidth = 11;
  const bool rollout = starts_with(event.subject, "rollout:");
  const std::string day = event.event_time != 0 ? format_time(event.event_time).substr(0, 10)
                                                : "before the first request";
  const std::string sentence = telling.text(event);
  std::string word(telling.word);
  word.resize(std::max(kWordWidth, word.size()), ' ');
  return {{"seq", event.seq},
          {"event_time", ledger::time_or_null(event.event_time)},
          {"recorded_at", format_time(event.recorded_at)},
          {"event", event.id},
          {"type", event.type},
          {"word", telling.word},
          {"sentence", sentence},
          {"text", day + "  " + word + " " + sentence},
          {"evidence", json::Array(event.evidence.begin(), event.evidence.end())},
          {"command",
           rollout ? "slipway rollout show " + name_of(event) : "slipway event show " + event.id},
          {"page",
           rollout ? "/rollouts/" + name_of(event) : "/story?event=" + std::to_string(event.seq)}};
}

}  // namespace

json::Object story(storage::Session& session, const std::string& endpoint_name) {
  const serving::EndpointRow endpoint = endpoint_name.empty()
                                            ? serving::EndpointRow()
                                            : serving::get_endpoint(session, endpoint_name);
  Relation relation(session, endpoint);
  Timeline timeline(session, endpoint);
  Tally tally;
  json::Array lines;
  std::int64_t left_off = 0;
  std::map<std::string, StoredEvent> by_id;
  ledger::EventFilter filter;
  for (;;) {
    std::vector<StoredEvent> page = ledger::list_events(session, filter);
    for (StoredEvent& event : page) {
      filter.after_seq = event.seq;
      event.event_time = timeline.time_of(event);
      const Telling* telling = telling_of(event.type);
      if (telling == nullptr || !relation.holds(event)) {
        continue;
      }
      tally.count(event);
      if (event.type == "alias.moved" && has(event, "to")) {
        const std::optional<TimeUs> fired = firing_behind(event, by_id);
        if (fired && event.event_time != 0) {
          tally.lead_times_days.push_back(static_cast<double>(event.event_time - *fired) /
                                          static_cast<double>(kMicrosPerDay));
        }
      }
      by_id.emplace(event.id, event);
      if (lines.size() < kStoryLinesMax) {
        lines.emplace_back(line_json(event, *telling));
      } else {
        ++left_off;
      }
    }
    if (static_cast<std::int64_t>(page.size()) < filter.limit) {
      break;
    }
  }
  return {{"endpoint", endpoint.name},
          {"model", endpoint.model},
          {"lines", std::move(lines)},
          {"summary", tally.to_json()},
          {"left_off", left_off}};
}

std::string story_text(const json::Object& story) {
  const std::string indent(24, ' ');
  std::string text;
  for (const json::Value& line : story.find("lines")->as_array()) {
    text += line.find("text")->as_string() + "\n" + indent + line.find("command")->as_string();
    const json::Array& evidence = line.find("evidence")->as_array();
    if (!evidence.empty()) {
      text += "   evidence " + evidence.back().as_string().substr(0, 12);
    }
    text += "\n";
  }
  const json::Value& summary = *story.find("summary");
  const auto count = [&](std::string_view key) { return json::write(*summary.find(key)); };
  text += "\n" + count("alarms") + " alarms, " + count("retrainings") + " retrainings (" +
          count("retrainings_failed") + " failed), " + count("comparisons") + " comparisons, " +
          count("deployments") + " deployments, " + count("refused") + " refused (" +
          count("refused_by_gate") + " by the gate, " + count("refused_by_rollout") +
          " by a rollout), " + count("skipped") + " skipped\n";
  const json::Value& median = *summary.find("lead_time_days_median");
  if (!median.is_null()) {
    text +=
        "lead time from the trigger to 100 % of the traffic: " + number_text(median.as_double()) +
        " days (median of " + std::to_string(summary.find("lead_times_days")->as_array().size()) +
        ")\n";
  }
  return text;
}

}  // namespace slipway::automation
