#pragma once
// Metrics: counters, gauges and histograms that operators watch, kept by name in a registry and
// printed as Prometheus reads them, byte for byte as its Go client prints them.
//
// An instrument is made once by name and labels and lives as long as its registry; asking again for
// the same gives the same one. Making takes a lock, so who counts on a hot path keeps the
// reference:
//
//   inline metrics::Counter& put_total =
//       metrics::Default().AddCounter("etcd_mvcc_put_total", "Total number of puts ...");
//   ...
//   put_total.Add();
//
// Counting is one relaxed atomic operation (a histogram: two) on cache lines that no other
// instrument shares. A scrape reads without stopping anybody, so its numbers may be a few
// operations apart from each other; a histogram's count always equals its last bucket.
//
// What is counted belongs to the process. What is a fact of one member, like the size of its
// database, is not stored here: a Collector asks for it at each scrape.
//
// prometheus-cpp's data model and serializer interface stand behind this header and are named
// nowhere else. Its own instruments are not used: histograms lock, counters loop on a double.
//
// Threads: everything is thread-safe. Follows prometheus/client_golang.

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"

namespace kvorum::metrics {

// Name to value.
using Labels = std::map<std::string, std::string>;

inline constexpr size_t kCacheLineBytes = 64;

// Only grows.
class alignas(kCacheLineBytes) Counter {
 public:
  void Add(uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

class alignas(kCacheLineBytes) Gauge {
 public:
  void Set(int64_t value) { value_.store(value, std::memory_order_relaxed); }
  void Add(int64_t n) { value_.fetch_add(n, std::memory_order_relaxed); }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

class alignas(kCacheLineBytes) Histogram {
 public:
  // `bounds`: the largest value of each bucket, ascending; one more is for what is larger.
  explicit Histogram(std::vector<double> bounds);

  void Observe(double value);
  // In seconds.
  void Observe(Duration duration) { Observe(std::chrono::duration<double>(duration).count()); }

  const std::vector<double>& bounds() const { return bounds_; }
  // How many fell into each bucket alone, one more than there are bounds.
  std::vector<uint64_t> Counts() const;
  double sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  const std::vector<double> bounds_;
  const std::unique_ptr<std::atomic<uint64_t>[]> counts_;
  std::atomic<double> sum_{0};
};

// start, start * factor, ...: `count` bounds, multiplied one by one as Go does, so that the same
// digits are printed.
std::vector<double> ExponentialBounds(double start, double factor, int count);

// Where a Collector puts what it has found.
class Samples {
 public:
  virtual ~Samples() = default;
  virtual void AddGauge(std::string_view name, std::string_view help, double value,
                        const Labels& labels = {}) = 0;
  virtual void AddCounter(std::string_view name, std::string_view help, double value,
                          const Labels& labels = {}) = 0;
};
using Collector = std::function<void(Samples*)>;

class Registry {
 public:
  Registry() = default;
  Registry(const Registry&) = delete;

  // One name has one kind, one help text and one set of label names (CHECK for the kind).
  Counter& AddCounter(std::string_view name, std::string_view help, const Labels& labels = {});
  Gauge& AddGauge(std::string_view name, std::string_view help, const Labels& labels = {});
  Histogram& AddHistogram(std::string_view name, std::string_view help,
                          const std::vector<double>& bounds, const Labels& labels = {});

  // All instruments and what the collectors find, as text format 0.0.4, sorted by name. Collectors
  // run on this thread, without a lock.
  std::string Text(std::span<const Collector> collectors = {}) const;

 private:
  using Instrument = std::variant<Counter, Gauge, Histogram>;
  struct Family {
    std::string help;
    std::map<Labels, Instrument> children;
  };
  template <typename T, typename... Arguments>
  T& Add(std::string_view name, std::string_view help, const Labels& labels,
         const Arguments&... arguments);

  mutable std::mutex mutex_;
  std::map<std::string, Family, std::less<>> families_;  // nothing is ever taken out
};

// The process's registry. Never destroyed, so that it may be used at any time.
Registry& Default();

// A number as Go's shortest 'g' format: 20480, 2.097152e+07, 0.001, +Inf.
std::string FormatGoFloat(double value);

}  // namespace kvorum::metrics
