#include "server/peer/peer_context.h"

#include <utility>

#include "base/log.h"
#include "base/strings.h"

namespace kvorum::server::peer {

Delivery Deliver(const PeerContext& context, raft::Message message) {
  if (context.handler->IsRemoved(message.from)) {
    LOG_WARN("rejected Raft message from removed member",
             {"local-member-id", HexId(context.self())},
             {"removed-member-id", HexId(message.from)});
    return Delivery::kRefused;
  }
  if (message.to != context.self()) {
    LOG_WARN("rejected Raft message to mismatch member", {"local-member-id", HexId(context.self())},
             {"mismatch-member-id", HexId(message.to)});
    return Delivery::kRefused;
  }
  return context.handler->Receive(std::move(message)) ? Delivery::kTaken : Delivery::kDropped;
}

Status CheckPostReply(const PeerContext& context, MemberId to, const std::string& url,
                      const HttpReply& reply) {
  constexpr int kNoContent = 204;
  constexpr int kForbidden = 403;
  constexpr int kPreconditionFailed = 412;
  if (reply.status == kNoContent) return absl::OkStatus();
  if (reply.status == kForbidden) {
    context.handler->OnRemovedFromCluster();
    return absl::PermissionDeniedError("the member has been permanently removed from the cluster");
  }
  std::string_view text = reply.body;
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (reply.status != kPreconditionFailed) {
    return absl::UnavailableError(
        StrCat("unexpected http status ", reply.status, " while posting to \"", url, "\""));
  }
  if (text == kIncompatibleVersion) {
    LOG_ERROR("request sent was ignored by peer", {"remote-peer-id", HexId(to)});
  } else if (text == kClusterIdMismatch) {
    const std::string* const cluster = FindHeader(reply.headers, "X-Etcd-Cluster-ID");
    LOG_ERROR("request sent was ignored due to cluster ID mismatch", {"remote-peer-id", HexId(to)},
              {"remote-peer-cluster-id", cluster == nullptr ? "" : cluster->c_str()},
              {"local-member-cluster-id", HexId(context.identity.cluster())});
  } else {
    return absl::FailedPreconditionError(
        StrCat("unhandled error \"", text, "\" when precondition failed"));
  }
  return absl::FailedPreconditionError(ToAbsl(text));
}

}  // namespace kvorum::server::peer
