// SPDX-License-Identifier: Apache-2.0
#include "api/mlflow/wire.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>
#include <memory>
#include <set>
#include <unordered_set>

#include "api/mlflow/errors.h"
#include "base/error.h"
#include "http/outward.h"

namespace slipway::api::mlflow {
namespace {

std::string camel_case(std::string_view snake) {
  std::string camel;
  bool upper = false;
  for (const char c : snake) {
    if (c == '_') {
      upper = true;
      continue;
    }
    camel += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    upper = false;
  }
  return camel;
}

// Python's name of a JSON value's type, which MLflow's messages give.
std::string_view python_type(const json::Value& value) {
  switch (value.kind()) {
    case json::Value::Kind::kNull: return "NoneType";
    case json::Value::Kind::kBool: return "bool";
    case json::Value::Kind::kInt:
    case json::Value::Kind::kUint: return "int";
    case json::Value::Kind::kDouble: return "float";
    case json::Value::Kind::kString: return "str";
    case json::Value::Kind::kArray: return "list";
    case json::Value::Kind::kObject: return "dict";
  }
  return "object";
}

json::Object query_object(const http::Request& request) {
  json::Object object;
  std::set<std::string_view> seen;
  for (const auto& [name, value] : request.query) {
    if (!seen.insert(name).second) continue;
    json::Array all;
    for (const auto& [other, text] : request.query) {
      if (other == name) all.emplace_back(text);
    }
    if (all.size() == 1) {
      object.set(name, std::move(all.front()));
    } else {
      object.set(name, std::move(all));
    }
  }
  return object;
}

bool is_texts(const json::Value& value) {
  if (!value.is_array()) return false;
  const json::Array& items = value.as_array();
  return std::all_of(items.begin(), items.end(),
                     [](const json::Value& item) { return item.is_string(); });
}

// One field by two names would let a check see the one and the handler the other.
void refuse_two_spellings(const json::Object& object) {
  std::unordered_set<std::string_view> camels;  // empty, as a rule
  for (const auto& [name, value] : object) {
    const bool upper = std::any_of(name.begin(), name.end(), [](char c) {
      return std::isupper(static_cast<unsigned char>(c)) != 0;
    });
    if (upper) camels.insert(name);
  }
  if (camels.empty()) return;
  for (const auto& [name, value] : object) {
    if (name.find('_') == std::string::npos) continue;
    const std::string other = camel_case(name);
    if (!camels.contains(other)) continue;
    throw Error(Code::kInvalidArgument, "Request specifies both '" + name + "' and '" + other +
                                            "'; provide only one of them.");
  }
}

json::Object body_object(const http::Request& request) {
  if (request.body.empty()) return {};
  if (request.method == http::Method::kPost || request.method == http::Method::kPut)
    check_content_type(request);
  const json::ParseRules rules{.bare_non_finite = true, .duplicate_keys_last = true};
  json::Value value = json::parse(request.body, rules);
  if (value.is_string()) value = json::parse(value.as_string(), rules);
  if (value.is_null()) return {};
  if (!value.is_object()) {
    throw Error(Code::kInvalidArgument, "The request body must be a JSON object, not " +
                                            std::string(json::kind_name(value)) + ".");
  }
  return std::move(value.as_object());
}

std::optional<std::int64_t> int64_of(const json::Value& value) {
  if (value.kind() == json::Value::Kind::kInt) return value.as_int();
  if (value.kind() == json::Value::Kind::kDouble) {
    const double number = value.as_double();
    if (number != std::floor(number) || std::abs(number) >= 0x1p63) return std::nullopt;
    return static_cast<std::int64_t>(number);
  }
  if (!value.is_string()) return std::nullopt;
  std::int64_t number = 0;
  const std::string& text = value.as_string();
  const auto [stop, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<double> number_of(const json::Value& value) {
  if (value.is_number()) return value.as_double();
  if (!value.is_string()) return std::nullopt;
  const std::string& text = value.as_string();
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity") return std::numeric_limits<double>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
  double number = 0;
  const auto [stop, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

void check_content_type(const http::Request& request) {
  const auto type = request.header("Content-Type");
  if (type && type->substr(0, type->find(';')) == "application/json") return;
  throw Error(Code::kInvalidArgument,
              type ? "Bad Request. Content-Type must be one of ['application/json']."
                   : "Bad Request. Content-Type header is missing.");
}

Parameters::Parameters(const http::Request& request)
    : query_(request.method == http::Method::kGet && !request.query.empty()) {
  object_ = query_ ? query_object(request) : body_object(request);
  if (!query_) refuse_two_spellings(object_);
}

Parameters::Parameters(json::Object object, std::string path)
    : object_(std::move(object)), path_(std::move(path)) {
  refuse_two_spellings(object_);
}

const json::Value* Parameters::find_all(std::string_view name) const {
  const json::Value* value = object_.find(name);
  if (value == nullptr && !query_ && name.find('_') != std::string_view::npos)
    value = object_.find(camel_case(name));
  if (value == nullptr && name == "run_id") value = object_.find("run_uuid");
  return value != nullptr && value->is_null() ? nullptr : value;
}

const json::Value* Parameters::find(std::string_view name) const {
  const json::Value* value = find_all(name);
  return query_ && value != nullptr && value->is_array() ? &value->as_array().front() : value;
}

void Parameters::check(const Fields& fields) const {
  for (const Field& field : fields) {
    const json::Value* value = find(field.name);
    const bool is_empty = value == nullptr || (value->is_string() && value->as_string().empty());
    if (field.required && is_empty) missing(field.name);
    if (value != nullptr) check_type(field, *value);
  }
}

void Parameters::check_type(const Field& field, const json::Value& value) const {
  switch (field.kind) {
    case Field::Kind::kAny: return;
    case Field::Kind::kText:
      if (!value.is_string()) wrong_type(field.name, value);
      return;
    case Field::Kind::kInteger: {
      const auto number = maybe_int64(field.name);
      if (number && *number > field.most) wrong_type(field.name, value);
      return;
    }
    case Field::Kind::kNumber:
      if (!number_of(value)) wrong_type(field.name, value);
      return;
    case Field::Kind::kBoolean:
      if (!query_ && !value.is_bool()) wrong_type(field.name, value);
      return;
    case Field::Kind::kList:
      if (!query_ && !value.is_array()) wrong_type(field.name, value);
      return;
    case Field::Kind::kTexts:
      if (!query_ && !is_texts(value)) wrong_type(field.name, value);
      return;
  }
}

std::string Parameters::path_of(std::string_view name) const {
  return path_.empty() ? std::string(name) : path_ + "." + std::string(name);
}

void Parameters::missing(std::string_view name) const {
  throw Error(Code::kInvalidArgument, "Missing value for required parameter '" + path_of(name) +
                                          "'." + std::string(kSeeDocs));
}

void Parameters::refuse(std::string_view name, const std::string& why) const {
  const json::Value* value = find(name);
  throw Error(Code::kInvalidArgument,
              "Invalid value " + json::write(value != nullptr ? *value : json::Value()) +
                  " for parameter '" + path_of(name) + "' supplied: " + why);
}

void Parameters::wrong_type(std::string_view name, const json::Value& value) const {
  refuse(name, " Hint: Value was of type '" + std::string(python_type(value)) + "'." +
                   std::string(kSeeDocs));
}

void Parameters::refuse_type(std::string_view name) const { wrong_type(name, *find(name)); }

std::optional<std::string> Parameters::maybe_text(std::string_view name) const {
  const json::Value* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) wrong_type(name, *value);
  check_no_nul(name, value->as_string());
  return value->as_string();
}

void Parameters::check_no_nul(std::string_view name, std::string_view text) const {
  if (text.find('\0') == std::string_view::npos) return;
  throw Error(Code::kInvalidArgument, "Invalid value for parameter '" + path_of(name) +
                                          "' supplied: a text may hold any character but U+0000");
}

std::string Parameters::text(std::string_view name) const { return maybe_text(name).value_or(""); }

std::string Parameters::required_text(std::string_view name) const {
  std::string value = text(name);
  if (value.empty()) missing(name);
  return value;
}

std::optional<std::int64_t> Parameters::maybe_int64(std::string_view name) const {
  const json::Value* value = find(name);
  if (value == nullptr || (value->is_string() && value->as_string().empty())) return std::nullopt;
  const auto number = int64_of(*value);
  if (!number) wrong_type(name, *value);
  return number;
}

std::int64_t Parameters::required_int64(std::string_view name) const {
  const auto value = maybe_int64(name);
  if (!value) missing(name);
  return *value;
}

double Parameters::required_number(std::string_view name) const {
  const json::Value* value = find(name);
  if (value == nullptr) missing(name);
  const auto number = number_of(*value);
  if (!number) wrong_type(name, *value);
  return *number;
}

std::optional<bool> Parameters::maybe_boolean(std::string_view name) const {
  const json::Value* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_bool()) return value->as_bool();
  std::string text = value->is_string() ? value->as_string() : "";
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  });
  if (text == "true") return true;
  if (text == "false") return false;
  if (!value->is_string()) wrong_type(name, *value);
  throw Error(Code::kInvalidArgument, "Invalid boolean value for parameter '" + path_of(name) +
                                          "': " + value->as_string() +
                                          ", must be 'true' or 'false'.");
}

std::vector<std::string> Parameters::texts(std::string_view name) const {
  std::vector<std::string> list;
  const json::Value* value = find_all(name);
  if (value == nullptr) return list;
  if (value->is_string() && query_) {  // a repeated field that came once in a query
    check_no_nul(name, value->as_string());
    return {value->as_string()};
  }
  if (!value->is_array()) wrong_type(name, *value);
  for (const json::Value& item : value->as_array()) {
    // Ids are often sent as numbers.
    if (item.kind() == json::Value::Kind::kInt) {
      list.push_back(std::to_string(item.as_int()));
    } else if (item.is_string()) {
      check_no_nul(name, item.as_string());
      list.push_back(item.as_string());
    } else {
      wrong_type(name, *value);
    }
  }
  return list;
}

std::vector<Parameters> Parameters::objects(std::string_view name) const {
  std::vector<Parameters> list;
  const json::Value* value = find(name);
  if (value == nullptr) return list;
  if (!value->is_array()) wrong_type(name, *value);
  const json::Array& items = value->as_array();
  list.reserve(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!items[i].is_object()) wrong_type(name, *value);
    list.emplace_back(items[i].as_object(), path_of(name) + "[" + std::to_string(i) + "]");
  }
  return list;
}

std::optional<Parameters> Parameters::object(std::string_view name) const {
  const json::Value* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_object()) wrong_type(name, *value);
  return Parameters(value->as_object(), path_of(name));
}

