// SPDX-License-Identifier: Apache-2.0
// What happened and on what grounds: events, evidence and the story.
#include "automation/story.h"

#include "base/error.h"
#include "cli/client.h"
#include "cli/noun.h"
#include "cli/output.h"
#include "cli/readable.h"
#include "cli/verbs.h"
#include "json/value.h"

namespace slipway::cli {

namespace {

constexpr std::int64_t kEventsPageMax = 10'000;

// What happened, in a line: the reason where there is one, else every member.
std::string what_happened(const json::Value& event) {
  const json::Value* const body = event.find("body");
  if (body == nullptr || !body->is_object()) return "";
  if (std::string reason = text_at(*body, "reason"); !reason.empty()) return reason;
  json::Object members = body->as_object();
  for (const char* const list : {"changes", "steps"}) {
    const json::Value* const entries = members.find(list);
    if (entries != nullptr && entries->is_array())
      members.set(list, static_cast<std::int64_t>(entries->as_array().size()));
  }
  return members.empty() ? "" : readable(members);
}

void check_subject(const std::string& subject) {
  if (subject.empty() || subject.find(':') != std::string::npos) return;
  throw Error(Code::kInvalidArgument,
              "`--subject " + subject + "`: write KIND:NAME, such as endpoint:late-arrival",
              "slipway event list");
}

// The hash of the document that was meant. The story prints the beginnings of hashes; every
// document that decided something is named by an event.
std::string evidence_hash(Client& client, const std::string& typed) {
  constexpr std::size_t kHashCharacters = 64;
  constexpr std::size_t kTypedMin = 4;
  if (typed.size() >= kHashCharacters || typed.size() < kTypedMin) return typed;
  std::vector<std::string> hashes;
  std::string after = "0";
  for (;;) {
    const json::Value page = client.get(
        api_path("/events"), {{"after", after}, {"limit", std::to_string(kEventsPageMax)}});
    const json::Array events = list_in(page, "events");
    for (const json::Value& event : events) {
      for (const json::Value& hash : list_in(event, "evidence")) hashes.push_back(hash.as_string());
    }
    if (static_cast<std::int64_t>(events.size()) < kEventsPageMax) break;
    after = text_at(events.back(), "seq");
  }
  return whole_id("document of evidence", typed, hashes);
}

}  // namespace

int event_list(const Arguments& arguments, Context& context) {
  constexpr std::int64_t kEventsShown = 100;
  const std::string subject = arguments.text_or("subject", "");
  check_subject(subject);
  const std::int64_t after = arguments.integer("after", 0).value_or(0);
  const std::int64_t limit = arguments.integer("limit", 1, kEventsPageMax).value_or(kEventsShown);
  Client client;
  const json::Value answer =
      client.get(api_path("/events"), {{"after", std::to_string(after)},
                                       {"type", arguments.text_or("type", "")},
                                       {"subject", subject},
                                       {"limit", std::to_string(limit)}});
  json::Array events = list_in(answer, "events");
  if (context.json) {
    print_json(context, events);
    return kDone;
  }
  for (json::Value& event : events) event.as_object().set("what", what_happened(event));
  print_table(context, events,
              {{"SEQ", "seq"},
               {"EVENT TIME", "event_time"},
               {"TYPE", "type"},
               {"SUBJECT", "subject"},
               {"ACTOR", "actor"},
               {"WHAT", "what"}});
  if (static_cast<std::int64_t>(events.size()) == limit)
    context.err << "the first " << limit << "; more with --after " << text_at(events.back(), "seq")
                << "\n";
  return kDone;
}

int event_show(const Arguments& arguments, Context& context) {
  Client client;
  const json::Value event = client.get(api_path("/events/{}", {*arguments.text("EVENT")}));
  if (context.json) {
    print_json(context, event);
    return kDone;
  }
  json::Object members = event.as_object();
  members.erase("evidence");
  members.erase("evidence_documents");
  print_object(context, members);
  const json::Array documents = list_in(event, "evidence_documents");
  if (documents.empty()) return kDone;
  context.out << "evidence:\n";
  for (const json::Value& document : documents) {
    context.out << "  " << text_at(document, "subject") << ": slipway evidence show "
                << text_at(document, "hash") << "\n";
  }
  return kDone;
}

int evidence_show(const Arguments& arguments, Context& context) {
  Client client;
  const std::string hash = evidence_hash(client, *arguments.text("HASH"));
  const json::Value evidence = client.get(api_path("/evidence/{}", {hash}));
  if (context.json)
    print_json(context, evidence);
  else
    context.out << json::write(evidence, {.indent = 2}) << "\n";
  return kDone;
}

int story(const Arguments& arguments, Context& context) {
  Client client;
  const std::string endpoint = arguments.text_or("endpoint", "");
  json::Value answer;
  about(client, kEndpoints, endpoint, [&] {
    answer = client.get(api_path("/story"), {{"endpoint", endpoint}});
  });
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
