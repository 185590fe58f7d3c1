#pragma once

#include <string>
#include <vector>

namespace kvorum::server::flags {

// The IPv4 address with which this machine would reach the outside, sending nothing; empty if it
// could not. What etcd advertises when it listens on 0.0.0.0 and was told nothing else.
std::string DefaultRouteHost();

// The host of the first of `urls` that is an IP address by which another machine could know this
// one: no name, not a loopback address, not "every address". Empty if none is.
std::string FirstRoutableHost(const std::vector<std::string>& urls);

}  // namespace kvorum::server::flags