std::int64_t Parameters::max_results(std::int64_t fallback, std::int64_t most) const {
  const auto value = maybe_int64("max_results");
  if (!value) return fallback;
  if (*value < 1) {
    throw Error(Code::kInvalidArgument,
                "Invalid value " + std::to_string(*value) +
                    " for parameter 'max_results' supplied. It must be a positive integer");
  }
  if (*value > most) {
    throw Error(Code::kInvalidArgument,
                "Invalid value " + std::to_string(*value) +
                    " for parameter 'max_results' supplied. It must be at most " +
                    std::to_string(most));
  }
  return *value;
}

http::Response answer(const json::Value& body) {
  http::Response response;
  response.body = json::write(body, {.indent = 2});
  return response;
}

http::Response answer() {
  http::Response response;
  response.body = "{}";
  return response;
}

http::Response answer_line(const json::Value& body) {
  http::Response response;
  response.body = json::write(body);
  return response;
}

json::Value key_value_list(const std::vector<std::pair<std::string, std::string>>& pairs) {
  json::Array list;
  list.reserve(pairs.size());
  for (const auto& [key, value] : pairs)
    list.emplace_back(json::Object{{"key", key}, {"value", value}});
  return list;
}

namespace {

std::vector<std::string> spell(std::string_view path, Prefixes prefixes) {
  const std::string tail(path);
  switch (prefixes) {
    case Prefixes::kBoth2: return {"/api/2.0" + tail, "/ajax-api/2.0" + tail};
    case Prefixes::kBoth3: return {"/api/3.0" + tail, "/ajax-api/3.0" + tail};
    case Prefixes::kAjax2: return {"/ajax-api/2.0" + tail};
    case Prefixes::kAjax3: return {"/ajax-api/3.0" + tail};
  }
  return {};
}

}  // namespace

