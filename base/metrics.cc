#include "base/metrics.h"

#include <prometheus/metric_family.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "base/check.h"
#include "base/metrics_text.h"

namespace kvorum::metrics {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

ClientMetric WithLabels(const Labels& labels) {
  ClientMetric metric;
  for (const auto& [name, value] : labels) metric.label.push_back({name, value});
  return metric;
}

MetricType Fill(const Counter& counter, ClientMetric* metric) {
  metric->counter.value = static_cast<double>(counter.value());
  return MetricType::Counter;
}

MetricType Fill(const Gauge& gauge, ClientMetric* metric) {
  metric->gauge.value = static_cast<double>(gauge.value());
  return MetricType::Gauge;
}

MetricType Fill(const Histogram& histogram, ClientMetric* metric) {
  ClientMetric::Histogram& into = metric->histogram;
  const std::vector<uint64_t> counts = histogram.Counts();
  for (size_t i = 0; i < counts.size(); ++i) {
    into.sample_count += counts[i];
    if (i < histogram.bounds().size()) {
      into.bucket.push_back({into.sample_count, histogram.bounds()[i]});
    }
  }
  into.sample_sum = histogram.sum();
  return MetricType::Histogram;
}

// What one scrape has found so far.
class Scrape final : public Samples {
 public:
  void AddGauge(std::string_view name, std::string_view help, double value,
                const Labels& labels) override {
    ClientMetric metric = WithLabels(labels);
    metric.gauge.value = value;
    FamilyOf(name, help, MetricType::Gauge).metric.push_back(std::move(metric));
  }
  void AddCounter(std::string_view name, std::string_view help, double value,
                  const Labels& labels) override {
    ClientMetric metric = WithLabels(labels);
    metric.counter.value = value;
    FamilyOf(name, help, MetricType::Counter).metric.push_back(std::move(metric));
  }
  template <typename T>
  void Add(const std::string& name, const std::string& help, const T& instrument,
           const Labels& labels) {
    ClientMetric metric = WithLabels(labels);
    const MetricType type = Fill(instrument, &metric);
    FamilyOf(name, help, type).metric.push_back(std::move(metric));
  }

  std::vector<MetricFamily> TakeSorted() {
    std::vector<MetricFamily> sorted;
    for (auto& [name, family] : families_) sorted.push_back(std::move(family));
    for (MetricFamily& family : sorted) {
      std::sort(family.metric.begin(), family.metric.end(),
                [](const ClientMetric& a, const ClientMetric& b) { return a.label < b.label; });
    }
    return sorted;
  }

 private:
  MetricFamily& FamilyOf(std::string_view name, std::string_view help, MetricType type) {
    MetricFamily& family = families_[std::string(name)];
    family.name = name;
    family.help = help;
    family.type = type;
    return family;
  }

  std::map<std::string, MetricFamily> families_;
};

}  // namespace

// ---- Instruments --------------------------------------------------------------------------------

Histogram::Histogram(std::vector<double> bounds)
    : bounds_(std::move(bounds)), counts_(new std::atomic<uint64_t>[bounds_.size() + 1]()) {
  CHECK(std::is_sorted(bounds_.begin(), bounds_.end()));
}

void Histogram::Observe(double value) {
  const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), value);
  counts_[bucket - bounds_.begin()].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

std::vector<uint64_t> Histogram::Counts() const {
  std::vector<uint64_t> counts(bounds_.size() + 1);
  for (size_t i = 0; i < counts.size(); ++i) {
    counts[i] = counts_[i].load(std::memory_order_relaxed);
  }
  return counts;
}

std::vector<double> ExponentialBounds(double start, double factor, int count) {
  std::vector<double> bounds;
  for (int i = 0; i < count; ++i, start *= factor) bounds.push_back(start);
  return bounds;
}

// ---- Registry -----------------------------------------------------------------------------------

template <typename T, typename... Arguments>
T& Registry::Add(std::string_view name, std::string_view help, const Labels& labels,
                 const Arguments&... arguments) {
  const std::lock_guard lock(mutex_);
  Family& family = families_[std::string(name)];
  family.help = help;
  const auto [child, added] =
      family.children.try_emplace(labels, std::in_place_type<T>, arguments...);
  T* const instrument = std::get_if<T>(&child->second);
  CHECK(instrument != nullptr) << "metric " << name << " is of another kind";
  return *instrument;
}

Counter& Registry::AddCounter(std::string_view name, std::string_view help, const Labels& labels) {
  return Add<Counter>(name, help, labels);
}

Gauge& Registry::AddGauge(std::string_view name, std::string_view help, const Labels& labels) {
  return Add<Gauge>(name, help, labels);
}

Histogram& Registry::AddHistogram(std::string_view name, std::string_view help,
                                  const std::vector<double>& bounds, const Labels& labels) {
  return Add<Histogram>(name, help, labels, bounds);
}

std::string Registry::Text(std::span<const Collector> collectors) const {
  Scrape scrape;
  for (const Collector& collect : collectors) collect(&scrape);
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, family] : families_) {
      for (const auto& [labels, child] : family.children) {
        std::visit(
            [&, &name = name, &family = family, &labels = labels](const auto& instrument) {
              scrape.Add(name, family.help, instrument, labels);
            },
            child);
      }
    }
  }
  return GoTextSerializer().prometheus::Serializer::Serialize(scrape.TakeSorted());
}

Registry& Default() {
  static Registry* const registry = new Registry();
  return *registry;
}

}  // namespace kvorum::metrics
