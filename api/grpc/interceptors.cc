#include "api/grpc/interceptors.h"

#include <cstdlib>
#include <optional>
#include <string_view>

#include "api/grpc/header_trace.h"
#include "base/utf8.h"

namespace kvorum::api {

using server::Error;

namespace {

// The first value of a key counts, as everywhere in the original.
std::optional<std::string_view> FirstOf(const grpc::ServerContext& context, const char* key) {
  const auto [first, last] = context.client_metadata().equal_range(key);
  if (first == last) return std::nullopt;
  return std::string_view(first->second.data(), first->second.size());
}

}  // namespace

Interceptors::Interceptors(server::Server* server)
    : server_(server), traces_headers_(WantsHeaderTrace(std::getenv("GODEBUG"))) {}

bool RequiresLeader(const grpc::ServerContext& context) {
  return FirstOf(context, "hasleader") == "true";
}

Error Interceptors::Check(const grpc::ServerContext& context, CallKind kind, OnLearner on_learner) {
  if (traces_headers_) TraceHeaders(context);
  if (!Capable()) return Error::kNotCapable;
  if (on_learner == OnLearner::kRefused && server_->is_learner()) {
    return Error::kNotSupportedForLearner;
  }
  // The original counts its clients under this text, which therefore has to be one.
  if (!IsUtf8(FirstOf(context, "client-api-version").value_or(""))) {
    return Error::kInvalidClientApiVersion;
  }
  CountClientRequest(kind, context);
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
