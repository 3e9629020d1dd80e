// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/mlflow/resource.h"
#include "http/message.h"
#include "http/router.h"
#include "json/value.h"
#include "tracking/session.h"

namespace slipway::api::mlflow {

// The end of most of MLflow's refusals.
inline constexpr std::string_view kSeeDocs =
    " See the API docs for more information about request parameters.";

// What MLflow's server checks of a field before it looks at what the fields mean.
struct Field {
  enum class Kind { kAny, kText, kInteger, kNumber, kBoolean, kList, kTexts };
  std::string_view name;
  Kind kind = Kind::kText;
  bool required = false;                                         // "" counts as missing
  std::int64_t most = std::numeric_limits<std::int64_t>::max();  // of an integer
};
using Fields = std::vector<Field>;

namespace field {
constexpr Field required(std::string_view name) { return {name, Field::Kind::kText, true}; }
constexpr Field required(std::string_view name, Field::Kind kind) { return {name, kind, true}; }
constexpr Field text(std::string_view name) { return {name}; }
constexpr Field integer(std::string_view name) { return {name, Field::Kind::kInteger}; }
constexpr Field integer(std::string_view name, std::int64_t most) {
  return {name, Field::Kind::kInteger, false, most};
}
constexpr Field boolean(std::string_view name) { return {name, Field::Kind::kBoolean}; }
constexpr Field list(std::string_view name) { return {name, Field::Kind::kList}; }
constexpr Field texts(std::string_view name) { return {name, Field::Kind::kTexts}; }
}  // namespace field

// kInvalidArgument unless the Content-Type is application/json, which MLflow's server asks of every
// POST and PUT with a body.
void check_content_type(const http::Request& request);

// The parameters of one request, read as leniently as MLflow reads them and never more silently:
//   - GET takes the query (a repeated field is a repeated key, of another field the first counts),
//   everything else the JSON body; a GET without a query may have one.
//   - A body that is a JSON text holding JSON is decoded once more; an empty body is {}. Broken
//   JSON or a list is refused.
//   - Unknown fields are ignored; null is absent; int64 may be a number or a text; `run_uuid`
//   stands for `run_id`; in a body camelCase stands for snake_case, but both at once are refused.
//   - "" counts as missing where a value is required.
//   - A text with U+0000 is refused: no store can compare it, and PostgreSQL cannot hold it.
// All readers throw kInvalidArgument with MLflow's words: "Missing value for required parameter
// 'x'. …", "Invalid value 123 for parameter 'x' supplied:  Hint: Value was of type 'int'. …".
// Inside lists the name is "metrics[3].value".
class Parameters {
 public:
  explicit Parameters(const http::Request& request);
  Parameters(json::Object object, std::string path);

  // MLflow's checks of these fields, in the order given: the first fault is thrown. What passes may
  // still be refused by a reader below, which knows more.
  void check(const Fields& fields) const;

  bool has(std::string_view name) const { return find(name) != nullptr; }
  // The raw value; null when absent or JSON null. Of a repeated query field: the first. Valid as
  // long as this object.
  const json::Value* find(std::string_view name) const;

  std::string required_text(std::string_view name) const;
  std::string text(std::string_view name) const;  // "" when absent
  std::optional<std::string> maybe_text(std::string_view name) const;
  std::int64_t required_int64(std::string_view name) const;
  std::optional<std::int64_t> maybe_int64(std::string_view name) const;
  double required_number(
      std::string_view name) const;  // also "NaN", "Infinity", "-Infinity", and numbers as texts
  std::optional<bool> maybe_boolean(std::string_view name) const;
  std::vector<std::string> texts(
      std::string_view name) const;  // a list of texts; empty when absent
  std::vector<Parameters> objects(
      std::string_view name) const;  // a list of objects; empty when absent
  std::optional<Parameters> object(std::string_view name) const;  // one object

  // `max_results`: `fallback` when absent, else within 1 … `most`.
  std::int64_t max_results(std::int64_t fallback, std::int64_t most) const;

  // "metrics[3].value" for a field of this object: for errors of the caller's own.
  std::string path_of(std::string_view name) const;
  // Throws the "Invalid value … supplied" error about the field; `why` follows its colon.
  [[noreturn]] void refuse(std::string_view name, const std::string& why) const;
  // The same with MLflow's hint at the value's type. REQUIRES that the field is there.
  [[noreturn]] void refuse_type(std::string_view name) const;

 private:
  [[noreturn]] void wrong_type(std::string_view name, const json::Value& value) const;
  [[noreturn]] void missing(std::string_view name) const;

  const json::Value* find_all(std::string_view name) const;  // a repeated query field as a list
  void check_type(const Field& field, const json::Value& value) const;
  void check_no_nul(std::string_view name, std::string_view text) const;

  json::Object object_;
  std::string path_;
  bool query_ = false;
};

// 200 with the body as MLflow prints it: two blanks a level, NaN and infinities as quoted texts.
http::Response answer(const json::Value& body);
http::Response answer();  // {}
// The same on one line, where MLflow prints it so.
http::Response answer_line(const json::Value& body);

// [{"key","value"}] as MLflow's lists of tags and parameters.
json::Value key_value_list(const std::vector<std::pair<std::string, std::string>>& pairs);

// Which spellings a route has. Paths are given without prefix: "/mlflow/runs/get".
enum class Prefixes {
  kBoth2,  // /api/2.0 and /ajax-api/2.0
  kBoth3,  // /api/3.0 and /ajax-api/3.0
  kAjax2,  // /ajax-api/2.0 alone
  kAjax3,  // /ajax-api/3.0 alone
};

// Routes of MLflow's API are open on loopback while the server has no accounts, and take
// credentials elsewhere (http::Door::kOpenOnLoopback). Each says what it asks of its caller.
class Routes {
 public:
  explicit Routes(storage::Database& database) : database_(database) {}

  // `fields` are checked first, in their order; a route without any says {}.

  // Answers from one consistent state of the store, on the worker pool.
  using Read =
      std::function<http::Response(storage::Session&, const Parameters&, const http::Request&)>;
  void read(http::Method method, std::string_view path, const Access& access, const Fields& fields,
            const Read& read, const std::string& summary, Prefixes prefixes = Prefixes::kBoth2);

  // Plans a write on the connection's thread (parse, check what needs no store), hands it to the
  // writer and answers when it is committed; no thread waits. The plan's function runs on the
  // writer thread and makes the answer; it must own what it uses.
  using Work = std::function<http::Response(storage::Transaction&)>;
  using Plan = std::function<Work(const Parameters&, const http::Request&)>;
  void write(http::Method method, std::string_view path, const Access& access, const Fields& fields,
             const Plan& plan, const std::string& summary, Prefixes prefixes = Prefixes::kBoth2,
             std::uint64_t body_bytes_max = 16U << 20);

  // As it stands; for streams, files and texts.
  void add(http::Route route) { routes_.push_back(std::move(route)); }

  std::vector<http::Route> take() { return std::move(routes_); }

 private:
  storage::Database& database_;
  std::vector<http::Route> routes_;
};

// Hands a planned write over and answers when it is committed, or with its Error. For handlers that
// plan without Parameters.
void submit(storage::Database& database, Routes::Work work, http::Responder responder);

}  // namespace slipway::api::mlflow
