#pragma once
// What is counted of gRPC calls: by method as go-grpc-prometheus names it, the bytes of messages,
// and the versions that clients give of themselves.
//
// All methods that the published services have are there from the start, at zero, also those this
// build answers Unimplemented. Thread-safe; counting takes no lock and no look-up by name, except
// for a client version that was not the last one seen.
//
// Follows grpc-ecosystem/go-grpc-middleware providers/prometheus, etcd
// server/etcdserver/api/v3rpc/{metrics,codec,interceptor}.go.

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include <array>
#include <atomic>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/metrics.h"

namespace kvorum::api {

class MethodMetrics {
 public:
  // `service` in full: "etcdserverpb.KV". Makes what is not there yet.
  MethodMetrics(std::string_view service, std::string_view method);

  // A call has started. The time is the epoch, unless durations are wanted.
  TimePoint Begin() const;
  // A message went one way or the other, or failed to: then with 0 bytes. Errors of unary calls
  // count as messages, as in etcd.
  void OnReceived(size_t message_bytes) const;
  void OnSent(size_t message_bytes) const;
  // `began`: what Begin returned.
  void OnHandled(grpc::StatusCode code, TimePoint began) const;

 private:
  static constexpr size_t kCodes = 17;

  metrics::Counter& started_;
  metrics::Counter& received_;
  metrics::Counter& sent_;
  std::array<metrics::Counter*, kCodes> handled_;
  metrics::Histogram* seconds_;  // null without extensive metrics
};

// Registers all methods. `extensive`: with durations. Before the first MethodMetrics.
void AddCallMetrics(bool extensive);

enum class CallKind { kUnary, kStream };
// Counts a call under the version in its metadata. Of the versions that clients make up only so
// many are told apart (kClientVersionsMax), the rest is "other".
void CountClientRequest(CallKind kind, const grpc::ServerContext& context);

// A client's message that ends its stream because it cannot be understood: counted and logged.
// `api`: "watch" or "lease-keepalive". Failures to send are not: here they all mean that the
// connection or the stream is gone, of which etcd makes no failure either.
void OnReceiveFailure(std::string_view api, const grpc::Status& status);

inline constexpr size_t kClientVersionsMax = 100;

}  // namespace kvorum::api
