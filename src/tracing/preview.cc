// SPDX-License-Identifier: Apache-2.0
#include "tracing/preview.h"

#include <vector>

#include "tracing/python_json.h"
#include "tracking/key_rules.h"

namespace slipway::tracing {
namespace {

constexpr int kRequestsMax = 100;  // "request" within "request"

bool is_message(const json::Value& value) {
  return value.find("role") != nullptr && value.find("content") != nullptr;
}

std::vector<const json::Value*> messages_in(const json::Value& list) {
  std::vector<const json::Value*> messages;
  for (const json::Value& item : list.as_array())
    if (is_message(item)) messages.push_back(&item);
  return messages;
}

const json::Value* filled_list(const json::Value& object, std::string_view name) {
  const json::Value* list = object.find(name);
  return list != nullptr && list->is_array() && !list->as_array().empty() ? list : nullptr;
}

std::vector<const json::Value*> find_messages(const json::Value& whole) {
  const json::Value* object = &whole;
  for (int i = 0; i < kRequestsMax && object != nullptr && object->is_object(); ++i) {
    if (const json::Value* list = filled_list(*object, "messages")) return messages_in(*list);
    if (const json::Value* choices = filled_list(*object, "choices")) {
      const json::Value* message = choices->as_array().front().find("message");
      if (message != nullptr && is_message(*message)) return {message};
    }
    if (const json::Value* list = filled_list(*object, "input")) return messages_in(*list);
    if (const json::Value* list = filled_list(*object, "output")) return messages_in(*list);
    object = object->find("request");
  }
  return {};
}

std::string text_of(const json::Value& message) {
  const json::Value& content = *message.find("content");
  if (content.is_string()) return content.as_string();
  if (!content.is_array()) return "";
  for (const json::Value& part : content.as_array()) {
    if (part.is_string()) return part.as_string();
    const json::Value* type = part.find("type");
    if (type == nullptr || !type->is_string()) continue;
    if (type->as_string() != "text" && type->as_string() != "output_text") continue;
    const json::Value* text = part.find("text");
    return text != nullptr && text->is_string() ? text->as_string() : "";
  }
  return "";
}

std::string last_text(const std::vector<const json::Value*>& messages, std::string_view role) {
  if (messages.empty()) return "";
  const json::Value* chosen = messages.back();
  for (const json::Value* message : messages) {
    const json::Value& said = *message->find("role");
    if (said.is_string() && said.as_string() == role) chosen = message;
  }
  return text_of(*chosen);
}

}  // namespace

std::string make_preview(std::string_view text, std::string_view role) {
  const auto value = read_json(text);
  std::string shown = value ? last_text(find_messages(*value), role) : "";
  if (shown.empty()) shown = text;
  if (tracking::count_characters(shown) <= kPreviewCharactersMax) return shown;
  return std::string(tracking::cut_to_characters(shown, kPreviewCharactersMax - 3)) + "...";
}

}  // namespace slipway::tracing
