#include "server/peer/endpoints.h"

#include <utility>

#include "base/log.h"
#include "base/strings.h"
#include "server/peer/answers.h"
#include "server/peer/prober.h"

namespace kvorum::server::peer {
namespace {

using Exchange = std::shared_ptr<HttpExchange>;

constexpr std::string_view kPromotePrefix = "/members/promote/";
// Requests for hashes and leases are tiny.
constexpr size_t kMaxQuestionBytes = 64 << 10;

HttpReply JsonReply(std::string body) {
  return {.headers = {{"Content-Type", "application/json"}}, .body = std::move(body)};
}

// Brings an answer that may come on any thread, at any time, to the connection that waits for it,
// if that is still there.
class Returner {
 public:
  Returner(const PeerContext* context, const Exchange& exchange)
      : loop_(context->accept_loop), exchange_(exchange) {}

  void operator()(HttpReply reply) const {
    loop_->Post([exchange = exchange_, reply = std::move(reply)]() mutable {
      if (const auto waiting = exchange.lock()) waiting->Reply(std::move(reply));
    });
  }

 private:
  std::shared_ptr<IoLoop> loop_;
  std::weak_ptr<HttpExchange> exchange_;
};

}  // namespace

Endpoints::Endpoints(const PeerContext* context, PeerRegistry* registry)
    : context_(context),
      registry_(registry),
      snapshots_(context, [registry](MemberId id) { return registry->IsPeer(id); }) {}

void Endpoints::Handle(const Exchange& exchange) {
  const std::string& path = exchange->request().path;
  if (HandleRaft(exchange)) return;
  if (path == "/members") {
    Members(exchange);
  } else if (path.starts_with(kPromotePrefix)) {
    Promote(exchange);
  } else if (path == "/members/hashkv") {
    HashKv(exchange);
  } else if (path == "/leases" || path == "/leases/internal") {
    Lease(exchange);
  } else if (path == "/version") {
    Version(exchange);
  } else if (path == "/downgrade/enabled") {
    DowngradeEnabled(exchange);
  } else {
    exchange->Reply(TextReply(404, "404 page not found"));
  }
}

void Endpoints::Reply(const Exchange& exchange, HttpReply reply) const {
  exchange->Reply(WithClusterId(*context_, std::move(reply)));
}

bool AllowMethod(const Exchange& exchange, std::string_view method, AllowHeader header) {
  if (exchange->request().method == method) return true;
  HttpReply reply = TextReply(405, "Method Not Allowed");
  if (header == AllowHeader::kYes) reply.headers.emplace_back("Allow", method);
  exchange->Reply(std::move(reply));
  return false;
}

HttpReply WithClusterId(const PeerContext& context, HttpReply reply) {
  reply.headers.emplace_back("X-Etcd-Cluster-ID", HexId(context.identity.cluster()));
  return reply;
}

void Endpoints::Probing(const Exchange& exchange) {
  exchange->Reply(JsonReply(ProbeAnswer(SystemClock().WallNow())));
}

void Endpoints::Members(const Exchange& exchange) {
  if (!AllowMethod(exchange, "GET")) return;
  Reply(exchange, JsonReply(MembersJson(context_->handler->Members())));
}

void Endpoints::Promote(const Exchange& exchange) {
  if (!AllowMethod(exchange, "POST")) return;
  const std::string_view text =
      std::string_view(exchange->request().path).substr(kPromotePrefix.size());
  const std::optional<uint64_t> id = ParseDecimal(text);
  if (!id) {
    Reply(exchange, TextReply(404, StrCat("member ", text, " not found in cluster")));
    return;
  }
  context_->handler->PromoteMember(
      MemberId(*id), exchange->request().Header("Authorization"),
      [context = context_, id = MemberId(*id),
       answer = Returner(context_, exchange)](const Answer<std::vector<MemberInfo>>& result) {
        if (result.error != Error::kOk) {
          LOG_WARN("failed to promote a member", {"member-id", HexId(id)},
                   {"error", ErrorText(result.error)});
        }
        answer(WithClusterId(*context, PromoteReply(result)));
      });
}

void Endpoints::HashKv(const Exchange& exchange) {
  if (!AllowMethod(exchange, "GET")) return;
  const std::string cluster = exchange->request().Header("X-Etcd-Cluster-ID");
  if (!cluster.empty() && cluster != HexId(context_->identity.cluster())) {
    exchange->Reply(TextReply(412, kClusterIdMismatch));
    return;
  }
  bodies_.Read(exchange, kMaxQuestionBytes, [this, exchange](const StatusOr<std::string>& body) {
    OnHashKvBody(exchange, body);
  });
}

void Endpoints::OnHashKvBody(const Exchange& exchange, const StatusOr<std::string>& body) {
  if (!body.ok()) {
    exchange->Reply(TextReply(400, "error reading body"));
    return;
  }
  const std::optional<Revision> revision = ParseHashKvRequest(*body);
  if (!revision) {
    LOG_WARN("failed to unmarshal request");
    exchange->Reply(TextReply(400, "error unmarshalling request"));
    return;
  }
  context_->handler->HashKv(
      *revision, [context = context_, revision = *revision,
                  answer = Returner(context_, exchange)](const Answer<HashKvResult>& result) {
        if (result.error == Error::kOk) {
          answer(WithClusterId(*context, JsonReply(HashKvJson(result.value))));
          return;
        }
        LOG_WARN("failed to get hashKV", {"requested-revision", revision.value()},
                 {"error", ErrorText(result.error)});
        answer(TextReply(400, ErrorText(result.error)));
      });
}

void Endpoints::Lease(const Exchange& exchange) {
  if (!AllowMethod(exchange, "POST", AllowHeader::kNo)) return;
  bodies_.Read(exchange, kMaxQuestionBytes, [this, exchange](const StatusOr<std::string>& body) {
    OnLeaseBody(exchange, body);
  });
}

void Endpoints::OnLeaseBody(const Exchange& exchange, const StatusOr<std::string>& body) {
  if (body.status().code() == absl::StatusCode::kResourceExhausted) {
    exchange->Reply(TextReply(413, "request body too large"));
  } else if (!body.ok()) {
    exchange->Reply(TextReply(400, "error reading body"));
  } else if (exchange->request().path == "/leases") {
    RenewLease(exchange, *body);
  } else {
    LeaseTimeToLive(exchange, *body);
  }
}

void Endpoints::RenewLease(const Exchange& exchange, const std::string& body) {
  const std::optional<LeaseId> id = ParseRenewRequest(body);
  if (!id) {
    exchange->Reply(TextReply(400, "error unmarshalling request"));
    return;
  }
  context_->handler->RenewLease(
      *id, [id = *id, answer = Returner(context_, exchange)](const Answer<int64_t>& result) {
        answer(RenewReply(id, result));
      });
}

void Endpoints::LeaseTimeToLive(const Exchange& exchange, const std::string& body) {
  const std::optional<LeaseQuestion> question = ParseTimeToLiveRequest(body);
  if (!question) {
    exchange->Reply(TextReply(400, "error unmarshalling request"));
    return;
  }
  context_->handler->LeaseTimeToLive(
      question->id, question->keys,
      [id = question->id, answer = Returner(context_, exchange)](const Answer<LeaseTtl>& result) {
        answer(TimeToLiveReply(id, result));
      });
}

void Endpoints::Version(const Exchange& exchange) {
  if (!AllowMethod(exchange, "GET")) return;
  exchange->Reply(JsonReply(VersionsJson(context_->handler->GetVersions())));
}

void Endpoints::DowngradeEnabled(const Exchange& exchange) {
  if (!AllowMethod(exchange, "GET")) return;
  context_->handler->DowngradeEnabled(
      [context = context_, answer = Returner(context_, exchange)](const Answer<bool>& result) {
        HttpReply reply = {.headers = {{"Content-Type", "text/plain"}},
                           .body = result.value ? "true" : "false"};
        if (result.error != Error::kOk) {
          reply = TextReply(500, StrCat("failed linearized read: ", ErrorText(result.error)));
        }
        answer(WithClusterId(*context, std::move(reply)));
      });
}

}  // namespace kvorum::server::peer
