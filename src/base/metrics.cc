// SPDX-License-Identifier: Apache-2.0
#include "base/metrics.h"

#include <cassert>
#include <map>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <sstream>

#include "base/mutex.h"

namespace slipway::metrics {
namespace {

class PrometheusCounter final : public Counter {
 public:
  explicit PrometheusCounter(prometheus::Counter& inner) : inner_(inner) {}
  void add(double amount) override { inner_.Increment(amount); }
  double value() const override { return inner_.Value(); }

 private:
  prometheus::Counter& inner_;
};

class PrometheusGauge final : public Gauge {
 public:
  explicit PrometheusGauge(prometheus::Gauge& inner) : inner_(inner) {}
  void set(double value) override { inner_.Set(value); }
  void add(double amount) override { inner_.Increment(amount); }

 private:
  prometheus::Gauge& inner_;
};

class PrometheusHistogram final : public Histogram {
 public:
  explicit PrometheusHistogram(prometheus::Histogram& inner) : inner_(inner) {}
  void observe(double value) override { inner_.Observe(value); }

 private:
  prometheus::Histogram& inner_;
};

using LabelMap = std::map<std::string, std::string>;

LabelMap label_map(Labels labels) {
  LabelMap map;
  for (const auto& [name, value] : labels) map.emplace(name, value);
  return map;
}

}  // namespace

const std::vector<double>& latency_bounds_s() {
  static const std::vector<double> bounds{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
                                          0.01,   0.025,   0.05,   0.1,   0.25,   0.5,
                                          1,      2.5,     5,      10,    30,     60};
  return bounds;
}

struct Registry::State {
  template <typename Instrument>
  using Table = std::map<std::pair<std::string, LabelMap>, std::unique_ptr<Instrument>>;

  prometheus::Registry inner;
  Mutex mutex;
  Table<Counter> counters GUARDED_BY(mutex);
  Table<Gauge> gauges GUARDED_BY(mutex);
  Table<Histogram> histograms GUARDED_BY(mutex);
  std::map<std::string, std::string, std::less<>> helps GUARDED_BY(mutex);  // by name

  void check_help(const std::string& name, std::string_view help) REQUIRES_LOCK(mutex) {
    const auto [at, added] = helps.emplace(name, help);
    assert((added || at->second == help) && "one name has one help text");
    static_cast<void>(at);
    static_cast<void>(added);
  }
};

Registry::Registry() : state_(std::make_unique<State>()) {}
Registry::~Registry() = default;

Counter& Registry::counter(std::string_view name, std::string_view help, Labels labels) {
  const MutexLock lock(state_->mutex);
  const std::string key(name);
  const LabelMap map = label_map(labels);
  auto& slot = state_->counters[{key, map}];
  if (!slot) {
    state_->check_help(key, help);
    auto& family =
        prometheus::BuildCounter().Name(key).Help(std::string(help)).Register(state_->inner);
    slot = std::make_unique<PrometheusCounter>(family.Add(map));
  }
  return *slot;
}

Gauge& Registry::gauge(std::string_view name, std::string_view help, Labels labels) {
  const MutexLock lock(state_->mutex);
  const std::string key(name);
  const LabelMap map = label_map(labels);
  auto& slot = state_->gauges[{key, map}];
  if (!slot) {
    state_->check_help(key, help);
    auto& family =
        prometheus::BuildGauge().Name(key).Help(std::string(help)).Register(state_->inner);
    slot = std::make_unique<PrometheusGauge>(family.Add(map));
  }
  return *slot;
}

Histogram& Registry::histogram(std::string_view name, std::string_view help,
                               const std::vector<double>& bounds, Labels labels) {
  const MutexLock lock(state_->mutex);
  const std::string key(name);
  const LabelMap map = label_map(labels);
  auto& slot = state_->histograms[{key, map}];
  if (!slot) {
    state_->check_help(key, help);
    auto& family =
        prometheus::BuildHistogram().Name(key).Help(std::string(help)).Register(state_->inner);
    slot = std::make_unique<PrometheusHistogram>(family.Add(map, bounds));
  }
  return *slot;
}

std::string Registry::text() const {
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, state_->inner.Collect());
  return out.str();
}

}  // namespace slipway::metrics