namespace {

// The decision is made in the write's own transaction: what is allowed cannot change between.
Routes::Work if_permitted(const Access& access, const Parameters& parameters,
                          const http::Request& request, Routes::Work work) {
  http::Request asked;  // without the body, which Parameters holds already
  asked.method = request.method;
  asked.path = request.path;
  asked.query = request.query;
  asked.path_parameters = request.path_parameters;
  asked.caller = request.caller;
  return [access, parameters, asked = std::move(asked),
          work = std::move(work)](storage::Transaction& transaction) {
    return permitted(transaction, access, parameters, asked) ? work(transaction)
                                                             : forbidden_response();
  };
}

}  // namespace

void Routes::read(http::Method method, std::string_view path, const Access& access,
                  const Fields& fields, const Read& read, const std::string& summary,
                  Prefixes prefixes) {
  storage::Database& database = database_;
  for (const std::string& pattern : spell(path, prefixes)) {
    routes_.push_back(http::route(
        method, pattern, declared(access), http::Execution::kPool,
        [&database, access, fields, read](const http::Request& request) {
          const Parameters parameters(request);
          parameters.check(fields);
          http::Response response;
          database.read([&](storage::Session& session) {
            response = permitted(session, access, parameters, request)
                           ? read(session, parameters, request)
                           : forbidden_response();
          });
          return response;
        },
        summary));
  }
}

