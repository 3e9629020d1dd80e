// SPDX-License-Identifier: Apache-2.0
// What happened and on what grounds: events, evidence, the story, and where one prediction came
// from.
#include "automation/story.h"

#include "base/error.h"
#include "cli/client.h"
#include "cli/output.h"
#include "cli/verbs.h"
#include "json/value.h"

namespace slipway::cli {

int event_list(const Arguments& arguments, Context& context) {
  Client client;
  const json::Value answer =
      client.get(api_path("/events"), {{"after", arguments.text_or("after", "")},
                                       {"type", arguments.text_or("type", "")},
                                       {"subject", arguments.text_or("subject", "")},
                                       {"limit", arguments.text_or("limit", "100")}});
  const json::Value* const list = answer.find("events");
  print_table(context, list == nullptr ? json::Array() : list->as_array(),
              {{"SEQ", "seq"},
               {"EVENT TIME", "event_time"},
               {"TYPE", "type"},
               {"SUBJECT", "subject"},
               {"ACTOR", "actor"},
               {"BODY", "body"}});
  return kDone;
}

int event_show(const Arguments& arguments, Context& context) {
  Client client;
  print_object(context, client.get(api_path("/events/{}", {*arguments.text("EVENT")})));
  return kDone;
}

int evidence_show(const Arguments& arguments, Context& context) {
  Client client;
  const json::Value evidence = client.get(api_path("/evidence/{}", {*arguments.text("HASH")}));
  if (context.json)
    print_json(context, evidence);
  else
    context.out << json::write(evidence, {.indent = 2}) << "\n";
  return kDone;
}

int story(const Arguments& arguments, Context& context) {
  Client client;
  const json::Value answer =
      client.get(api_path("/story"), {{"endpoint", arguments.text_or("endpoint", "")}});
  if (context.json) {
    print_json(context, answer);
    return kDone;
  }
  const json::Value* const lines = answer.find("lines");
  if (lines == nullptr || !lines->is_array() || lines->as_array().empty()) {
    context.out << "nothing happened yet: no model was trained, compared or served\n";
  } else {
    context.out << automation::story_text(answer.as_object());
  }
  return kDone;
}

int explain(const Arguments& arguments, Context& context) {
  Client client;
  const json::Value answer =
      client.get(api_path("/predictions/{}", {*arguments.text("PREDICTION")}));
  if (context.json)
    print_json(context, answer);
  else
    context.out << json::write(answer, {.indent = 2, .bare_non_finite = true}) << "\n";
  return kDone;
}

int platform_status(const Arguments&, Context& context) {
  Client client;
  print_object(context, client.get(api_path("/status")));
  return kDone;
}

int doctor(const Arguments&, Context& context) {
  Client client;
  const json::Value answer = client.get(api_path("/check"));
  const json::Value* const broken = answer.find("broken");
  const bool any = broken != nullptr && broken->is_array() && !broken->as_array().empty();
  if (context.json) {
    print_json(context, answer);
  } else if (any) {
    for (const json::Value& fault : broken->as_array())
      context.out << (fault.is_string() ? fault.as_string() : json::write(fault)) << "\n";
  } else {
    context.out << text_at(answer, "checked")
                << " facts checked, none is broken: promotions have evidence, refusals have "
                   "reasons, counters and "
                   "decisions recompute, versions can be explained\n";
  }
  return any ? kFindings : kDone;
}

}  // namespace slipway::cli
