#pragma once
// What every call passes before its handler, and what every answer gets after it.
//
// In etcd's order: capability of the cluster's version, learner rule, client version, leader rule
// (metadata "hasleader: true"). Follows etcd server/etcdserver/api/v3rpc/interceptor.go, header.go.
// Thread-safe.

#include <grpcpp/server_context.h>

#include <atomic>

#include "api/grpc/call_metrics.h"
#include "proto/rpc.pb.h"
#include "server/server.h"

namespace kvorum::api {

// What a member that is still a learner does with a method.
enum class OnLearner {
  kRefused,
  kServed,
  kHandlerDecides,  // Range: served if it is serializable
};

class Interceptors {
 public:
  // `server` must outlive this.
  explicit Interceptors(server::Server* server);

  // kOk lets the call through. Counts it, unless it is refused before its metadata matters.
  server::Error Check(const grpc::ServerContext& context, CallKind kind, OnLearner on_learner);

  // Cluster, member, applied term; the store's revision if the handler has set none.
  void FillHeader(etcdserverpb::ResponseHeader* header) const;
  // For answers that carry no revision: cluster calls, watches cancelled by compaction.
  void FillHeaderWithoutRevision(etcdserverpb::ResponseHeader* header) const;

 private:
  bool Capable();

  server::Server* const server_;
  const bool traces_headers_;
  // Once the cluster has agreed on a version it always has one.
  std::atomic<bool> capable_{false};
};

// Whether the caller wants to be refused, or cut off, while there is no leader.
bool RequiresLeader(const grpc::ServerContext& context);

}  // namespace kvorum::api
