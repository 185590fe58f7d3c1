#pragma once
// Lists of URLs as etcd takes them in flags: http, https, unix or unixs; for the first two a host,
// a port and no path. Error texts are those of Go's net/url and of etcd client/pkg/types/urls.go.

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace kvorum::server::flags {

struct Url {
  std::string scheme;  // lower case
  std::string host;    // with port: "127.0.0.1:2379", "[::1]:2379"; may hold user:password@ in text
  std::string path;
  std::string text;  // the whole, scheme in lower case

  bool is_unix() const { return scheme == "unix" || scheme == "unixs"; }
};

struct HostPort {
  std::string host;  // without brackets
  std::string port;
};

// InvalidArgument when there is no port, or too many colons.
StatusOr<HostPort> SplitHostPort(std::string_view text);

// One URL, any scheme. InvalidArgument `parse "x": why`.
StatusOr<Url> ParseUrl(std::string_view text);

// URLs separated by commas, sorted by text, without repetitions. Blanks around each are dropped.
StatusOr<std::vector<Url>> ParseUrls(std::string_view list);
// The same of a list of its own, repetitions kept; an empty list is an InvalidArgument.
StatusOr<std::vector<Url>> ParseUrlList(const std::vector<std::string>& list);

// The texts.
std::vector<std::string> Texts(const std::vector<Url>& urls);

// For addresses to listen on: an IP or "localhost". InvalidArgument with etcd's text.
Status CheckBindUrls(const std::vector<std::string>& urls);
// For addresses to tell others: a host must be there.
Status CheckHostUrls(const std::vector<std::string>& urls);

}  // namespace kvorum::server::flags
