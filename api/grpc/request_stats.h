#pragma once
// The log line "request stats" about a unary call: a warning for one that lasted longer than
// --warning-unary-request-duration, at level debug a line for every call. Follows etcd
// server/etcdserver/api/v3rpc/interceptor.go logUnaryRequestStats.

#include <grpcpp/support/byte_buffer.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace kvorum::api {

// One call that has its answer. `response` is empty if that is an error.
struct CallStats {
  std::string_view method;  // "/etcdserverpb.KV/Put"
  std::string_view peer;    // as gRPC names it: "ipv4:127.0.0.1:1234"
  WallTime started;
  Duration spent{};
  const grpc::ByteBuffer* request = nullptr;
  const grpc::ByteBuffer* response = nullptr;
};

// What the line says about the two messages: -1 and no text for methods other than Range, Put,
// DeleteRange and Txn.
struct MessageStats {
  int64_t request_count = -1;
  int64_t request_size = -1;
  int64_t response_count = -1;
  int64_t response_size = -1;
  std::string request_content;
};
MessageStats StatsOf(const CallStats& call);

// The address in gRPC's name of a peer, as Go prints it: "127.0.0.1:1234", "[::1]:1234"; of a Unix
// socket its path, "@name" of an abstract one, "@" of one without a name.
std::string PeerAddress(std::string_view peer);

// Whether a call that lasted this long gets a line.
bool WantsCallStats(Duration spent, Duration limit);
// Writes it.
void LogCallStats(const CallStats& call);

}  // namespace kvorum::api
