// SPDX-License-Identifier: Apache-2.0
#include "http/connection.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <charconv>
#include <sys/sendfile.h>

#include "base/log.h"
#include "http/head.h"

namespace slipway::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// Files go out in pieces of this size, so that one download does not hold up the loop's other
// connections.
constexpr std::size_t kFilePieceBytes = 256U << 10;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

Instant now() { return std::chrono::steady_clock::now(); }
Instant in_seconds(int seconds) { return now() + std::chrono::seconds(seconds); }

Error too_long(std::uint64_t limit) {
  return Error(Code::kResourceExhausted, "the body is longer than the " + std::to_string(limit) +
                                             " bytes that this path takes");
}

}  // namespace

Connection::Connection(IoLoop& loop, Socket socket, std::string peer, bool peer_is_loopback)
    : loop_(loop),
      core_(loop.core()),
      socket_(std::move(socket)),
      peer_(std::move(peer)),
      peer_is_loopback_(peer_is_loopback),
      in_(core_.options.header_bytes_max + kReadBytes) {
  in_.reserve(kReadBytes);
}

Connection::~Connection() = default;

void Connection::start() {
  deadline_ = in_seconds(core_.options.idle_timeout_s);
  pump();
}

void Connection::close() {
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kClosed;
  deadline_ = Instant::max();
  error_code ignored;
  socket_.close(ignored);  // NOLINT(bugprone-unused-return-value): nothing can be done about it
  if (exchange_ && exchange_->queue) {
    exchange_->queue->fail(
        Error(Code::kUnavailable, "the client went away before the end of its request's body"));
  }
  core_.buffered_bytes -= std::exchange(buffered_, 0);
  response_ = OwnedResponse();
  source_.reset();
  loop_.remove(*this);
}

void Connection::tick(Instant at) {
  if (polling_) {
    polling_ = false;
    ask_source();
    return;
  }
  if (at < deadline_) return;
  deadline_ = Instant::max();
  if (answering_ || phase_ == Phase::kIdle || phase_ == Phase::kLinger) {
    close();
  } else if (phase_ == Phase::kHead) {
    exchange_->begun = at;
    give_up(408, Error(Code::kDeadlineExceeded, "the request's head did not arrive within " +
                                                    std::to_string(core_.options.header_timeout_s) +
                                                    " s"));
  } else if (phase_ == Phase::kBody) {
    break_body(408, Error(Code::kDeadlineExceeded,
                          "no byte of the request's body arrived for " +
                              std::to_string(core_.options.body_timeout_s) + " s"));
  }
}

void Connection::drain() {
  if (phase_ == Phase::kIdle && in_.size() == 0) close();
}

// ---- input

void Connection::pump() {
  if (pumping_) return;
  pumping_ = true;
  bool go_on = true;
  while (go_on) {
    switch (phase_) {
      case Phase::kIdle:
        begin_request();
        go_on = phase_ == Phase::kHead;
        break;
      case Phase::kHead: go_on = parse_head(); break;
      case Phase::kBody: go_on = parse_body(); break;
      case Phase::kLinger:
        in_.consume(in_.size());
        read();
        go_on = false;
        break;
      case Phase::kWait:
      case Phase::kClosed: go_on = false; break;
    }
  }
  pumping_ = false;
}

