#include "api/http/access_policy.h"

#include <absl/strings/str_cat.h>

#include "base/go_quote.h"
#include "base/log.h"
#include "server/flags/urls.h"

namespace kvorum::api {
namespace {

constexpr char kAll[] = "*";

std::set<std::string> Listed(const std::vector<std::string>& values) {
  std::set<std::string> listed(values.begin(), values.end());
  if (listed.contains(kAll)) listed.clear();
  return listed;
}

std::string HostOf(const HttpRequest& request) {
  const std::string* const header = request.Header("Host");
  if (header == nullptr) return "";
  const StatusOr<server::flags::HostPort> parts = server::flags::SplitHostPort(*header);
  return parts.ok() ? parts->host : *header;
}

}  // namespace

AccessPolicy::AccessPolicy(const std::vector<std::string>& origins,
                           const std::vector<std::string>& hosts)
    : origins_(Listed(origins)), hosts_(Listed(hosts)) {}

std::string AccessPolicy::RefusalOf(const HttpRequest& request) const {
  if (hosts_.empty()) return "";
  const std::string host = HostOf(request);
  if (hosts_.contains(host)) return "";
  LOG_WARN("rejecting HTTP request to prevent DNS rebinding attacks", {"host", host});
  return absl::StrCat(
      "\netcd received your request, but the Host header was unrecognized.\n\n"
      "To fix this, choose one of the following options:\n"
      "- Enable TLS, then any HTTPS request will be allowed.\n"
      "- Add the hostname you want to use to the whitelist in settings.\n"
      "  - e.g. etcd --host-whitelist ",
      GoQuote(host),
      "\n\nThis requirement has been added to help prevent \"DNS Rebinding\" attacks "
      "(CVE-2018-5702).\n");
}

HttpHeaders AccessPolicy::CorsHeaders(const HttpRequest& request) const {
  std::string allowed = kAll;
  if (!origins_.empty()) {
    const std::string* const origin = request.Header("Origin");
    if (origin == nullptr || !origins_.contains(*origin)) return {};
    allowed = *origin;
  }
  return {{"Access-Control-Allow-Methods", "POST, GET, OPTIONS, PUT, DELETE"},
          {"Access-Control-Allow-Origin", allowed},
          {"Access-Control-Allow-Headers", "accept, content-type, authorization"}};
}

}  // namespace kvorum::api
