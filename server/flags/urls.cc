#include "server/flags/urls.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cctype>

#include "server/flags/go_value.h"

namespace kvorum::server::flags {
namespace {

Status Invalid(std::string text) { return absl::InvalidArgumentError(std::move(text)); }

// What is before `separator`, and what is behind it; `found` says whether it was there.
struct Cut {
  std::string_view before;
  std::string_view after;
  bool found = false;
};
Cut CutAt(std::string_view text, char separator) {
  const size_t at = text.find(separator);
  if (at == std::string_view::npos) return {.before = text};
  return {text.substr(0, at), text.substr(at + 1), true};
}

std::string_view Trim(std::string_view text) {
  const auto blank = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

bool IsAlnum(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

// "scheme:rest"; no scheme when the text does not begin like one.
StatusOr<Cut> CutScheme(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (std::isalpha(static_cast<unsigned char>(c)) != 0) continue;
    if (c == ':') {
      if (i == 0) return Invalid("missing protocol scheme");
      return Cut{text.substr(0, i), text.substr(i + 1), true};
    }
    const bool inner = IsAlnum(c) || c == '+' || c == '-' || c == '.';
    if (i == 0 || !inner) break;
  }
  return Cut{.after = text};
}

Status CheckEscapes(std::string_view text, bool in_host) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') continue;
    const std::string_view escape = text.substr(i, 3);
    const auto hex = [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; };
    const bool complete = escape.size() == 3 && hex(escape[1]) && hex(escape[2]);
    // In a host only bytes beyond ASCII may be written so, and the sign of an IPv6 zone.
    const bool ascii = complete && escape[1] < '8' && std::isdigit(escape[1]) != 0;
    if (!complete || (in_host && ascii && escape != "%25")) {
      return Invalid("invalid URL escape " + GoQuote(escape));
    }
    i += 2;
  }
  return absl::OkStatus();
}

Status CheckHostCharacters(std::string_view host) {
  RETURN_IF_ERROR(CheckEscapes(host, true));
  for (const char& c : host) {
    const bool plain = IsAlnum(c) || static_cast<unsigned char>(c) >= 0x80;
    if (plain || std::string_view("-_.~!$&'()*+,;=:[]<>\"%").find(c) != std::string_view::npos) {
      continue;
    }
    return Invalid("invalid character " + GoQuote({&c, 1}) + " in host name");
  }
  return absl::OkStatus();
}

Status CheckPort(std::string_view colon_port) {
  if (colon_port.empty()) return absl::OkStatus();
  const bool digits = std::all_of(colon_port.begin() + 1, colon_port.end(),
                                  [](char c) { return c >= '0' && c <= '9'; });
  if (colon_port[0] == ':' && digits) return absl::OkStatus();
  return Invalid("invalid port " + GoQuote(colon_port) + " after host");
}

bool IsIp(int family, std::string_view text) {
  in6_addr address;
  return inet_pton(family, std::string(text).c_str(), &address) == 1;
}

Status CheckBracketedHost(std::string_view host) {
  if (host[0] != '[') return Invalid("invalid IP-literal");
  const size_t close = host.rfind(']');
  if (close == std::string_view::npos) return Invalid("missing ']' in host");
  RETURN_IF_ERROR(CheckPort(host.substr(close + 1)));
  const std::string_view literal = host.substr(1, close - 1);
  RETURN_IF_ERROR(CheckHostCharacters(literal));
  if (IsIp(AF_INET, literal)) return Invalid("invalid IP-literal");
  const size_t zone = literal.find("%25");
  if (zone != std::string_view::npos && zone + 3 == literal.size()) {
    return Invalid("invalid host: ParseAddr(" + GoQuote(literal.substr(0, zone + 1)) +
                   "): zone must be a non-empty string");
  }
  if (!IsIp(AF_INET6, literal.substr(0, zone))) {
    return Invalid("invalid host: ParseAddr(" + GoQuote(literal) + "): unable to parse IP");
  }
  return absl::OkStatus();
}

Status CheckHost(std::string_view host) {
  if (host.find('[') != std::string_view::npos) return CheckBracketedHost(host);
  const size_t colon = host.find(':');
  if (colon != std::string_view::npos) RETURN_IF_ERROR(CheckPort(host.substr(colon)));
  return CheckHostCharacters(host);
}

StatusOr<Url> ParseWithoutContext(std::string_view text) {
  const auto control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  if (std::any_of(text.begin(), text.end(), control)) {
    return Invalid("net/url: invalid control character in URL");
  }
  ASSIGN_OR_RETURN(const Cut scheme, CutScheme(CutAt(text, '#').before));
  Url url{.scheme = std::string(scheme.before)};
  std::transform(url.scheme.begin(), url.scheme.end(), url.scheme.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  url.text = url.scheme + std::string(text.substr(scheme.before.size()));

  std::string_view rest = CutAt(scheme.after, '?').before;
  if (!rest.starts_with('/')) {
    if (scheme.found) return url;  // opaque: "localhost:2379" is scheme and rest
    if (CutAt(rest, '/').before.find(':') != std::string_view::npos) {
      return Invalid("first path segment in URL cannot contain colon");
    }
  }
  if (rest.starts_with("//") && (scheme.found || !rest.starts_with("///"))) {
    rest.remove_prefix(2);
    const size_t slash = rest.find('/');
    std::string_view authority = rest.substr(0, slash);
    rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash);
    if (const size_t at = authority.rfind('@'); at != std::string_view::npos) {
      authority.remove_prefix(at + 1);
    }
    RETURN_IF_ERROR(CheckHost(authority));
    url.host = std::string(authority);
  }
  RETURN_IF_ERROR(CheckEscapes(rest, false));
  url.path = std::string(rest);
  return url;
}

// One element of a flag's list.
StatusOr<Url> ParseServerUrl(std::string_view text) {
  ASSIGN_OR_RETURN(Url url, ParseUrl(text));
  if (url.is_unix()) return url;
  if (url.scheme != "http" && url.scheme != "https") {
    return Invalid("URL scheme must be http, https, unix, or unixs: " + std::string(text));
  }
  if (!SplitHostPort(url.host).ok()) {
    return Invalid("URL address does not have the form \"host:port\": " + std::string(text));
  }
  if (!url.path.empty()) return Invalid("URL must not contain a path: " + std::string(text));
  return url;
}

}  // namespace

