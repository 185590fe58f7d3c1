#include "api/http/router.h"

#include <absl/strings/str_replace.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "api/percent.h"

namespace kvorum::api {
namespace {

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

// A path as it may stand in a URL.
std::string PercentEncode(std::string_view path) {
  static constexpr std::string_view kPlain = "-_.~$&+,/:;=@";
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x80 && std::isalnum(byte)) || kPlain.find(c) != std::string_view::npos) {
      out += c;
    } else {
      out.append("%").append({kDigits[byte >> 4], kDigits[byte & 15]});
    }
  }
  return out;
}

// Go's http.Redirect, to a path of this server.
HttpReply Redirect(const HttpRequest& request, const std::string& path) {
  HttpReply reply;
  reply.status = 307;
  const std::string query = request.query.empty() ? "" : "?" + request.query;
  const std::string target = PercentEncode(path) + query;
  reply.headers = {{"Location", target}};
  if (request.method == "GET" || request.method == "HEAD") {
    reply.headers.emplace_back("Content-Type", "text/html; charset=utf-8");
    const std::string in_html = absl::StrReplaceAll(
        target, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&#34;"}, {"'", "&#39;"}});
    reply.body = "<a href=\"" + in_html + "\">Temporary Redirect</a>.\n\n";
  }
  return reply;
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

std::string CleanPath(std::string_view path) {
  std::vector<std::string_view> names;
  for (size_t at = 0; at < path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    const std::string_view name = path.substr(at, end - at);
    at = end + 1;
    if (name.empty() || name == ".") continue;
    if (name != "..") {
      names.push_back(name);
    } else if (!names.empty()) {
      names.pop_back();
    }
  }
  std::string clean;
  for (const std::string_view name : names) clean.append("/").append(name);
  if (clean.empty() || path.ends_with('/')) clean += '/';
  return clean;
}

HttpReply HttpError(int status, std::string_view text) {
  HttpReply reply;
  reply.status = status;
  reply.headers = {{"Content-Type", "text/plain; charset=utf-8"},
                   {"X-Content-Type-Options", "nosniff"}};
  reply.body = std::string(text) + "\n";
  return reply;
}

HttpReply MethodNotAllowed() {
  HttpReply reply = HttpError(405, "Method Not Allowed");
  reply.headers.emplace_back("Allow", "GET");
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
    respond(MethodNotAllowed());
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

void HttpRouter::Rename(std::string old_prefix, std::string prefix) {
  renamed_.emplace(std::move(old_prefix), std::move(prefix));
}

std::string HttpRouter::Renamed(const std::string& path) const {
  for (const auto& [old_prefix, prefix] : renamed_) {
    if (path.starts_with(old_prefix)) return prefix + path.substr(old_prefix.size());
  }
  return path;
}

std::string HttpRouter::Canonical(std::string_view path) const {
  const std::string clean = CleanPath(path);
  return mounts_.contains(clean + "/") && !handlers_.contains(clean) ? clean + "/" : clean;
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
  const std::string path = Renamed(request.path);
  if (const std::string canonical = Canonical(path); canonical != path) {
    exchange->Respond(Redirect(request, canonical));
    return;
  }
  if (const ExchangeHandler* mounted = FindMount(path)) {
    (*mounted)(std::move(exchange));
    return;
  }
  const auto handler = handlers_.find(path);
  if (handler == handlers_.end()) {
    exchange->Respond(HttpError(404, "404 page not found"));
    return;
  }
  handler->second(request, [exchange](HttpReply reply) { exchange->Respond(std::move(reply)); });
}

}  // namespace kvorum::api
