// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/core.h"
#include "http/io_loop.h"
#include "http/parser.h"

namespace slipway::http {

// A refused request's body up to this size is read and dropped, so that the connection can be used
// again; a longer one, or one whose end is not known, ends the connection.
inline constexpr std::uint64_t kDiscardBytesMax = 1U << 20;
// After the last answer the client may go on sending that long before the connection closes:
// closing at once would reset it, and the answer could be lost on its way.
inline constexpr std::chrono::milliseconds kLingerTime{2'000};
inline constexpr std::size_t kReadBytes = 64U << 10;

// One client's connection, on the thread of its loop. Input (head, body) and output (answer) are
// two small machines that meet in pump(): it takes what has been read as far as it goes, then asks
// for more, so that pipelined requests are answered in order and one at a time.
class Connection final : public std::enable_shared_from_this<Connection>, private BodySink {
 public:
  Connection(IoLoop& loop, Socket socket, std::string peer, bool peer_is_loopback);
  ~Connection() override;

  void start();
  void tick(Instant now);  // closes or refuses when the deadline has passed; asks a waiting event
                           // stream again
  void drain();            // closes when nothing is under way
  void close();
  std::size_t place = 0;  // in the loop's list

  // Any thread. nullopt: the handler dropped the request unanswered.
  void deliver(const std::shared_ptr<Exchange>& exchange, std::optional<OwnedResponse> response);

 private:
  enum class Phase {
    kIdle,    // between requests
    kHead,    // some of a head is here
    kBody,    // of a request that is read whole, streamed, or refused and skipped
    kWait,    // the request is read (or given up); its answer is awaited or under way
    kLinger,  // answered for the last time; what still comes is dropped
    kClosed,
  };

  void on_body(std::string_view bytes) override;

  // Input.
  void pump();
  void read();
  void on_read(const boost::system::error_code& error, std::size_t bytes);
  void begin_request();
  bool parse_head();
  bool parse_body();
  void on_head();
  void begin_body(Exchange& exchange);
  void open_queue(Exchange& exchange);
  void end_body();
  void break_body(int status, const Error& error);
  void dispatch();
  void refuse(const Error& error, int status);
  void refuse_with(Response response);
  void give_up(int status, const Error& error);

  // Output.
  void answer(const std::shared_ptr<Exchange>& exchange, std::optional<OwnedResponse> response);
  void write_out();
  bool write_memory();
  bool write_file();
  void wait_writable();
  void ask_source();
  void on_piece(std::string piece, bool more, bool failed);
  void end_stream();
  void finish_output();

  IoLoop& loop_;
  Core& core_;
  Socket socket_;
  const std::string peer_;
  const bool peer_is_loopback_;

  Phase phase_ = Phase::kIdle;
  Instant deadline_ = Instant::max();
  bool pumping_ = false;
  bool reading_ = false;  // one read is under way

  // The request.
  boost::beast::flat_buffer in_;
  std::optional<Parser> parser_;
  std::shared_ptr<Exchange> exchange_;
  const Exchange* dispatching_ = nullptr;  // while its handler runs inline
  std::optional<Response> held_refusal_;   // sent when the refused request's body has been skipped
  bool keep_alive_ = true;
  bool paused_ = false;  // the streamed body's queue is full
  bool over_limit_ = false;
  bool over_memory_ = false;
  std::uint64_t body_bytes_ = 0;
  std::uint64_t buffered_ = 0;  // this connection's share of Core::buffered_bytes

  // The answer.
  bool answering_ = false;
  OwnedResponse response_;
  std::string head_;         // head, or a chunk's size line
  std::size_t written_ = 0;  // of head_ and the body behind it
  std::shared_ptr<BodySource> source_;
  bool chunked_ = false;
  bool event_stream_ = false;
  bool polling_ = false;  // the source had nothing; ask at the next tick
  Instant last_piece_;
};

// The way back to a connection. Keeps the loop alive, so that an answer after the server's end
// finds something to be dropped by.
class Ticket final : public Responder::Sink {
 public:
  Ticket(std::shared_ptr<IoLoop> loop, std::shared_ptr<Connection> connection,
         std::shared_ptr<Exchange> exchange);
  ~Ticket() override;
  void send(Response response) override;

 private:
  std::shared_ptr<IoLoop> loop_;  // first: destroyed last
  std::shared_ptr<Connection> connection_;
  std::shared_ptr<Exchange> exchange_;
  std::atomic<bool> answered_{false};
};

}  // namespace slipway::http
