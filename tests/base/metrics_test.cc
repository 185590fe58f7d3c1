#include "base/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <thread>
#include <vector>

#include "base/process_metrics.h"

namespace kvorum::metrics {
namespace {

using testing::HasSubstr;

TEST(FormatGoFloatTest, PrintsAsGoDoes) {
  EXPECT_EQ(FormatGoFloat(0), "0");
  EXPECT_EQ(FormatGoFloat(1), "1");
  EXPECT_EQ(FormatGoFloat(-1), "-1");
  EXPECT_EQ(FormatGoFloat(20480), "20480");
  EXPECT_EQ(FormatGoFloat(999999), "999999");
  EXPECT_EQ(FormatGoFloat(1000000), "1e+06");
  EXPECT_EQ(FormatGoFloat(20971520), "2.097152e+07");
  EXPECT_EQ(FormatGoFloat(1234567.5), "1.2345675e+06");
  EXPECT_EQ(FormatGoFloat(0.3), "0.3");
  EXPECT_EQ(FormatGoFloat(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(FormatGoFloat(0.0001), "0.0001");
  EXPECT_EQ(FormatGoFloat(0.00001), "1e-05");
  EXPECT_EQ(FormatGoFloat(1e100), "1e+100");
  EXPECT_EQ(FormatGoFloat(18446744073709551615.0), "1.8446744073709552e+19");
  EXPECT_EQ(FormatGoFloat(std::numeric_limits<double>::infinity()), "+Inf");
  EXPECT_EQ(FormatGoFloat(-std::numeric_limits<double>::infinity()), "-Inf");
  EXPECT_EQ(FormatGoFloat(std::nan("")), "NaN");
}

TEST(ExponentialBoundsTest, MultipliesStepByStep) {
  EXPECT_EQ(ExponentialBounds(0.001, 2, 3), (std::vector<double>{0.001, 0.002, 0.004}));
  EXPECT_EQ(FormatGoFloat(ExponentialBounds(0.0001, 2, 20).back()), "52.4288");
}

TEST(RegistryTest, AskingAgainGivesTheSameInstrument) {
  Registry registry;
  Counter& first = registry.AddCounter("a", "help", {{"x", "1"}});
  EXPECT_EQ(&first, &registry.AddCounter("a", "help", {{"x", "1"}}));
  EXPECT_NE(&first, &registry.AddCounter("a", "help", {{"x", "2"}}));
}

TEST(RegistryDeathTest, OneNameHasOneKind) {
  Registry registry;
  registry.AddCounter("a", "help");
  EXPECT_DEATH(registry.AddGauge("a", "help"), "another kind");
}

TEST(RegistryTest, TextIsSortedByNameAndLabels) {
  Registry registry;
  registry.AddGauge("b_gauge", "Second.").Set(-3);
  registry.AddCounter("a_total", "First.", {{"type", "y"}}).Add(2);
  registry.AddCounter("a_total", "First.", {{"type", "x"}, {"code", "OK"}}).Add(2000000);
  EXPECT_EQ(registry.Text(),
            "# HELP a_total First.\n"
            "# TYPE a_total counter\n"
            "a_total{code=\"OK\",type=\"x\"} 2e+06\n"
            "a_total{type=\"y\"} 2\n"
            "# HELP b_gauge Second.\n"
            "# TYPE b_gauge gauge\n"
            "b_gauge -3\n");
}

TEST(RegistryTest, HistogramHasCumulativeBucketsThenSumAndCount) {
  Registry registry;
  Histogram& histogram =
      registry.AddHistogram("h_seconds", "Durations.", {0.5, 1, 2}, {{"op", "Put"}});
  histogram.Observe(0.5);  // a bound belongs to its bucket
  histogram.Observe(0.75);
  histogram.Observe(std::chrono::milliseconds(1500));
  histogram.Observe(8);
  EXPECT_EQ(registry.Text(),
            "# HELP h_seconds Durations.\n"
            "# TYPE h_seconds histogram\n"
            "h_seconds_bucket{op=\"Put\",le=\"0.5\"} 1\n"
            "h_seconds_bucket{op=\"Put\",le=\"1\"} 2\n"
            "h_seconds_bucket{op=\"Put\",le=\"2\"} 3\n"
            "h_seconds_bucket{op=\"Put\",le=\"+Inf\"} 4\n"
            "h_seconds_sum{op=\"Put\"} 10.75\n"
            "h_seconds_count{op=\"Put\"} 4\n");
}

TEST(RegistryTest, HelpAndLabelValuesAreEscaped) {
  Registry registry;
  registry.AddGauge("g", "one\ntwo \"\\\"", {{"l", "a\"b\\c\nd"}});
  EXPECT_EQ(registry.Text(),
            "# HELP g one\\ntwo \"\\\\\"\n"
            "# TYPE g gauge\n"
            "g{l=\"a\\\"b\\\\c\\nd\"} 0\n");
}

TEST(RegistryTest, CollectorsAreAskedAtEachScrape) {
  Registry registry;
  int scrapes = 0;
  const std::vector<Collector> collectors = {
      [&](Samples* samples) { samples->AddGauge("z", "Scrapes.", ++scrapes); },
      [&](Samples* samples) {
        samples->AddCounter("a", "Const.", 0.5, {{"k", "v"}});
      }};
  registry.Text(collectors);
  EXPECT_EQ(registry.Text(collectors),
            "# HELP a Const.\n# TYPE a counter\na{k=\"v\"} 0.5\n"
            "# HELP z Scrapes.\n# TYPE z gauge\nz 2\n");
}

TEST(RegistryTest, NothingIsLostWhenThreadsCountAtOnce) {
  constexpr int kThreads = 4;
  constexpr int kTimes = 10000;
  Registry registry;
  Counter& counter = registry.AddCounter("c", "");
  Gauge& gauge = registry.AddGauge("g", "");
  Histogram& histogram = registry.AddHistogram("h", "", {1, 2});
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < kTimes; ++n) {
        counter.Add();
        gauge.Add(n % 2 == 0 ? 1 : -1);
        histogram.Observe(n % 3);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counter.value(), kThreads * kTimes);
  EXPECT_EQ(gauge.value(), 0);
  const std::vector<uint64_t> counts = histogram.Counts();
  EXPECT_EQ(counts[0] + counts[1] + counts[2], kThreads * kTimes);
  EXPECT_EQ(histogram.sum(), kThreads * 9999);  // of 0, 1, 2, 0, 1, 2, ...
}

TEST(ProcessMetricsTest, TheKernelKnowsThisProcess) {
  const std::vector<Collector> collectors = {CollectProcess};
  const std::string text = Registry().Text(collectors);
  for (const char* name :
       {"os_fd_limit", "os_fd_used", "process_cpu_seconds_total", "process_max_fds",
        "process_network_receive_bytes_total", "process_network_transmit_bytes_total",
        "process_open_fds", "process_resident_memory_bytes", "process_start_time_seconds",
        "process_virtual_memory_bytes", "process_virtual_memory_max_bytes"}) {
    EXPECT_THAT(text, HasSubstr("\n" + std::string(name) + " ")) << text;
  }
  EXPECT_THAT(text, Not(HasSubstr("\nprocess_resident_memory_bytes 0\n")));
  EXPECT_THAT(text, Not(HasSubstr("\nprocess_open_fds 0\n")));
}

}  // namespace
}  // namespace kvorum::metrics
