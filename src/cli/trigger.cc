// SPDX-License-Identifier: Apache-2.0
#include <ostream>

#include "cli/client.h"
#include "cli/noun.h"
#include "cli/output.h"
#include "cli/verbs.h"

namespace slipway::cli {
namespace {

int act(const Arguments& arguments, Context& context, const std::string& verb) {
  Client client;
  const std::string name = *arguments.text("TRIGGER");
  const json::Value after = act_on(client, kTriggers, name, verb, arguments);
  if (context.json) {
    print_json(context, after);
    return kDone;
  }
  context.out << "trigger `" << name << "`: " << text_at(after, "state");
  if (const std::string reason = text_at(after, "paused_reason"); !reason.empty())
    context.out << ", " << reason;
  context.out << "\n";
  if (verb == "fire") context.err << "what becomes of it: slipway trigger show " << name << "\n";
  return kDone;
}

}  // namespace

int trigger_list(const Arguments&, Context& context) {
  Client client;
  print_table(context, list_of(client, kTriggers),
              {{"TRIGGER", "name"},
               {"STATE", "state"},
               {"PIPELINE", "pipeline"},
               {"FAILURES", "failures"},
               {"LAST", "last_fired"}});
  return kDone;
}

int trigger_show(const Arguments& arguments, Context& context) {
  Client client;
  const json::Value trigger = get_one(client, kTriggers, *arguments.text("TRIGGER"));
  if (context.json) {
    print_json(context, trigger);
    return kDone;
  }
  json::Object members = trigger.as_object();
  members.erase("retrainings");
  print_object(context, members);
  const json::Array retrainings = list_in(trigger, "retrainings");
  if (retrainings.empty()) return kDone;
  context.out << "\nretrainings, newest first (slipway trigger log RETRAINING):\n";
  print_rows(context, retrainings,
             {{"RETRAINING", "id"},
              {"DATA UNTIL", "watermark"},
              {"STATE", "state"},
              {"VERSION", "version"},
              {"OUTCOME", "outcome"},
              {"REASON", "reason"}});
  return kDone;
}

int trigger_log(const Arguments& arguments, Context& context) {
  Client client;
  context.out << client.get_text(api_path("/retrainings/{}/log", {*arguments.text("RETRAINING")}));
  return kDone;
}

int trigger_pause(const Arguments& arguments, Context& context) {
  return act(arguments, context, "pause");
}
int trigger_resume(const Arguments& arguments, Context& context) {
  return act(arguments, context, "resume");
}
int trigger_fire(const Arguments& arguments, Context& context) {
  return act(arguments, context, "fire");
}

}  // namespace slipway::cli
