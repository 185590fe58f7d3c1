#include "api/http/router.h"

#include <algorithm>
#include <cctype>
#include <utility>

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

}  // namespace

const std::string* HttpRequest::Header(std::string_view name) const {
  const auto same_letter = [](unsigned char a, unsigned char b) {
    return std::tolower(a) == std::tolower(b);
  };
  for (const auto& [key, value] : headers) {
    if (std::equal(key.begin(), key.end(), name.begin(), name.end(), same_letter)) return &value;
  }
  return nullptr;
}

bool PercentDecode(std::string_view text, std::string* decoded) {
  decoded->clear();
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      *decoded += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
    const int low = high >= 0 ? HexDigit(text[i + 2]) : -1;
    if (low < 0) return false;
    *decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return true;
}

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

void HttpRouter::Any(std::string path, Handler handler) {
  handlers_.emplace(std::move(path), std::move(handler));
}

void HttpRouter::Get(std::string path, Handler handler) {
  Any(std::move(path), [handler = std::move(handler)](const HttpRequest& request, Respond respond) {
    if (request.method == "GET") {
      handler(request, std::move(respond));
      return;
    }
    HttpReply reply = HttpError(405, "Method Not Allowed");
    reply.headers.emplace_back("Allow", "GET");
    respond(std::move(reply));
  });
}

void HttpRouter::Mount(std::string prefix, ExchangeHandler handler) {
  mounts_.emplace(std::move(prefix), std::move(handler));
}

const HttpRouter::ExchangeHandler* HttpRouter::FindMount(std::string_view path) const {
  for (const auto& [prefix, handler] : mounts_) {
    if (path.starts_with(prefix)) return &handler;
  }
  return nullptr;
}

void HttpRouter::Handle(std::shared_ptr<HttpExchange> exchange) const {
  const HttpRequest& request = exchange->request();
  if (policy_) {
    if (const std::string refusal = policy_->RefusalOf(request); !refusal.empty()) {
      exchange->Respond(HttpError(421, refusal));
      return;
    }
    exchange->AddHeaders(policy_->CorsHeaders(request));
    if (request.method == "OPTIONS") {
      exchange->Respond(HttpReply());
      return;
    }
  }
  if (const ExchangeHandler* mounted = FindMount(request.path)) {
    (*mounted)(std::move(exchange));
    return;
  }
  const auto handler = handlers_.find(request.path);
  if (handler == handlers_.end()) {
    exchange->Respond(HttpError(404, "404 page not found"));
    return;
  }
  handler->second(request, [exchange](HttpReply reply) { exchange->Respond(std::move(reply)); });
}

}  // namespace kvorum::api
