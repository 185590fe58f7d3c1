#include "base/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

namespace kvorum::metrics {
namespace {

// Fields of /proc/self/stat, by their number in proc(5).
struct Stat {
  double user_ticks = 0;    // 14
  double system_ticks = 0;  // 15
  double start_ticks = 0;   // 22, since boot
  double virtual_bytes = 0;
  double resident_pages = 0;
};

std::string ReadFile(const char* path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::optional<Stat> ReadStat() {
  const std::string text = ReadFile("/proc/self/stat");
  const size_t name_end = text.rfind(')');  // the name may hold anything, also ')'
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(text.substr(name_end + 1));
  Stat stat;
  std::string field;
  for (int number = 3; number <= 24 && fields >> field; ++number) {
    double* const wanted = number == 14   ? &stat.user_ticks
                           : number == 15 ? &stat.system_ticks
                           : number == 22 ? &stat.start_ticks
                           : number == 23 ? &stat.virtual_bytes
                           : number == 24 ? &stat.resident_pages
                                          : nullptr;
    if (wanted != nullptr) *wanted = std::stod(field);
  }
  return stat;
}

// When the machine was booted, in seconds since 1970.
double BootTime() {
  std::ifstream file("/proc/stat");
  std::string word;
  double seconds = 0;
  while (file >> word) {
    if (word == "btime") file >> seconds;
  }
  return seconds;
}

double OpenDescriptors() {
  std::error_code error;
  const std::filesystem::directory_iterator all("/proc/self/fd", error);
  if (error) return 0;
  return static_cast<double>(std::distance(begin(all), end(all)));
}

double SoftLimit(__rlimit_resource resource) {
  rlimit limit = {};
  getrlimit(resource, &limit);
  return static_cast<double>(limit.rlim_cur);
}

// The value below `column` in the two lines of /proc/self/net/netstat that begin with "IpExt:".
std::optional<double> IpTraffic(std::string_view column) {
  std::istringstream lines(ReadFile("/proc/self/net/netstat"));
  std::string names;
  std::string values;
  while (std::getline(lines, names) && std::getline(lines, values)) {
    if (!names.starts_with("IpExt:")) continue;
    std::istringstream name_words(names);
    std::istringstream value_words(values);
    std::string name;
    std::string value;
    while (name_words >> name && value_words >> value) {
      if (name == column) return std::stod(value);
    }
  }
  return std::nullopt;
}

void CollectStat(Samples* samples) {
  const std::optional<Stat> stat = ReadStat();
  if (!stat) return;
  const auto ticks_per_second = static_cast<double>(sysconf(_SC_CLK_TCK));
  samples->AddCounter("process_cpu_seconds_total",
                      "Total user and system CPU time spent in seconds.",
                      (stat->user_ticks + stat->system_ticks) / ticks_per_second);
  samples->AddGauge("process_virtual_memory_bytes", "Virtual memory size in bytes.",
                    stat->virtual_bytes);
  samples->AddGauge("process_resident_memory_bytes", "Resident memory size in bytes.",
                    stat->resident_pages * static_cast<double>(sysconf(_SC_PAGESIZE)));
  samples->AddGauge("process_start_time_seconds",
                    "Start time of the process since unix epoch in seconds.",
                    stat->start_ticks / ticks_per_second + BootTime());
}

}  // namespace

void CollectProcess(Samples* samples) {
  CollectStat(samples);
  const double open = OpenDescriptors();
  const double most = SoftLimit(RLIMIT_NOFILE);
  samples->AddGauge("process_open_fds", "Number of open file descriptors.", open);
  samples->AddGauge("process_max_fds", "Maximum number of open file descriptors.", most);
  samples->AddGauge("os_fd_used", "The number of used file descriptors.", open);
  samples->AddGauge("os_fd_limit", "The file descriptor limit.", most);
  samples->AddGauge("process_virtual_memory_max_bytes",
                    "Maximum amount of virtual memory available in bytes.", SoftLimit(RLIMIT_AS));
  if (const auto received = IpTraffic("InOctets")) {
    samples->AddCounter("process_network_receive_bytes_total",
                        "Number of bytes received by the process over the network.", *received);
  }
  if (const auto sent = IpTraffic("OutOctets")) {
    samples->AddCounter("process_network_transmit_bytes_total",
                        "Number of bytes sent by the process over the network.", *sent);
  }
}

}  // namespace kvorum::metrics
