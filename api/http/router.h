#pragma once
// HTTP requests, from method and path to a handler, without a socket: a set of paths and, on the
// client port, the policy of who may ask (access_policy.h).
//
// Unknown paths and wrong methods get Go's texts. Follows etcd server/embed/serve.go and
// server/etcdserver/api/etcdhttp.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/http/access_policy.h"
#include "api/http/exchange.h"

namespace kvorum::api {

// Go's http.Error: plain text with a newline at its end.
HttpReply HttpError(int status, std::string_view text);

// For any method but GET where only that is allowed.
HttpReply MethodNotAllowed();

// The values of `name` in a query string, percent-decoded, in order.
std::vector<std::string> QueryValues(std::string_view query, std::string_view name);

// The path without "." and "..", and with single slashes, as Go's path.Clean leaves it, but for a
// slash at its end.
std::string CleanPath(std::string_view path);

class HttpRouter {
 public:
  using Respond = std::function<void(HttpReply)>;
  // Calls `respond` once, now or later, on the HTTP thread.
  using Handler = std::function<void(const HttpRequest&, Respond)>;
  // Answers through the exchange, now or later.
  using ExchangeHandler = std::function<void(std::shared_ptr<HttpExchange>)>;

  // Without a policy whoever gets to the port may ask, and answers carry no headers of CORS.
  explicit HttpRouter(std::optional<AccessPolicy> policy = std::nullopt)
      : policy_(std::move(policy)) {}

  // Before the first Handle. Only GET is allowed on `path`.
  void Get(std::string path, Handler handler);
  // As Get, for a path that answers every method the same.
  void Any(std::string path, Handler handler);
  // Before the first Handle. All methods and paths below `prefix`, which ends in '/'.
  void Mount(std::string prefix, ExchangeHandler handler);
  // Paths below `old_prefix` are those below `prefix`; handlers see them as they were sent.
  void Rename(std::string old_prefix, std::string prefix);
  // Thread-safe once set up.
  void Handle(std::shared_ptr<HttpExchange> exchange) const;

 private:
  const ExchangeHandler* FindMount(std::string_view path) const;
  std::string Renamed(const std::string& path) const;
  // Where to ask instead, or the same path: Go sends clients to the clean form of a path, and from
  // the name of a folder into the folder.
  std::string Canonical(std::string_view path) const;

  const std::optional<AccessPolicy> policy_;
  std::map<std::string, ExchangeHandler, std::less<>> mounts_;
  std::map<std::string, std::string> renamed_;
  std::map<std::string, Handler, std::less<>> handlers_;
};

}  // namespace kvorum::api
