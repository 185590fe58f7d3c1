#pragma once

#include <string>

namespace kvorum::server::flags {

// The IPv4 address with which this machine would reach the outside, sending nothing; empty if it
// could not. What etcd advertises when it listens on 0.0.0.0 and was told nothing else.
std::string DefaultRouteHost();

}  // namespace kvorum::server::flags
