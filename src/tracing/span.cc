// SPDX-License-Identifier: Apache-2.0
#include "tracing/span.h"

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "base/id.h"
#include "tracing/preview.h"
#include "tracing/python_json.h"
#include "tracing/span_translate.h"
#include "tracing/trace_table.h"
#include "tracking/key_rules.h"

namespace slipway::tracing {
namespace {

constexpr std::size_t kTraceIdBytes = 16;
constexpr std::size_t kSpanIdBytes = 8;
constexpr std::int64_t kNanosPerMilli = 1'000'000;

// Values of `service.name` that may stand at a trace: free texts of strangers would be shown there
// else. The list is the wire's, as MLflow 3.17.2 has it; the corpus holds us to it.
constexpr std::string_view kKnownServices[] = {"claude-code", "codex_cli_rs", "codex_vscode",
                                               "gemini-cli", "qwen-code"};
constexpr std::string_view kServiceKey = "service.name";

[[noreturn]] void refuse(const std::string& why) { throw SpanError("not a span: " + why); }

// An id as so many bytes: shorter ones are numbers with zeros before them.
std::string padded(std::string_view id, std::size_t bytes, const char* name) {
  if (id.empty()) refuse(std::string(name) + " is required but was empty");
  while (id.size() > bytes && id.front() == '\0') id.remove_prefix(1);
  if (id.size() > bytes)
    refuse(std::string(name) + " has more than " + std::to_string(bytes) + " bytes");
  return std::string(bytes - id.size(), '\0') + std::string(id);
}

bool is_zero(std::string_view bytes) {
  return bytes.find_first_not_of('\0') == std::string_view::npos;
}

std::string hex_of(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15U];
  }
  return hex;
}

