#include "api/grpc/interceptors.h"

#include <cstdlib>

#include "api/grpc/header_trace.h"

namespace kvorum::api {

using server::Error;

Interceptors::Interceptors(server::Server* server)
    : server_(server), traces_headers_(WantsHeaderTrace(std::getenv("GODEBUG"))) {}

bool RequiresLeader(const grpc::ServerContext& context) {
  const auto [first, last] = context.client_metadata().equal_range("hasleader");
  for (auto it = first; it != last; ++it) {
    if (it->second == "true") return true;
  }
  return false;
}

// client-api-version needs no check of its own: gRPC's core refuses header values that are not
// printable ASCII, so what the original calls an invalid client api version never gets here.
Error Interceptors::Check(const grpc::ServerContext& context, OnLearner on_learner) {
  if (traces_headers_) TraceHeaders(context);
  if (!Capable()) return Error::kNotCapable;
  if (on_learner == OnLearner::kRefused && server_->is_learner()) {
    return Error::kNotSupportedForLearner;
  }
  if (RequiresLeader(context) && !server_->has_leader()) return Error::kNoLeader;
  return Error::kOk;
}

bool Interceptors::Capable() {
  if (capable_.load(std::memory_order_relaxed)) return true;
  if (server_->cluster_version().empty()) return false;
  capable_.store(true, std::memory_order_relaxed);
  return true;
}

void Interceptors::FillHeaderWithoutRevision(etcdserverpb::ResponseHeader* header) const {
  header->set_cluster_id(server_->cluster_id().value());
  header->set_member_id(server_->member_id().value());
  header->set_raft_term(server_->term().value());
}

void Interceptors::FillHeader(etcdserverpb::ResponseHeader* header) const {
  FillHeaderWithoutRevision(header);
  if (header->revision() == 0) header->set_revision(server_->revision().value());
}

}  // namespace kvorum::api