void Routes::write(http::Method method, std::string_view path, const Access& access,
                   const Fields& fields, const Plan& plan, const std::string& summary,
                   Prefixes prefixes, std::uint64_t body_bytes_max) {
  storage::Database& database = database_;
  for (const std::string& pattern : spell(path, prefixes)) {
    http::Route route{.method = method,
                      .pattern = pattern,
                      .access = declared(access),
                      .execution = http::Execution::kInline,
                      .handler = {},
                      .body_bytes_max = body_bytes_max,
                      .summary = summary};
    route.handler = [&database, access, fields, plan](http::Request& request,
                                                      http::Responder responder) {
      const Parameters parameters(request);  // may throw: the responder must still be whole then
      parameters.check(fields);
      Work work = plan(parameters, request);
      if (!request.caller.admin) work = if_permitted(access, parameters, request, std::move(work));
      submit(database, std::move(work), std::move(responder));
    };
    routes_.push_back(std::move(route));
  }
}

void submit(storage::Database& database, Routes::Work work, http::Responder responder) {
  // Made on the writer thread, sent from there once the commit is durable.
  auto response = std::make_shared<http::Response>();
  database.write_async(
      [work = std::move(work), response](storage::Transaction& transaction) {
        *response = work(transaction);
      },
      [response, responder = std::move(responder)](const std::exception_ptr& fault) {
        if (!fault) {
          responder.send(std::move(*response));
          return;
        }
        try {
          std::rethrow_exception(fault);
        } catch (const std::exception& exception) {
          responder.send(error_response(http::outward(exception, "a write of MLflow's API")));
        }
      });
}

}  // namespace slipway::api::mlflow
