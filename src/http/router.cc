// SPDX-License-Identifier: Apache-2.0
#include "http/router.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <functional>
#include <unordered_map>

#include "http/target.h"

namespace slipway::http {
namespace {

constexpr std::size_t kMethods = 8;
constexpr std::size_t kNone = static_cast<std::size_t>(-1);
// A path with more segments matches no pattern with parameters but a rest; keeps the recursion
// shallow.
constexpr std::size_t kPatternSegmentsMax = 32;

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>{}(text);
  }
};

template <typename Value>
using TextMap = std::unordered_map<std::string, Value, TextHash, std::equal_to<>>;

// The routes of one path, by method: indices into the table.
struct Methods {
  std::array<std::size_t, kMethods> route;
  Methods() { route.fill(kNone); }

  std::size_t find(Method method) const {
    const std::size_t exact = route[static_cast<std::size_t>(method)];
    if (exact == kNone && method == Method::kHead)
      return route[static_cast<std::size_t>(Method::kGet)];
    return exact;
  }
};

struct Node {
  TextMap<std::unique_ptr<Node>> fixed;
  std::unique_ptr<Node> parameter;
  std::unique_ptr<Methods> here;  // a pattern ends here
  std::unique_ptr<Methods> rest;  // a pattern's {path...} starts here
};

bool is_parameter(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

bool is_rest(std::string_view segment) {
  return is_parameter(segment) && segment.ends_with("...}");
}

// "{name}" and "{name...}" to "name".
std::string_view parameter_name(std::string_view segment) {
  return segment.substr(1, segment.size() - 1 - (is_rest(segment) ? 4 : 1));
}

// Patterns hold no escapes, so their segments are their text between slashes.
std::vector<std::string> pattern_segments(std::string_view pattern) {
  auto segments = path_segments(pattern);
  assert(segments && !pattern.empty() && pattern.front() == '/' && "a pattern starts with '/'");
  assert(segments->size() <= kPatternSegmentsMax);
  return std::move(*segments);
}

std::string join(const std::vector<std::string>& segments, std::size_t from) {
  std::string out;
  for (std::size_t i = from; i < segments.size(); ++i) {
    if (i > from) out += '/';
    out += segments[i];
  }
  return out;
}

struct Search {
  const std::vector<std::string>& segments;
  Method method;
  std::array<bool, kMethods> allowed{};

  // Remembers what else the path may be asked with.
  std::size_t take(const Methods& methods) {
    const std::size_t found = methods.find(method);
    if (found == kNone) {
      for (std::size_t i = 0; i < kMethods; ++i)
        allowed[i] = allowed[i] || methods.route[i] != kNone;
    }
    return found;
  }

  std::size_t walk(const Node& node, std::size_t at) {
    if (at == segments.size()) return node.here ? take(*node.here) : kNone;
    if (const auto next = node.fixed.find(segments[at]); next != node.fixed.end()) {
      if (const std::size_t found = walk(*next->second, at + 1); found != kNone) return found;
    }
    if (node.parameter && !segments[at].empty()) {
      if (const std::size_t found = walk(*node.parameter, at + 1); found != kNone) return found;
    }
    return node.rest ? take(*node.rest) : kNone;
  }
};

}  // namespace

struct Router::State {
  std::vector<Route> routes;
  std::vector<std::vector<std::string>> segments;  // of each route's pattern
  TextMap<Methods> fixed;                          // whole patterns without parameters
  Node root;                                       // patterns with parameters

  Methods& place(const std::string& pattern, const std::vector<std::string>& parts) {
    const bool plain = std::none_of(parts.begin(), parts.end(),
                                    [](const auto& part) { return is_parameter(part); });
    if (plain) return fixed[pattern];
    Node* node = &root;
    for (const std::string& part : parts) {
      if (is_rest(part)) {
        assert(&part == &parts.back() && "{path...} is the last segment");
        if (!node->rest) node->rest = std::make_unique<Methods>();
        return *node->rest;
      }
      auto& next = is_parameter(part) ? node->parameter : node->fixed[part];
      if (!next) next = std::make_unique<Node>();
      node = next.get();
    }
    if (!node->here) node->here = std::make_unique<Methods>();
    return *node->here;
  }

  void bind(std::size_t index, const std::vector<std::string>& path, Match& match) const {
    const auto& parts = segments[index];
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (!is_parameter(parts[i])) continue;
      match.parameters.emplace_back(parameter_name(parts[i]),
                                    is_rest(parts[i]) ? join(path, i) : path[i]);
    }
    match.route = &routes[index];
  }
};

Route route(Method method, std::string pattern, const Access& access, Execution execution,
            Handler handler, std::string summary) {
  Route made{.method = method,
             .pattern = std::move(pattern),
             .access = access,
             .execution = execution,
             .handler = [handler = std::move(handler)](
                            Request& request,
                            const Responder& responder) { responder.send(handler(request)); },
             .summary = std::move(summary)};
  return made;
}

Router::Router() : state_(std::make_unique<State>()) {}
Router::~Router() = default;

void Router::add(Route route) {
  auto parts = pattern_segments(route.pattern);
  assert((!route.stream_body || route.execution == Execution::kPool) &&
         "a streamed body is read on the pool");
  std::size_t& slot =
      state_->place(route.pattern, parts).route[static_cast<std::size_t>(route.method)];
  assert(slot == kNone && "a route with this method and pattern exists");
  slot = state_->routes.size();
  state_->segments.push_back(std::move(parts));
  state_->routes.push_back(std::move(route));
}

void Router::add(std::vector<Route> routes) {
  for (Route& route : routes) add(std::move(route));
}

Router::Match Router::match(Method method, std::string_view raw_path) const {
  Match match;
  const auto direct = state_->fixed.find(raw_path);
  if (direct != state_->fixed.end()) {
    if (const std::size_t found = direct->second.find(method); found != kNone) {
      match.route = &state_->routes[found];
      return match;
    }
  }
  const auto segments = path_segments(raw_path);
  if (!segments || segments->empty()) return match;
  Search search{.segments = *segments, .method = method};
  // The same path may be written with escapes or doubled slashes. A slash inside a segment is not a
  // separator.
  const bool joined = std::none_of(
      segments->begin(), segments->end(),
      [](const std::string& segment) { return segment.find('/') != std::string::npos; });
  if (const auto at = state_->fixed.find("/" + join(*segments, 0));
      joined && at != state_->fixed.end()) {
    if (const std::size_t found = search.take(at->second); found != kNone) {
      match.route = &state_->routes[found];
      return match;
    }
  }
  if (const std::size_t found = search.walk(state_->root, 0); found != kNone) {
    state_->bind(found, *segments, match);
    return match;
  }
  for (std::size_t i = 0; i < kMethods; ++i) {
    if (search.allowed[i]) match.allowed.push_back(static_cast<Method>(i));
  }
  return match;
}

const std::vector<Route>& Router::routes() const { return state_->routes; }

}  // namespace slipway::http
