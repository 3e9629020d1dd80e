// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <curl/curl.h>
#include <dlfcn.h>
#include <exception>

#include "net/http_client.h"
#include "net/url.h"

namespace slipway::net {
namespace {

constexpr int kConnectTimeoutMs = 10'000;
constexpr const char* kLibrary = "libcurl.so.4";

// The few functions of libcurl that we call.
struct Library {
  CURLcode (*global_init)(long) = nullptr;
  CURL* (*easy_init)() = nullptr;
  void (*easy_cleanup)(CURL*) = nullptr;
  void (*easy_reset)(CURL*) = nullptr;
  CURLcode (*easy_setopt)(CURL*, CURLoption, ...) = nullptr;
  CURLcode (*easy_perform)(CURL*) = nullptr;
  CURLcode (*easy_getinfo)(CURL*, CURLINFO, ...) = nullptr;
  const char* (*easy_strerror)(CURLcode) = nullptr;
  curl_slist* (*slist_append)(curl_slist*, const char*) = nullptr;
  void (*slist_free_all)(curl_slist*) = nullptr;
};

template <typename Function>
void find(void* library, const char* name, Function& function) {
  void* const symbol = dlsym(library, name);
  if (symbol == nullptr)
    throw Error(Code::kUnavailable, std::string(kLibrary) + " has no function " + name);
  function = reinterpret_cast<Function>(
      symbol);  // NOLINT(cppcoreguidelines-pro-type-reinterpret-cast): dlsym's contract
}

Library load() {
  void* const library = dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    throw Error(Code::kUnavailable, std::string("cannot load ") + kLibrary + ", which talks HTTP",
                "apt-get install libcurl4");
  }
  Library curl;
  find(library, "curl_global_init", curl.global_init);
  find(library, "curl_easy_init", curl.easy_init);
  find(library, "curl_easy_cleanup", curl.easy_cleanup);
  find(library, "curl_easy_reset", curl.easy_reset);
  find(library, "curl_easy_setopt", curl.easy_setopt);
  find(library, "curl_easy_perform", curl.easy_perform);
  find(library, "curl_easy_getinfo", curl.easy_getinfo);
  find(library, "curl_easy_strerror", curl.easy_strerror);
  find(library, "curl_slist_append", curl.slist_append);
  find(library, "curl_slist_free_all", curl.slist_free_all);
  if (curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
    throw Error(Code::kUnavailable, "libcurl does not start");
  return curl;
}

// A loaded library is a fact of the process: found once, never unloaded (threads of its own may run
// in it).
const Library& library() {
  static const Library curl = load();
  return curl;
}

// What one exchange's callbacks work on. An exception must not pass through C: it is kept, and the
// transfer is given up.
struct Exchange {
  const HttpRequest& request;
  HttpResponse response;
  std::exception_ptr exception;
  bool too_long = false;
};

Exchange& exchange_of(void* pointer) { return *static_cast<Exchange*>(pointer); }

std::size_t on_header(char* data, std::size_t size, std::size_t count, void* pointer) {
  Exchange& exchange = exchange_of(pointer);
  std::string_view line(data, size * count);
  if (line.starts_with("HTTP/")) {  // the head of the next answer, after "100 Continue" say
    exchange.response = HttpResponse();
    const std::size_t blank = line.find(' ');
    if (blank != std::string_view::npos && line.size() >= blank + 4) {
      for (std::size_t i = blank + 1; i < blank + 4; ++i)
        exchange.response.status = exchange.response.status * 10 + (line[i] - '0');
    }
    return size * count;
  }
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return size * count;
  std::string_view value = line.substr(colon + 1);
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  exchange.response.headers.emplace_back(line.substr(0, colon), value);
  return size * count;
}

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* pointer) {
  Exchange& exchange = exchange_of(pointer);
  const std::string_view bytes(data, size * count);
  const bool good = exchange.response.status >= 200 && exchange.response.status <= 299;
  try {
    if (exchange.request.sink && good) {
      exchange.request.sink(bytes);
    } else if (exchange.response.body.size() + bytes.size() > exchange.request.response_bytes_max) {
      exchange.too_long = true;
      return CURL_WRITEFUNC_ERROR;
    } else {
      exchange.response.body.append(bytes);
    }
  } catch (const std::exception&) {
    exchange.exception = std::current_exception();
    return CURL_WRITEFUNC_ERROR;
  }
  return bytes.size();
}

std::size_t on_read(char* buffer, std::size_t size, std::size_t count, void* pointer) {
  Exchange& exchange = exchange_of(pointer);
  try {
    return exchange.request.body_source(buffer, size * count);
  } catch (const std::exception&) {
    exchange.exception = std::current_exception();
    return CURL_READFUNC_ABORT;
  }
}

// The URL as an error may show it: without a password.
std::string shown(Url url) {
  url.user_info.clear();
  return compose_url(url);
}

[[noreturn]] void fail(const Exchange& exchange, CURLcode result, const std::string& url,
                       const char* detail) {
  if (exchange.exception) std::rethrow_exception(exchange.exception);
  if (exchange.too_long) {
    throw Error(Code::kResourceExhausted, "the answer of " + url + " is longer than " +
                                              std::to_string(exchange.request.response_bytes_max) +
                                              " bytes");
  }
  if (result == CURLE_OPERATION_TIMEDOUT) {
    throw Error(Code::kDeadlineExceeded, url + " did not answer within " +
                                             std::to_string(exchange.request.timeout_ms) + " ms");
  }
  if (result == CURLE_URL_MALFORMAT || result == CURLE_UNSUPPORTED_PROTOCOL) {
    throw Error(Code::kInvalidArgument, "`" + url + "` is not a usable URL: " + detail);
  }
  throw Error(Code::kUnavailable, "cannot reach " + url + ": " + detail);
}

}  // namespace