StatusOr<HostPort> SplitHostPort(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return Invalid("missing port in address");
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[')) {
    if (!host.ends_with(']')) return Invalid("missing port in address");
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return Invalid("too many colons in address");
  }
  return HostPort{std::string(host), std::string(text.substr(colon + 1))};
}

StatusOr<Url> ParseUrl(std::string_view text) {
  StatusOr<Url> url = ParseWithoutContext(text);
  if (url.ok()) return url;
  return WithContext(url.status(), "parse " + GoQuote(text));
}

StatusOr<std::vector<Url>> ParseUrls(std::string_view list) {
  std::vector<Url> urls;
  for (Cut piece{.after = list, .found = true}; piece.found;) {
    piece = CutAt(piece.after, ',');
    ASSIGN_OR_RETURN(Url url, ParseServerUrl(Trim(piece.before)));
    urls.push_back(std::move(url));
  }
  std::sort(urls.begin(), urls.end(), [](const Url& a, const Url& b) { return a.text < b.text; });
  const auto same = [](const Url& a, const Url& b) { return a.text == b.text; };
  urls.erase(std::unique(urls.begin(), urls.end(), same), urls.end());
  return urls;
}

StatusOr<std::vector<Url>> ParseUrlList(const std::vector<std::string>& list) {
  if (list.empty()) return Invalid("no valid URLs given");
  std::vector<Url> urls;
  for (const std::string& text : list) {
    ASSIGN_OR_RETURN(Url url, ParseServerUrl(Trim(text)));
    urls.push_back(std::move(url));
  }
  std::sort(urls.begin(), urls.end(), [](const Url& a, const Url& b) { return a.text < b.text; });
  return urls;
}

std::vector<std::string> Texts(const std::vector<Url>& urls) {
  std::vector<std::string> texts;
  for (const Url& url : urls) texts.push_back(url.text);
  return texts;
}

Status CheckBindUrls(const std::vector<std::string>& urls) {
  for (const std::string& text : urls) {
    ASSIGN_OR_RETURN(const Url url, ParseUrl(text));
    if (url.is_unix()) continue;
    ASSIGN_OR_RETURN(const HostPort address, SplitHostPort(url.host));
    if (address.host == "localhost") continue;
    if (!IsIp(AF_INET, address.host) && !IsIp(AF_INET6, address.host)) {
      return Invalid("expected IP in URL for binding (" + text + ")");
    }
  }
  return absl::OkStatus();
}

Status CheckHostUrls(const std::vector<std::string>& urls) {
  for (const std::string& text : urls) {
    ASSIGN_OR_RETURN(const Url url, ParseUrl(text));
    if (url.is_unix()) continue;
    ASSIGN_OR_RETURN(const HostPort address, SplitHostPort(url.host));
    if (address.host.empty()) return Invalid("unexpected empty host (" + text + ")");
  }
  return absl::OkStatus();
}

}  // namespace kvorum::server::flags
