// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/access.h"
#include "http/message.h"

namespace slipway::http {

// Where a handler runs.
enum class Execution {
  kInline,  // on the connection's own thread: must not block or take longer than some 100 µs; may
            // keep the Responder and answer later
  kPool,    // on the worker pool: may block
};

using AsyncHandler = std::function<void(Request&, Responder)>;
using Handler = std::function<Response(const Request&)>;

struct Route {
  Method method;
  std::string pattern;  // "/api/2.0/mlflow/runs/get", "/v2/models/{name}/infer"; a last "{path...}"
                        // takes the rest, '/' included
  Access access;        // has no default: every route says it
  Execution execution;
  AsyncHandler handler;
  std::uint64_t body_bytes_max = 16U << 20;
  bool stream_body = false;  // the handler gets body_reader instead of body; needs kPool
  std::string summary;       // one line for the API document
};

// A route whose handler returns its answer.
Route route(Method method, std::string pattern, const Access& access, Execution execution,
            Handler handler, std::string summary);

// The table of one server: fixed patterns are found in one hash look-up, patterns with parameters
// segment by segment; a fixed segment wins over a parameter, a parameter over a rest. A GET route
// answers HEAD too (the server drops the body) unless there is a route for HEAD. A trailing slash
// is significant. "{path...}" takes zero or more segments after its slash: "/a/{path...}" is
// "/a/" and "/a/b/c", never "/a". Immutable once the server runs; thread-safe then.
class Router {
 public:
  Router();
  ~Router();

  // REQUIRES: no equal method and pattern yet (asserted).
  void add(Route route);
  void add(std::vector<Route> routes);

  struct Match {
    const Route* route = nullptr;  // null: no such path, or not by this method
    std::vector<Method> allowed;   // when the path exists for other methods
    std::vector<std::pair<std::string, std::string>> parameters;
  };
  // `path` is the raw (still escaped) path; segments are decoded before they are matched or bound.
  // "//x" is matched as "/x". A path that does not decode matches nothing. O(length of the path)
  // unless parameters make it try several ways.
  Match match(Method method, std::string_view raw_path) const;

  const std::vector<Route>& routes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace slipway::http