struct CurlHttpClient::State {
  const Library& curl = library();
  CURL* handle = curl.easy_init();
  char detail[CURL_ERROR_SIZE] = {};

  ~State() { curl.easy_cleanup(handle); }

  template <typename Value>
  void set(CURLoption option, Value value) {
    const CURLcode result = curl.easy_setopt(handle, option, value);
    if (result != CURLE_OK)
      throw Error(Code::kInternal,
                  std::string("libcurl refused an option: ") + curl.easy_strerror(result));
  }
};

namespace {

// A list of libcurl's, freed with this object. It must live until the exchange has ended.
class TextList {
 public:
  explicit TextList(const Library& curl) : curl_(curl) {}
  ~TextList() { curl_.slist_free_all(list_); }
  TextList(const TextList&) = delete;
  TextList& operator=(const TextList&) = delete;

  void add(const std::string& line) {
    if (line.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
      throw Error(Code::kInvalidArgument, "a header field holds a line end: " +
                                              line.substr(0, line.find_first_of(":\r\n")));
    }
    curl_slist* const longer = curl_.slist_append(list_, line.c_str());
    if (longer == nullptr)
      throw Error(Code::kResourceExhausted, "out of memory for a request's header");
    list_ = longer;
  }
  curl_slist* get() const { return list_; }

 private:
  const Library& curl_;
  curl_slist* list_ = nullptr;
};

void fill_headers(const HttpRequest& request, TextList& list) {
  const auto has = [&](std::string_view name) {
    HttpResponse named;
    named.headers = request.headers;
    return named.header(name).has_value();
  };
  for (const auto& [name, value] : request.headers)
    list.add(value.empty() ? name + ";" : name + ": " + value);
  if (!has("Content-Type")) list.add("Content-Type:");  // not libcurl's guess
  if (!has("User-Agent")) list.add("User-Agent: slipway");
  if (request.body_source && !request.body_bytes) list.add("Transfer-Encoding: chunked");
}

}  // namespace

CurlHttpClient::CurlHttpClient() : state_(std::make_unique<State>()) {
  if (state_->handle == nullptr)
    throw Error(Code::kResourceExhausted, "libcurl has no memory for a connection");
}

CurlHttpClient::~CurlHttpClient() = default;

HttpResponse CurlHttpClient::send(const HttpRequest& request) {
  const Url url = parse_url(request.url);
  const Library& curl = state_->curl;
  TextList headers(curl);
  TextList addresses(curl);
  Exchange exchange{.request = request, .response = {}, .exception = nullptr};
  fill_headers(request, headers);
  curl.easy_reset(state_->handle);  // options only: open connections stay
  State& s = *state_;
  s.detail[0] = '\0';
  s.set(CURLOPT_ERRORBUFFER, static_cast<char*>(s.detail));
  s.set(CURLOPT_NOSIGNAL, 1L);
  s.set(CURLOPT_URL, request.url.c_str());
  s.set(CURLOPT_PROTOCOLS_STR, "http,https");
  s.set(CURLOPT_FOLLOWLOCATION, 0L);
  s.set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(kConnectTimeoutMs));
  s.set(CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout_ms));
  if (is_loopback(url.host) || !request.address.empty()) s.set(CURLOPT_PROXY, "");
  if (!request.address.empty()) {
    const bool v6 = request.address.find(':') != std::string::npos;
    addresses.add(url.host + ":" + std::to_string(url.port) + ":" +
                  (v6 ? "[" + request.address + "]" : request.address));
    s.set(CURLOPT_RESOLVE, addresses.get());
  }
  s.set(CURLOPT_HEADERFUNCTION, &on_header);
  s.set(CURLOPT_HEADERDATA, static_cast<void*>(&exchange));
  s.set(CURLOPT_WRITEFUNCTION, &on_body);
  s.set(CURLOPT_WRITEDATA, static_cast<void*>(&exchange));
  s.set(CURLOPT_HTTPHEADER, headers.get());
  if (request.body_source) {
    s.set(CURLOPT_UPLOAD, 1L);
    s.set(CURLOPT_READFUNCTION, &on_read);
    s.set(CURLOPT_READDATA, static_cast<void*>(&exchange));
    if (request.body_bytes)
      s.set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(*request.body_bytes));
  } else if (request.method == "HEAD") {
    s.set(CURLOPT_NOBODY, 1L);
  } else if (!request.body.empty() || request.method == "POST" || request.method == "PUT" ||
             request.method == "PATCH") {
    s.set(CURLOPT_POSTFIELDS, request.body.data());
    s.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  }
  s.set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  const CURLcode result = curl.easy_perform(s.handle);
  if (result != CURLE_OK)
    fail(exchange, result, shown(url), s.detail[0] != '\0' ? s.detail : curl.easy_strerror(result));
  return std::move(exchange.response);
}

}  // namespace slipway::net