std::int64_t signed_time(std::uint64_t ns) {
  if (ns > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    refuse("a time is beyond the year 2262");
  return static_cast<std::int64_t>(ns);
}

json::Value events_of(const OtlpSpan& span) {
  json::Array events;
  events.reserve(span.events.size());
  for (const OtlpEvent& event : span.events) {
    events.emplace_back(json::Object{{"name", event.name},
                                     {"time_unix_nano", event.time_ns},
                                     {"attributes", object_of(event.attributes)}});
  }
  return events;
}

json::Value links_of(const OtlpSpan& span) {
  json::Array links;
  links.reserve(span.links.size());
  for (const OtlpLink& link : span.links) {
    const std::string trace = link.trace_id.empty() ? "" : link.trace_id;
    const std::string trace_id = hex_of(
        std::string(trace.size() < kTraceIdBytes ? kTraceIdBytes - trace.size() : 0, '\0') + trace);
    const std::string span_id = hex_of(
        std::string(link.span_id.size() < kSpanIdBytes ? kSpanIdBytes - link.span_id.size() : 0,
                    '\0') +
        link.span_id);
    links.emplace_back(json::Object{
        {"trace_id", "tr-" + trace_id},
        {"span_id", span_id},
        {"attributes",
         link.attributes.empty() ? json::Value() : json::Value(object_of(link.attributes))}});
  }
  return links;
}

const char* status_name(int code) {
  if (code == 1) return "OK";
  if (code == 2) return "ERROR";
  return "UNSET";
}

// Attributes as MLflow keeps them: JSON texts. What its own client sends is such a text already.
std::string attribute_text(const json::Value& value) {
  std::string dumped = python_json(value);
  if (!value.is_string()) return dumped;
  const auto inner = read_json(value.as_string());
  const bool twice = inner && (inner->is_string() || inner->is_object() || inner->is_array());
  return twice ? value.as_string() : dumped;
}

json::Object attributes_of(const OtlpSpan& span, std::string_view trace_id,
                           const std::optional<std::string>& service) {
  std::vector<json::Member> members;
  members.reserve(span.attributes.size() + 2);
  for (const auto& [key, value] : span.attributes) members.emplace_back(key, attribute_text(value));
  members.emplace_back(kSpanTraceKey, python_json(trace_id));
  if (service) members.emplace_back(kServiceKey, python_json(*service));
  return object_of(std::move(members));
}

const std::string* text_at(const json::Object& attributes, std::string_view key) {
  const json::Value* value = attributes.find(key);
  return value != nullptr && value->is_string() && !value->as_string().empty() ? &value->as_string()
                                                                               : nullptr;
}

// What a JSON text says, or the text itself if it says no text.
std::string unquoted(const std::string& text) {
  const auto value = read_json(text);
  return value && value->is_string() ? value->as_string() : text;
}

std::optional<std::string> dimension(const json::Object& attributes, std::string_view key) {
  const std::string* text = text_at(attributes, key);
  if (text == nullptr) return std::nullopt;
  return std::string(tracking::cut_to_characters(unquoted(*text), kModelCharactersMax));
}

std::optional<json::Value> object_at(const json::Object& attributes, std::string_view key) {
  const std::string* text = text_at(attributes, key);
  auto value = text == nullptr ? std::nullopt : read_json(*text);
  if (value && !value->is_object()) return std::nullopt;
  return value;
}

struct Prepared {
  Span span;
  json::Object attributes;
};

Prepared prepare(const OtlpSpan& given, const std::optional<std::string>& service) {
  const std::string trace = padded(given.trace_id, kTraceIdBytes, "trace_id");
  const std::string id = padded(given.span_id, kSpanIdBytes, "span_id");
  std::string parent;
  if (!is_zero(given.parent_id)) parent = padded(given.parent_id, kSpanIdBytes, "parent_span_id");
  Prepared made;
  Span& span = made.span;
  span.trace_id = "tr-" + hex_of(trace);
  span.span_id = hex_of(id);
  if (!parent.empty()) span.parent_id = hex_of(parent);
  span.name = given.name;
  span.status = status_name(given.status_code);
  span.start_ns = signed_time(given.start_ns);
  span.end_ns = signed_time(given.end_ns);
  const json::Value events = events_of(given);
  made.attributes = attributes_of(given, span.trace_id, parent.empty() ? service : std::nullopt);
  translate(made.attributes, events.as_array());
  if (const std::string* type = text_at(made.attributes, kSpanTypeKey)) span.type = unquoted(*type);
  span.model = dimension(made.attributes, kSpanModelKey);
  span.provider = dimension(made.attributes, kSpanProviderKey);
  if (object_at(made.attributes, kSpanUsageKey))
    span.usage = read_tokens(*text_at(made.attributes, kSpanUsageKey));
  if (object_at(made.attributes, kSpanCostKey))
    span.cost = read_costs(*text_at(made.attributes, kSpanCostKey));
  const bool failed = given.status_code == 2;  // only then MLflow keeps the message
  span.content = python_json(json::Object{
      {"trace_id", base64_encode(trace)},
      {"span_id", base64_encode(id)},
      {"parent_span_id", parent.empty() ? json::Value() : json::Value(base64_encode(parent))},
      {"name", span.name},
      {"start_time_unix_nano", span.start_ns},
      {"end_time_unix_nano", span.end_ns},
      {"events", events},
      {"status", json::Object{{"code", std::string("STATUS_CODE_") + span.status},
                              {"message", failed ? given.status_message : std::string()}}},
      {"attributes", made.attributes},
      {"links", links_of(given)}});
  return made;
}

void set_tag(Pairs& tags, const std::string& key, const std::string& value) {
  for (auto& [known, text] : tags) {
    if (known != key) continue;
    text = value;
    return;
  }
  tags.emplace_back(key, value);
}

// A tag that breaks the rules is left out: the spans are worth more.
bool is_good_tag(const std::string& key) {
  try {
    tracking::check_key_and_length(key, "key", "key");
  } catch (const Error&) {
    return false;
  }
  return true;
}

std::string cut_value(const std::string& value) {
  return std::string(tracking::cut_to_characters(value, kTraceTagValueCharactersMax));
}

void add_resource_tags(const OtlpResource& resource, Pairs& tags) {
  for (const auto& [key, value] : object_of(resource.attributes)) {
    if (key.starts_with("telemetry.sdk.") || key.starts_with("mlflow.") || !is_good_tag(key))
      continue;
    set_tag(tags, key,
            cut_value(value.is_string() ? value.as_string() : python_json(value, Ascii::kYes)));
  }
}

void add_root(const Prepared& root, SpanBatch& batch) {
  batch.root_state = root.span.status == "ERROR" ? TraceState::kError : TraceState::kOk;
  batch.request_preview.reset();
  batch.response_preview.reset();
  if (const std::string* inputs = text_at(root.attributes, kSpanInputsKey))
    batch.request_preview = make_preview(*inputs, "user");
  if (const std::string* outputs = text_at(root.attributes, kSpanOutputsKey))
    batch.response_preview = make_preview(*outputs, "assistant");
  for (const auto& [key, value] : root.attributes) {
    if (!key.starts_with(kTraceTagPrefix) || !value.is_string()) continue;
    const std::string tag = key.substr(kTraceTagPrefix.size());
    if (!is_good_tag(tag)) continue;
    const std::string text = cut_value(unquoted(value.as_string()));
    if (tag == kNameTag) {
      check_trace_name(text);
      batch.name = text;
    } else {
      set_tag(batch.tags, tag, text);
    }
  }
}

void add_facts(const Prepared& made, SpanBatch& batch) {
  for (const std::string_view key : {"session.id", "gen_ai.conversation.id"}) {
    const std::string* session = text_at(made.attributes, key);
    if (batch.session || session == nullptr) continue;
    batch.session = unquoted(*session);
    check_session(*batch.session);
  }
  const std::string* user = text_at(made.attributes, "user.id");
  if (!batch.user && user != nullptr) batch.user = unquoted(*user);
  const std::int64_t start_ms = made.span.start_ns / kNanosPerMilli;
  batch.start_ms = batch.spans.empty() ? start_ms : std::min(batch.start_ms, start_ms);
  if (made.span.end_ns != 0) {
    const std::int64_t end_ms = made.span.end_ns / kNanosPerMilli;
    batch.end_ms = std::max(batch.end_ms.value_or(end_ms), end_ms);
  }
}

std::optional<std::string> known_service(const OtlpResource& resource) {
  for (const auto& [key, value] : resource.attributes) {
    if (key != kServiceKey) continue;
    const bool known =
        value.is_string() && std::find(std::begin(kKnownServices), std::end(kKnownServices),
                                       value.as_string()) != std::end(kKnownServices);
    if (known) return value.as_string();
    return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

namespace {

void check_parts(std::string_view of, std::size_t parts) {
  if (parts <= kOtlpPartsMax) return;
  throw SpanError(std::string(of) + " has " + std::to_string(parts) + " of a kind, at most " +
                  std::to_string(kOtlpPartsMax) + " are taken");
}

}  // namespace

std::vector<SpanBatch> make_batches(const std::vector<OtlpResource>& resources) {
  std::vector<SpanBatch> batches;
  std::unordered_map<std::string, std::size_t> places;
  for (const OtlpResource& resource : resources) {
    check_parts("a resource", resource.attributes.size());
    const std::optional<std::string> service = known_service(resource);
    for (const OtlpSpan& given : resource.spans) {
      check_parts("a span",
                  std::max({given.attributes.size(), given.events.size(), given.links.size()}));
      Prepared made = prepare(given, service);
      const auto [place, is_new] = places.try_emplace(made.span.trace_id, batches.size());
      if (is_new) batches.emplace_back().trace_id = made.span.trace_id;
      SpanBatch& batch = batches[place->second];
      if (is_new) add_resource_tags(resource, batch.tags);
      add_facts(made, batch);
      if (!made.span.parent_id) add_root(made, batch);
      batch.spans.push_back(std::move(made.span));
    }
  }
  return batches;
}

}  // namespace slipway::tracing
