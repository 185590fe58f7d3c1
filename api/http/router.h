#pragma once
// HTTP requests of the client port, from method and path to an answer, without a socket.
//
// Every answer gets the CORS headers of etcd's default (every origin allowed) and OPTIONS is always
// answered 200. Unknown paths and wrong methods get Go's texts. Follows etcd server/embed/serve.go
// (accessController) and server/etcdserver/api/etcdhttp.

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kvorum::api {

struct HttpRequest {
  std::string method;  // "GET"
  std::string path;    // without the query, as sent
  std::string query;   // after '?', may be empty
};

struct HttpReply {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

// Go's http.Error: plain text with a newline at its end.
HttpReply HttpError(int status, std::string_view text);

// The values of `name` in a query string, percent-decoded, in order.
std::vector<std::string> QueryValues(std::string_view query, std::string_view name);

class HttpRouter {
 public:
  using Respond = std::function<void(HttpReply)>;
  // Calls `respond` once, now or later, on the HTTP thread.
  using Handler = std::function<void(const HttpRequest&, Respond)>;

  // Before the first Handle. Only GET is allowed on `path`.
  void Get(std::string path, Handler handler);
  // Thread-safe once set up.
  void Handle(const HttpRequest& request, Respond respond) const;

 private:
  std::map<std::string, Handler, std::less<>> handlers_;
};

}  // namespace kvorum::api
