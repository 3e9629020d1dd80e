// SPDX-License-Identifier: Apache-2.0
#pragma once

// All of Boost that this folder uses, so that the settings below hold wherever it is seen. Include
// this, never Boost itself.

#ifdef BOOST_ASSERT
#error "http/boost.h comes before any header of Boost"
#endif
// The library's own assertions would end the process on input that it handles well without them: a
// last chunk that arrives byte by byte.
#define BOOST_DISABLE_ASSERTS
// The thread sanitizer does not know fences, and nothing here relies on them: the queue has a
// mutex.
#ifdef __SANITIZE_THREAD__
#define BOOST_ASIO_DISABLE_FENCED_BLOCK
#endif

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