void Connection::read() {
  if (reading_ || phase_ == Phase::kClosed) return;
  // What fits behind the bytes that wait, so that the buffer is neither moved nor grown unless a
  // head is long.
  std::size_t room = in_.capacity() - in_.size();
  if (room < 4'096) room = std::min(kReadBytes, in_.max_size() - in_.size());
  reading_ = true;
  socket_.async_read_some(in_.prepare(room),
                          [self = shared_from_this()](const error_code& error, std::size_t bytes) {
                            self->on_read(error, bytes);
                          });
}

void Connection::on_read(const error_code& error, std::size_t bytes) {
  reading_ = false;
  if (phase_ == Phase::kClosed) return;
  if (!error) {
    in_.commit(bytes);
    pump();
    return;
  }
  // A client that has sent its whole request and then closed its side is still answered; the next
  // read meets the end again.
  if (phase_ != Phase::kWait) close();
}

// REQUIRES: between requests. Empty lines before a request are skipped (RFC 9112 §2.2).
void Connection::begin_request() {
  const auto* bytes = static_cast<const char*>(in_.data().data());
  std::size_t blank = 0;
  while (blank < in_.size() && (bytes[blank] == '\r' || bytes[blank] == '\n')) ++blank;
  in_.consume(blank);
  if (in_.size() == 0) {
    if (core_.draining) {
      close();
    } else {
      read();
    }
    return;
  }
  exchange_ = std::make_shared<Exchange>();
  parser_.emplace(exchange_->request, static_cast<BodySink&>(*this),
                  static_cast<std::uint32_t>(core_.options.header_bytes_max));
  keep_alive_ = true;
  paused_ = over_limit_ = over_memory_ = false;
  body_bytes_ = 0;
  deadline_ = in_seconds(core_.options.header_timeout_s);
  phase_ = Phase::kHead;
}

// The answer to a request that goes no further: what follows on this connection cannot be trusted
// to be a request.
void Connection::give_up(int status, const Error& error) {
  keep_alive_ = false;
  phase_ = Phase::kWait;
  refuse(error, status);
}

// True when there is more to do with what is in the buffer.
bool Connection::parse_head() {
  error_code error;
  in_.consume(parser_->put(asio::const_buffer(in_.data()), error));
  namespace codes = boost::beast::http;
  if (error == codes::error::need_more) {
    if (in_.size() < in_.max_size()) {
      read();
      return false;
    }
    error = codes::error::header_limit;
  }
  if (!error) {
    on_head();
    return true;
  }
  exchange_->begun = now();
  const HeadRefusal refusal =
      refusal_of(error, {static_cast<const char*>(in_.data().data()), in_.size()},
                 core_.options.header_bytes_max);
  give_up(refusal.status, refusal.error);
  return true;
}

void Connection::on_head() {
  const std::shared_ptr<Exchange> exchange = exchange_;  // an answer may end this request in here
  exchange->begun = now();
  exchange->http_1_0 = parser_->http_1_0();
  exchange->request.peer = peer_;
  exchange->request.peer_is_loopback = peer_is_loopback_;
  keep_alive_ = parser_->keep_alive();
  deadline_ = Instant::max();
  phase_ = parser_->is_done() ? Phase::kWait : Phase::kBody;
  parser_->eager(true);
  if (auto refusal = core_.route(*exchange)) {
    refuse_with(std::move(*refusal));
    return;
  }
  if (phase_ == Phase::kBody) {
    begin_body(*exchange);
    return;
  }
  if (exchange->route->stream_body) {
    open_queue(*exchange);
    exchange->queue->finish();
  }
  dispatch();
}

void Connection::begin_body(Exchange& exchange) {
  const auto length = parser_->content_length();
  const std::uint64_t limit = exchange.route->body_bytes_max;
  if (length && *length > limit) {
    refuse(too_long(limit), 413);
    return;
  }
  if (parser_->expects_continue() && in_.size() == 0) {
    error_code error;
    if (socket_.write_some(asio::buffer(kContinue), error) != kContinue.size()) {
      close();
      return;
    }
  }
  if (exchange.route->stream_body) {
    open_queue(exchange);
    dispatch();
  } else if (length) {
    // Not all that is promised: a client must send to make us hold memory.
    exchange.request.body.reserve(
        static_cast<std::size_t>(std::min<std::uint64_t>(*length, kDiscardBytesMax)));
  }
}

void Connection::open_queue(Exchange& exchange) {
  exchange.queue = std::make_unique<BodyQueue>([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    asio::post(self->loop_.context(), [self] {
      self->paused_ = false;
      self->pump();
    });
  });
}

void Connection::on_body(std::string_view bytes) {
  body_bytes_ += bytes.size();
  if (held_refusal_ || over_limit_ || over_memory_ || !exchange_) return;
  over_limit_ = body_bytes_ > exchange_->route->body_bytes_max;
  if (over_limit_) return;
  if (exchange_->queue) {
    paused_ = !exchange_->queue->push(bytes) || paused_;
    return;
  }
  buffered_ += bytes.size();
  over_memory_ = core_.buffered_bytes.fetch_add(bytes.size()) + bytes.size() >
                 core_.options.buffered_bytes_max;
  if (!over_memory_) exchange_->request.body.append(bytes);
}

bool Connection::parse_body() {
  // While an early answer is written the deadline is the writer's.
  if (!answering_) deadline_ = paused_ ? Instant::max() : in_seconds(core_.options.body_timeout_s);
  if (paused_) return false;
  if (in_.size() == 0) {
    read();
    return false;
  }
  error_code error;
  const std::size_t used = parser_->put(asio::const_buffer(in_.data()), error);
  in_.consume(used);
  if (over_limit_) {
    break_body(413, too_long(exchange_->route->body_bytes_max));
  } else if (over_memory_) {
    break_body(503, Error(Code::kUnavailable,
                          "too many request bodies are held in memory now; try again later"));
  } else if (parser_->is_done()) {
    end_body();
  } else if (error == boost::beast::http::error::need_more && in_.size() < in_.max_size()) {
    if (used > 0 || paused_) return true;
    read();
    return false;
  } else if (error) {
    break_body(400, Error(Code::kInvalidArgument, "malformed chunked body: " + error.message()));
  }
  return true;
}

void Connection::end_body() {
  phase_ = Phase::kWait;
  if (!answering_) deadline_ = Instant::max();
  if (held_refusal_) {
    refuse_with(std::move(*std::exchange(held_refusal_, std::nullopt)));
  } else if (exchange_->queue) {
    exchange_->queue->finish();
  } else {
    dispatch();
  }
}

// The body will not arrive whole: a streaming handler learns it from its reader and its own failure
// is the answer.
void Connection::break_body(int status, const Error& error) {
  keep_alive_ = false;
  phase_ = Phase::kWait;
  if (exchange_->queue && !held_refusal_) {
    exchange_->body_status = status;
    exchange_->queue->fail(error);
  } else if (!answering_) {
    held_refusal_.reset();
    refuse(error, status);
  }
}

void Connection::dispatch() {
  const std::shared_ptr<Exchange> exchange = exchange_;
  auto ticket = std::make_shared<Ticket>(loop_.shared_from_this(), shared_from_this(), exchange);
  if (exchange->route->execution == Execution::kInline && !exchange->request.unverified) {
    dispatching_ = exchange.get();
    // Unless the handler kept it, the Responder dies in this statement, and unanswered requests get
    // their 500 here.
    core_.run(*exchange, Responder(std::move(ticket)));
    dispatching_ = nullptr;
    return;
  }
  const bool queued = core_.pool.submit(
      [&core = core_, exchange, responder = Responder(ticket)] { core.run(*exchange, responder); });
  if (queued) return;
  if (exchange->queue) keep_alive_ = false;
  Response response =
      core_.refusal(*exchange,
                    Error(Code::kUnavailable,
                          "the server is busy: " + std::to_string(core_.options.pool_queue_max) +
                              " requests wait already; try again later"),
                    503);
  response.headers.emplace_back("Retry-After", "1");
  ticket->send(std::move(response));
}

void Connection::refuse(const Error& error, int status) {
  refuse_with(core_.refusal(*exchange_, error, status));
}

// Answers without a handler. While a body is on its way, a short one is skipped first.
void Connection::refuse_with(Response response) {
  if (phase_ == Phase::kBody) {
    const auto length = parser_->content_length();
    if (length && *length <= kDiscardBytesMax && !parser_->expects_continue()) {
      held_refusal_ = std::move(response);
      return;
    }
    keep_alive_ = false;
    phase_ = Phase::kWait;
  }
  answer(exchange_, OwnedResponse(std::move(response)));
}

// ---- output

Ticket::Ticket(std::shared_ptr<IoLoop> loop, std::shared_ptr<Connection> connection,
               std::shared_ptr<Exchange> exchange)
    : loop_(std::move(loop)), connection_(std::move(connection)), exchange_(std::move(exchange)) {}

Ticket::~Ticket() {
  if (!answered_.load() && !loop_->stopped()) connection_->deliver(exchange_, std::nullopt);
}

void Ticket::send(Response response) {
  OwnedResponse owned(std::move(response));
  if (answered_.exchange(true) || loop_->stopped()) return;
  connection_->deliver(exchange_, std::move(owned));
}

void Connection::deliver(const std::shared_ptr<Exchange>& exchange,
                         std::optional<OwnedResponse> response) {
  if (loop_.in_thread() && dispatching_ == exchange.get()) {
    answer(exchange, std::move(response));
    return;
  }
  asio::post(loop_.context(),
             [self = shared_from_this(), exchange, response = std::move(response)]() mutable {
               self->answer(exchange, std::move(response));
             });
}

void Connection::answer(const std::shared_ptr<Exchange>& exchange,
                        std::optional<OwnedResponse> response) {
  if (phase_ == Phase::kClosed || exchange != exchange_ || answering_) return;
  if (!response) {
    log::error("a handler gave no answer", {{"path", exchange->request.path}});
    response = OwnedResponse(core_.refusal(
        *exchange, Error(Code::kInternal, "the request's handler gave no answer"), 500));
  }
  answering_ = true;
  response_ = std::move(*response);
  const Request& request = exchange->request;
  if (core_.draining || phase_ == Phase::kBody) keep_alive_ = false;
  const bool streamed = static_cast<bool>(response_->source);
  const Framing framing = framing_of(*response_, exchange->http_1_0, keep_alive_);
  keep_alive_ = !framing.close;
  chunked_ = framing.chunked;
  event_stream_ = std::string_view{response_->content_type}.starts_with("text/event-stream");
  head_.clear();
  written_ = 0;
  append_head(head_, *response_, framing, loop_.date(), core_.options.headers);
  last_piece_ = now();
  core_.instruments.count(request.method, response_->status,
                          std::chrono::duration<double>(last_piece_ - exchange->begun).count());
  if (core_.hooks.answered) core_.hooks.answered(request, exchange->route, response_->status);
  if (request.method == Method::kHead || !has_body(response_->status)) {
    response_ = OwnedResponse();  // the file is closed, too
  } else if (streamed) {
    source_ = std::make_shared<BodySource>(std::move(response_->source));
    response_->body.clear();
  } else if (response_->file_fd >= 0) {
    response_->body.clear();
  }
  write_out();
}

// Writes until nothing is left or the socket takes no more. Always ends in exactly one of: the next
// step is under way, the answer is finished, the connection is closed.
void Connection::write_out() {
  if (!write_memory()) return;
  if (response_->file_fd >= 0 && !write_file()) return;
  if (source_) {
    ask_source();
  } else {
    finish_output();
  }
}

// head_ and the body behind it, in one call while possible. True when all is written.
bool Connection::write_memory() {
  const std::string& body = response_->body;
  while (written_ < head_.size() + body.size()) {
    const std::size_t head_done = std::min(written_, head_.size());
    const std::size_t body_done = written_ - head_done;
    const std::array<asio::const_buffer, 2> buffers{
        asio::const_buffer(head_.data() + head_done, head_.size() - head_done),
        asio::const_buffer(body.data() + body_done, body.size() - body_done)};
    error_code error;
    written_ += socket_.write_some(buffers, error);
    if (error == asio::error::would_block || error == asio::error::try_again) {
      wait_writable();
      return false;
    }
    if (error) {
      close();
      return false;
    }
  }
  return true;
}

bool Connection::write_file() {
  if (response_->file_bytes == 0) return true;
  auto offset = static_cast<off_t>(response_->file_offset);
  const auto piece =
      static_cast<std::size_t>(std::min<std::uint64_t>(response_->file_bytes, kFilePieceBytes));
  const ssize_t sent = ::sendfile(socket_.native_handle(), response_->file_fd, &offset, piece);
  if (sent > 0) {
    response_->file_offset += static_cast<std::uint64_t>(sent);
    response_->file_bytes -= static_cast<std::uint64_t>(sent);
    if (response_->file_bytes == 0) return true;
  } else if (sent == 0 || (errno != EAGAIN && errno != EINTR)) {
    // Shorter than announced, or unreadable, or the client is gone: the client must see that bytes
    // are missing.
    if (sent == 0)
      log::error("a file became shorter while it was sent", {{"path", exchange_->request.path}});
    close();
    return false;
  }
  wait_writable();  // also after a full piece: the others' turn
  return false;
}

void Connection::wait_writable() {
  deadline_ = in_seconds(core_.options.write_timeout_s);
  socket_.async_wait(Socket::wait_write, [self = shared_from_this()](const error_code& error) {
    if (self->phase_ == Phase::kClosed) return;
    if (error) {
      self->close();
      return;
    }
    self->deadline_ = Instant::max();
    self->write_out();
  });
}

void Connection::ask_source() {
  if (event_stream_ && core_.draining) {
    end_stream();
    return;
  }
  const bool queued = core_.pool.submit_more([self = shared_from_this(), source = source_] {
    std::string piece;
    bool more = false;
    bool failed = false;
    try {
      more = (*source)(piece);
    } catch (const std::exception& exception) {
      log::error("a streamed answer broke off", {{"what", exception.what()}});
      failed = true;
    }
    asio::post(self->loop_.context(), [self, piece = std::move(piece), more, failed]() mutable {
      self->on_piece(std::move(piece), more, failed);
    });
  });
  if (!queued) close();
}

void Connection::on_piece(std::string piece, bool more, bool failed) {
  if (phase_ == Phase::kClosed) return;
  if (failed) {
    close();  // without the last chunk: the client sees that something is missing
    return;
  }
  if (piece.empty() && more) {
    if (!event_stream_ ||
        now() - last_piece_ < std::chrono::seconds(core_.options.event_stream_silence_s)) {
      polling_ = true;
      return;
    }
    piece = ":\n\n";  // a comment to the client, a sign of life to us
  }
  last_piece_ = now();
  head_.clear();
  written_ = 0;
  if (chunked_ && !piece.empty()) {
    char digits[16];
    head_.assign(digits, std::to_chars(digits, digits + sizeof digits, piece.size(), 16).ptr);
    head_ += "\r\n";
    piece += "\r\n";
  }
  response_->body = std::move(piece);
  if (more) {
    write_out();
    return;
  }
  source_.reset();
  if (chunked_) response_->body += "0\r\n\r\n";
  write_out();
}

void Connection::end_stream() {
  source_.reset();
  head_ = chunked_ ? "0\r\n\r\n" : "";
  response_->body.clear();
  written_ = 0;
  write_out();
}

void Connection::finish_output() {
  answering_ = false;
  response_ = OwnedResponse();
  core_.buffered_bytes -= std::exchange(buffered_, 0);
  if (keep_alive_ && phase_ == Phase::kWait) {
    exchange_.reset();
    parser_.reset();
    phase_ = Phase::kIdle;
    deadline_ = in_seconds(core_.options.idle_timeout_s);
  } else {
    if (exchange_->queue) {
      exchange_->queue->fail(
          Error(Code::kUnavailable, "the request was answered before the end of its body"));
    }
    exchange_.reset();
    parser_.reset();
    held_refusal_.reset();
    phase_ = Phase::kLinger;
    deadline_ = now() + (core_.draining ? kTick : kLingerTime);
    error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);  // NOLINT(bugprone-unused-return-value)
  }
  pump();
}

}  // namespace slipway::http
