#include "api/http/router.h"

#include <cctype>

namespace kvorum::api {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const int lower = std::tolower(static_cast<unsigned char>(c));
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::string QueryUnescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out += ' ';
    } else if (text[i] == '%' && i + 2 < text.size() && HexDigit(text[i + 1]) >= 0 &&
               HexDigit(text[i + 2]) >= 0) {
      out += static_cast<char>(HexDigit(text[i + 1]) * 16 + HexDigit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

void AddCors(HttpReply* reply) {
  reply->headers.emplace_back("Access-Control-Allow-Methods", "POST, GET, OPTIONS, PUT, DELETE");
  reply->headers.emplace_back("Access-Control-Allow-Origin", "*");
  reply->headers.emplace_back("Access-Control-Allow-Headers",
                              "accept, content-type, authorization");
}

}  // namespace

HttpReply HttpError(int status, std::string_view text) {
  HttpReply reply;
  reply.status = status;
  reply.headers = {{"Content-Type", "text/plain; charset=utf-8"},
                   {"X-Content-Type-Options", "nosniff"}};
  reply.body = std::string(text) + "\n";
  return reply;
}

std::vector<std::string> QueryValues(std::string_view query, std::string_view name) {
  std::vector<std::string> values;
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    const size_t equals = std::min(pair.find('='), pair.size());
    if (QueryUnescape(pair.substr(0, equals)) == name) {
      values.push_back(QueryUnescape(pair.substr(std::min(equals + 1, pair.size()))));
    }
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return values;
}

void HttpRouter::Get(std::string path, Handler handler) {
  handlers_.emplace(std::move(path), std::move(handler));
}

void HttpRouter::Handle(const HttpRequest& request, Respond respond) const {
  const auto with_cors = [respond = std::move(respond)](HttpReply reply) {
    AddCors(&reply);
    respond(std::move(reply));
  };
  if (request.method == "OPTIONS") {
    with_cors(HttpReply());
    return;
  }
  const auto handler = handlers_.find(request.path);
  if (handler == handlers_.end()) {
    with_cors(HttpError(404, "404 page not found"));
    return;
  }
  if (request.method != "GET") {
    HttpReply reply = HttpError(405, "Method Not Allowed");
    reply.headers.emplace_back("Allow", "GET");
    with_cors(std::move(reply));
    return;
  }
  handler->second(request, with_cors);
}

}  // namespace kvorum::api
