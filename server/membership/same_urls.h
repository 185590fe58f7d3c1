#pragma once
// Whether two lists of URLs lead to the same places, be one written with names and the other with
// addresses. Follows etcd pkg/netutil/netutil.go.

#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"

namespace kvorum::server {

// The first address of a host, as text. Unavailable if it cannot be resolved now.
using Resolve = std::function<StatusOr<std::string>(const std::string& host)>;
// By the system's resolver; blocks.
StatusOr<std::string> ResolveHost(const std::string& host);

// OK if they do, in any order. InvalidArgument, worded for an operator, if they do not. Texts are
// compared first, then the resolved addresses; a name that does not resolve is asked again every
// second until `deadline` of `clock` (a member may start before its name service), then it is an
// Unavailable. "localhost" and unix sockets stand for themselves.
Status CheckSameUrls(std::vector<std::string> a, std::vector<std::string> b, const Resolve& resolve,
                     const Clock& clock, TimePoint deadline);

}  // namespace kvorum::server
