#include "server/membership/same_urls.h"

#include <absl/strings/str_join.h>
#include <arpa/inet.h>
#include <netdb.h>

#include <algorithm>
#include <memory>
#include <string_view>
#include <thread>

#include "base/log.h"
#include "base/strings.h"

namespace kvorum::server {
namespace {

constexpr Duration kRetryInterval = std::chrono::seconds(1);

std::string Listed(const std::vector<std::string>& urls) {
  return StrCat("[", absl::StrJoin(urls, " "), "]");
}

// "scheme://host:port" cut at the host; not `found` for what has none to resolve.
struct HostOfUrl {
  explicit HostOfUrl(std::string_view url) {
    const size_t begin = url.find("://");
    const size_t colon = url.rfind(':');
    if (begin == std::string_view::npos || colon <= begin + 2) return;
    if (url.substr(0, begin).starts_with("unix")) return;
    before = url.substr(0, begin + 3);
    host = url.substr(begin + 3, colon - begin - 3);
    after = url.substr(colon);
    found = host != "localhost" && !host.starts_with('[');
  }
  std::string before, host, after;
  bool found = false;
};

StatusOr<std::string> ResolveUrl(const std::string& url, const Resolve& resolve, const Clock& clock,
                                 TimePoint deadline) {
  const HostOfUrl parts(url);
  if (!parts.found) return url;
  for (;;) {
    const StatusOr<std::string> address = resolve(parts.host);
    if (address.ok()) {
      LOG_INFO("resolved URL Host", {"url", url}, {"host", parts.host},
               {"resolved-addr", *address});
      return StrCat(parts.before, *address, parts.after);
    }
    LOG_WARN("failed to resolve URL Host", {"url", url}, {"host", parts.host},
             {"retry-interval", kRetryInterval}, {"error", address.status()});
    if (clock.Now() + kRetryInterval > deadline) return address.status();
    std::this_thread::sleep_for(kRetryInterval);
  }
}

Status ResolveAll(std::vector<std::string>* urls, const Resolve& resolve, const Clock& clock,
                  TimePoint deadline) {
  for (std::string& url : *urls) {
    ASSIGN_OR_RETURN(url, ResolveUrl(url, resolve, clock, deadline));
  }
  std::sort(urls->begin(), urls->end());
  return absl::OkStatus();
}

}  // namespace

StatusOr<std::string> ResolveHost(const std::string& host) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (error != 0) return absl::UnavailableError(StrCat("lookup ", host, ": ", gai_strerror(error)));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  char text[NI_MAXHOST];
  if (getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof(text), nullptr, 0,
                  NI_NUMERICHOST) != 0) {
    return absl::UnavailableError(StrCat("lookup ", host, ": no address"));
  }
  return std::string(text);
}

Status CheckSameUrls(std::vector<std::string> a, std::vector<std::string> b, const Resolve& resolve,
                     const Clock& clock, TimePoint deadline) {
  if (a.size() != b.size()) {
    return absl::InvalidArgumentError(StrCat("len(", Listed(a), ") != len(", Listed(b), ")"));
  }
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  if (a == b) return absl::OkStatus();
  RETURN_IF_ERROR(ResolveAll(&a, resolve, clock, deadline));
  RETURN_IF_ERROR(ResolveAll(&b, resolve, clock, deadline));
  if (a == b) return absl::OkStatus();
  return absl::InvalidArgumentError(StrCat("resolved urls: ", Listed(a), " != ", Listed(b)));
}

}  // namespace kvorum::server
