// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace slipway::metrics {

// Counters, gauges and histograms in Prometheus' model; names in base units (`_seconds`, `_bytes`,
// `_total`). Instruments are created once and kept; they live as long as the Registry. All
// operations are thread-safe; add() and observe() take no lock that a scrape holds for long.
using Labels = std::initializer_list<std::pair<std::string_view, std::string>>;

class Counter {
 public:
  virtual ~Counter() = default;
  virtual void add(double amount = 1) = 0;
  virtual double value() const = 0;
};

class Gauge {
 public:
  virtual ~Gauge() = default;
  virtual void set(double value) = 0;
  virtual void add(double amount) = 0;
};

class Histogram {
 public:
  virtual ~Histogram() = default;
  virtual void observe(double value) = 0;
};

// Bucket bounds in seconds from 0.1 ms to 60 s for latencies.
const std::vector<double>& latency_bounds_s();

class Registry {
 public:
  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // The instrument of that name and those labels, made when first asked for. One name has one type
  // and help text.
  Counter& counter(std::string_view name, std::string_view help, Labels labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, Labels labels = {});
  Histogram& histogram(std::string_view name, std::string_view help,
                       const std::vector<double>& bounds, Labels labels = {});

  // Text exposition format 0.0.4, as `/metrics` answers it.
  std::string text() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace slipway::metrics
