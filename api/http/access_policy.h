#pragma once
// Who may use the HTTP side of the client port, and what browsers are told about it.
//
// A request that names a host which is not expected is refused, because a page of an attacker may
// have had its own name resolved to this address ("DNS rebinding"). Answers tell browsers which
// pages may read them (CORS). Follows etcd server/embed/serve.go (accessController) and
// server/etcdserver/server_access_control.go.

#include <set>
#include <string>
#include <vector>

#include "api/http/exchange.h"

namespace kvorum::api {

class AccessPolicy {
 public:
  // Of flags --cors and --host-whitelist; "*" among them, or none at all, means all.
  AccessPolicy(const std::vector<std::string>& origins, const std::vector<std::string>& hosts);

  // Empty, or what status 421 (Misdirected Request) says.
  std::string RefusalOf(const HttpRequest& request) const;
  // Headers for every answer to `request`.
  HttpHeaders CorsHeaders(const HttpRequest& request) const;

 private:
  // Empty: all.
  std::set<std::string> origins_;
  std::set<std::string> hosts_;
};

}  // namespace kvorum::api
