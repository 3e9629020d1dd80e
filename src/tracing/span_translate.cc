// SPDX-License-Identifier: Apache-2.0
#include "tracing/span_translate.h"

#include <charconv>
#include <functional>
#include <optional>
#include <span>

#include "base/text.h"
#include "tracing/python_json.h"
#include "tracing/span.h"

namespace slipway::tracing {
namespace {

using Names = std::span<const std::string_view>;
struct TypeName {
  std::string_view theirs;
  std::string_view ours;
};

// A key with '#' in it stands for all keys with a number there (gen_ai.prompt.0.content).
struct Convention {
  std::string_view type_key;
  std::span<const TypeName> types;
  std::string_view input_tokens;
  std::string_view output_tokens;
  std::string_view total_tokens;
  std::string_view cache_read;
  Names cache_creation;
  Names inputs;
  Names outputs;
  Names models;
  std::string_view provider;
  Names tools;
};

constexpr TypeName kInferenceTypes[] = {
    {"TOOL", "TOOL"},           {"CHAIN", "CHAIN"},         {"LLM", "LLM"},
    {"RETRIEVER", "RETRIEVER"}, {"EMBEDDING", "EMBEDDING"}, {"AGENT", "AGENT"},
    {"RERANKER", "RERANKER"},   {"UNKNOWN", "UNKNOWN"},     {"GUARDRAIL", "GUARDRAIL"},
    {"EVALUATOR", "EVALUATOR"}};
constexpr TypeName kGenAiTypes[] = {{"chat", "CHAT_MODEL"},      {"create_agent", "AGENT"},
                                    {"embeddings", "EMBEDDING"}, {"execute_tool", "TOOL"},
                                    {"generate_content", "LLM"}, {"invoke_agent", "AGENT"},
                                    {"text_completion", "LLM"},  {"response", "LLM"}};
constexpr TypeName kTraceloopTypes[] = {{"workflow", "WORKFLOW"},
                                        {"task", "TASK"},
                                        {"agent", "AGENT"},
                                        {"tool", "TOOL"},
                                        {"unknown", "UNKNOWN"}};
constexpr TypeName kVercelTypes[] = {{"ai.generateText", "LLM"},
                                     {"ai.generateText.doGenerate", "LLM"},
                                     {"ai.toolCall", "TOOL"},
                                     {"ai.streamText", "LLM"},
                                     {"ai.streamText.doStream", "LLM"},
                                     {"ai.generateObject", "LLM"},
                                     {"ai.generateObject.doGenerate", "LLM"},
                                     {"ai.streamObject", "LLM"},
                                     {"ai.streamObject.doStream", "LLM"},
                                     {"ai.embed", "EMBEDDING"},
                                     {"ai.embed.doEmbed", "EMBEDDING"},
                                     {"ai.embedMany", "EMBEDDING"}};

constexpr std::string_view kInferenceCache[] = {"llm.token_count.prompt_details.cache_write"};
constexpr std::string_view kInferenceInputs[] = {"input.value"};
constexpr std::string_view kInferenceOutputs[] = {"output.value"};
constexpr std::string_view kInferenceModels[] = {"llm.response.model_name", "llm.model_name",
                                                 "llm.request.model_name", "embedding.model_name"};
constexpr std::string_view kGenAiCache[] = {"gen_ai.usage.cache_write.input_tokens",
                                            "gen_ai.usage.cache_creation.input_tokens"};
constexpr std::string_view kGenAiInputs[] = {"gen_ai.input.messages", "gen_ai.tool.call.arguments"};
constexpr std::string_view kGenAiOutputs[] = {"gen_ai.output.messages", "gen_ai.tool.call.result"};
constexpr std::string_view kGenAiModels[] = {"gen_ai.response.model", "gen_ai.request.model"};
constexpr std::string_view kGenAiTools[] = {"gen_ai.tool.definitions"};
constexpr std::string_view kTraceloopInputs[] = {"traceloop.entity.input",
                                                 "gen_ai.prompt.#.content",
                                                 "gen_ai.completion.#.tool_calls.#.arguments"};
constexpr std::string_view kTraceloopOutputs[] = {"traceloop.entity.output",
                                                  "gen_ai.completion.#.content"};
constexpr std::string_view kVercelInputs[] = {"ai.prompt", "ai.toolCall.args", "ai.value",
                                              "ai.values"};
constexpr std::string_view kVercelOutputs[] = {"ai.response.text", "ai.toolCall.result",
                                               "ai.response.object", "ai.embedding",
                                               "ai.embeddings"};

const Convention kOpenInference{.type_key = "openinference.span.kind",
                                .types = kInferenceTypes,
                                .input_tokens = "llm.token_count.prompt",
                                .output_tokens = "llm.token_count.completion",
                                .total_tokens = "llm.token_count.total",
                                .cache_read = "llm.token_count.prompt_details.cache_read",
                                .cache_creation = kInferenceCache,
                                .inputs = kInferenceInputs,
                                .outputs = kInferenceOutputs,
                                .models = kInferenceModels,
                                .provider = "llm.provider",
                                .tools = {}};
const Convention kGenAi{.type_key = "gen_ai.operation.name",
                        .types = kGenAiTypes,
                        .input_tokens = "gen_ai.usage.input_tokens",
                        .output_tokens = "gen_ai.usage.output_tokens",
                        .total_tokens = "",
                        .cache_read = "gen_ai.usage.cache_read.input_tokens",
                        .cache_creation = kGenAiCache,
                        .inputs = kGenAiInputs,
                        .outputs = kGenAiOutputs,
                        .models = kGenAiModels,
                        .provider = "gen_ai.provider.name",
                        .tools = kGenAiTools};
const Convention kTraceloop{.type_key = "traceloop.span.kind",
                            .types = kTraceloopTypes,
                            .input_tokens = "gen_ai.usage.prompt_tokens",
                            .output_tokens = "gen_ai.usage.completion_tokens",
                            .total_tokens = "llm.usage.total_tokens",
                            .cache_read = "",
                            .cache_creation = {},
                            .inputs = kTraceloopInputs,
                            .outputs = kTraceloopOutputs,
                            .models = {},
                            .provider = "gen_ai.system",
                            .tools = {}};
const Convention kVercel{.type_key = "ai.operationId",
                         .types = kVercelTypes,
                         .input_tokens = "",
                         .output_tokens = "",
                         .total_tokens = "",
                         .cache_read = "",
                         .cache_creation = {},
                         .inputs = kVercelInputs,
                         .outputs = kVercelOutputs,
                         .models = {},
                         .provider = "",
                         .tools = {}};
const Convention* const kConventions[] = {&kOpenInference, &kGenAi, &kTraceloop, &kVercel};

// Python's truth of a JSON text: null, 0, "", [], {} and false are none.
bool is_filled(const json::Value& value) {
  switch (value.kind()) {
    case json::Value::Kind::kNull: return false;
    case json::Value::Kind::kBool: return value.as_bool();
    case json::Value::Kind::kInt:
    case json::Value::Kind::kUint:
    case json::Value::Kind::kDouble: return value.as_double() != 0;
    case json::Value::Kind::kString: return !value.as_string().empty();
    case json::Value::Kind::kArray: return !value.as_array().empty();
    case json::Value::Kind::kObject: return !value.as_object().empty();
  }
  return false;
}

// An attribute's text; null when it is not there, or says nothing.
const std::string* filled(const json::Object& attributes, std::string_view key) {
  const json::Value* value = key.empty() ? nullptr : attributes.find(key);
  if (value == nullptr || !value->is_string() || value->as_string().empty()) return nullptr;
  const auto parsed = read_json(value->as_string());
  return !parsed || is_filled(*parsed) ? &value->as_string() : nullptr;
}

bool matches(std::string_view pattern, std::string_view key) {
  while (!pattern.empty()) {
    if (pattern.front() != '#') {
      if (key.empty() || key.front() != pattern.front()) return false;
      key.remove_prefix(1);
    } else {
      const std::size_t digits = std::min(key.find_first_not_of("0123456789"), key.size());
      if (digits == 0) return false;
      key.remove_prefix(digits);
    }
    pattern.remove_prefix(1);
  }
  return true;  // what follows does not matter
}

const std::string* first_filled(const json::Object& attributes, Names keys) {
  for (const std::string_view key : keys) {
    if (key.find('#') == std::string_view::npos) {
      if (const std::string* text = filled(attributes, key)) return text;
      continue;
    }
    for (const auto& [name, value] : attributes) {
      if (!matches(key, name)) continue;
      if (const std::string* text = filled(attributes, name)) return text;
    }
  }
  return nullptr;
}

// A JSON text's meaning, or the text.
json::Value meaning(const std::string& text) { return read_json(text).value_or(json::Value(text)); }

std::optional<std::int64_t> integer_in(std::string_view text) {
  std::int64_t number = 0;
  text = trimmed(text);
  const auto [stop, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return number;
}

// 26 of `26` and of `"26"`.
std::optional<std::int64_t> count_at(const json::Object& attributes, std::string_view key) {
  const json::Value* value = key.empty() ? nullptr : attributes.find(key);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  const json::Value parsed = meaning(value->as_string());
  if (parsed.kind() == json::Value::Kind::kInt) return parsed.as_int();
  return parsed.is_string() ? integer_in(parsed.as_string()) : std::nullopt;
}

void set_text(json::Object& attributes, std::string_view key, const json::Value& value) {
  attributes.set(key, python_json(value));
}

void set_type(json::Object& attributes) {
  if (const json::Value* type = attributes.find(kSpanTypeKey)) {
    const json::Value known = type->is_string() ? meaning(type->as_string()) : *type;
    const bool unknown = known.is_null() || (known.is_string() && known.as_string() == "UNKNOWN");
    if (!unknown) return;
  }
  for (const Convention* convention : kConventions) {
    const json::Value* kind = attributes.find(convention->type_key);
    if (kind == nullptr || !kind->is_string()) continue;
    const json::Value theirs = meaning(kind->as_string());
    if (!theirs.is_string()) continue;
    for (const TypeName& type : convention->types) {
      if (type.theirs != theirs.as_string()) continue;
      set_text(attributes, kSpanTypeKey, type.ours);
      return;
    }
  }
}

bool is_vercel_chat(const json::Object& attributes) {
  const json::Value* id = attributes.find(kVercel.type_key);
  const json::Value kind =
      id != nullptr && id->is_string() ? meaning(id->as_string()) : json::Value();
  return kind.is_string() && (kind.as_string() == "ai.generateText.doGenerate" ||
                              kind.as_string() == "ai.streamText.doStream");
}

// Decodes a text of a text of a text.
json::Value unpacked(json::Value value, int depth) {
  for (int i = 0; i < depth && value.is_string(); ++i) {
    auto inner = read_json(value.as_string());
    if (!inner) break;
    value = std::move(*inner);
  }
  return value;
}

// The Vercel AI SDK writes a call's parts as attributes with one prefix.
std::optional<std::string> vercel_parts(const json::Object& attributes, std::string_view prefix) {
  json::Object parts;
  for (const auto& [key, value] : attributes) {
    if (key.starts_with(prefix)) parts.set(key.substr(prefix.size()), unpacked(value, 3));
  }
  if (json::Value* tools = parts.find("tools"); tools != nullptr && tools->is_array()) {
    for (json::Value& tool : tools->as_array()) tool = unpacked(tool, 3);
  }
  if (parts.empty()) return std::nullopt;
  return python_json(std::move(parts), Ascii::kYes);
}

std::optional<std::string> value_of(json::Object& attributes, Names Convention::*keys,
                                    std::string_view vercel_prefix) {
  for (const Convention* convention : kConventions) {
    if (convention == &kVercel && is_vercel_chat(attributes)) {
      attributes.set(kSpanFormatKey, "vercel_ai");
      if (auto parts = vercel_parts(attributes, vercel_prefix)) return parts;
      continue;
    }
    if (const std::string* text = first_filled(attributes, convention->*keys)) return *text;
  }
  return std::nullopt;
}

const json::Value* content_of(const json::Value& event) {
  const json::Value* attributes = event.find("attributes");
  const json::Value* content = attributes == nullptr ? nullptr : attributes->find("content");
  return content != nullptr && is_filled(*content) ? content : nullptr;
}

json::Value decoded(const json::Value& value) {
  return value.is_string() ? meaning(value.as_string()) : value;
}

// gen_ai.*.message and gen_ai.choice of older instrumentations.
std::optional<std::string> messages_of(const json::Array& events, bool choices) {
  json::Array messages;
  for (const json::Value& event : events) {
    const std::string& name = event.find("name")->as_string();
    const json::Value* content = content_of(event);
    if (content == nullptr) continue;
    if (choices) {
      if (name != "gen_ai.choice") continue;
      const json::Value* role = event.find("attributes")->find("role");
      messages.emplace_back(
          json::Object{{"role", role == nullptr ? json::Value("assistant") : decoded(*role)},
                       {"content", decoded(*content)}});
      continue;
    }
    for (const std::string_view role : {"system", "user", "assistant"}) {
      if (name != "gen_ai." + std::string(role) + ".message") continue;
      messages.emplace_back(json::Object{{"role", role}, {"content", decoded(*content)}});
    }
  }
  if (messages.empty()) return std::nullopt;
  return python_json(std::move(messages), Ascii::kYes);
}

void set_inputs_and_outputs(json::Object& attributes, const json::Array& events) {
  if (!attributes.contains(kSpanInputsKey)) {
    auto value = value_of(attributes, &Convention::inputs, "ai.prompt.");
    if (!value) value = messages_of(events, false);
    if (value) attributes.set(kSpanInputsKey, *value);
  }
  if (!attributes.contains(kSpanOutputsKey)) {
    auto value = value_of(attributes, &Convention::outputs, "ai.response.");
    if (!value) value = messages_of(events, true);
    if (value) attributes.set(kSpanOutputsKey, *value);
  }
}

void set_usage(json::Object& attributes) {
  if (attributes.contains(kSpanUsageKey)) return;
  for (const Convention* convention : kConventions) {
    Tokens tokens;
    tokens[0] = count_at(attributes, convention->input_tokens);
    tokens[1] = count_at(attributes, convention->output_tokens);
    tokens[2] = count_at(attributes, convention->total_tokens);
    if (!tokens[2] && tokens[0] && tokens[1]) tokens[2] = *tokens[0] + *tokens[1];
    if (!tokens[0] && !tokens[1] && !tokens[2]) continue;
    tokens[3] = count_at(attributes, convention->cache_read);
    for (const std::string_view key : convention->cache_creation)
      if (!tokens[4]) tokens[4] = count_at(attributes, key);
    attributes.set(kSpanUsageKey, write_tokens(tokens));
    return;
  }
}

std::optional<json::Value> model_in(const json::Object& attributes, std::string_view key) {
  const json::Value* text = attributes.find(key);
  if (text == nullptr || !text->is_string()) return std::nullopt;
  const auto value = read_json(text->as_string());
  const json::Value* model = value ? value->find("model") : nullptr;
  if (model == nullptr || !model->is_string() || model->as_string().empty()) return std::nullopt;
  return *model;
}

void set_model(json::Object& attributes) {
  if (!attributes.contains(kSpanModelKey)) {
    std::optional<json::Value> model;
    for (const Convention* convention : kConventions) {
      const std::string* text = first_filled(attributes, convention->models);
      if (!model && text != nullptr) model = meaning(*text);
    }
    if (!model) model = model_in(attributes, kSpanInputsKey);
    if (!model) model = model_in(attributes, kSpanOutputsKey);
    if (model) set_text(attributes, kSpanModelKey, *model);
  }
  if (attributes.contains(kSpanProviderKey)) return;
  for (const Convention* convention : kConventions) {
    const std::string* text = filled(attributes, convention->provider);
    if (text == nullptr) continue;
    set_text(attributes, kSpanProviderKey, meaning(*text));
    return;
  }
}

}  // namespace

void translate(json::Object& attributes, const json::Array& events) {
  set_type(attributes);
  set_inputs_and_outputs(attributes, events);
  set_usage(attributes);
  if (!attributes.contains(kSpanToolsKey)) {
    if (const std::string* tools = first_filled(attributes, kGenAi.tools))
      attributes.set(kSpanToolsKey, std::string(*tools));
  }
  set_model(attributes);
}

}  // namespace slipway::tracing
