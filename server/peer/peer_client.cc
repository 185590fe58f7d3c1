#include "server/peer/peer_client.h"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/strings.h"
#include "proto/lease.pb.h"
#include "proto/rpc.pb.h"
#include "server/peer/answers.h"
#include "server/peer/http_client.h"
#include "server/peer/identity.h"
#include "server/peer/peer_url.h"

namespace kvorum::server::peer {
namespace {

using Json = nlohmann::json;

// A lease may have many keys.
constexpr size_t kMaxReplyBytes = 100 << 20;

constexpr int kOk = 200;
constexpr int kNotFound = 404;
constexpr int kRequestTimeout = 408;
constexpr int kPreconditionFailed = 412;

Json ParseJson(const std::string& text) {
  return Json::parse(text, nullptr, /*allow_exceptions=*/false);
}

Status Unusable(std::string_view why) { return absl::UnavailableError(ToAbsl(why)); }

Status UnexpectedStatus(const HttpReply& reply) {
  return Unusable(StrCat("unexpected http status ", reply.status));
}

bool Says(const HttpReply& reply, Error error) {
  return reply.body.find(ErrorText(error)) != std::string::npos;
}

Status ParseMembers(const std::string& body, std::vector<MemberInfo>* members) {
  const Json json = ParseJson(body);
  if (json.is_null()) return absl::OkStatus();
  if (!json.is_array()) return Unusable("not a list of members");
  members->clear();
  for (const Json& one : json) {
    ASSIGN_OR_RETURN(MemberInfo member, ParseMemberJson(one.dump()));
    members->push_back(std::move(member));
  }
  return absl::OkStatus();
}

// Empty if it is not there, or no string.
std::string StringField(const Json& object, const char* name) {
  const auto it = object.find(name);
  return it != object.end() && it->is_string() ? it->get<std::string>() : "";
}

int64_t IntegerField(const Json& object, const char* name) {
  const auto it = object.find(name);
  return it != object.end() && it->is_number_integer() ? it->get<int64_t>() : 0;
}

Status ParseHashKv(const std::string& body, HashKvResult* result) {
  const Json json = ParseJson(body);
  if (!json.is_object()) return Unusable("not a hash");
  result->hash = static_cast<uint32_t>(IntegerField(json, "hash"));
  result->compact_revision = IntegerField(json, "compact_revision");
  result->hash_revision = IntegerField(json, "hash_revision");
  const auto header = json.find("header");
  if (header != json.end() && header->is_object()) {
    result->revision = IntegerField(*header, "revision");
  }
  return absl::OkStatus();
}

// What a reply to a question about a lease says; kNoLeader: nothing of use.
Error LeaseError(const HttpReply& reply) {
  if (reply.status == kOk) return Error::kOk;
  if (reply.status == kNotFound) return Error::kLeaseNotFound;
  if (reply.status == kRequestTimeout) return Error::kTimeoutWaitAppliedIndex;
  return Says(reply, Error::kNotPrimaryLessor) ? Error::kNotPrimaryLessor : Error::kNoLeader;
}

Error PromoteError(const HttpReply& reply) {
  if (reply.status == kOk) return Error::kOk;
  if (reply.status == kNotFound) return Error::kMemberNotFound;
  if (reply.status == kRequestTimeout) return Error::kTimeout;
  if (reply.status == kPreconditionFailed) {
    for (const Error error : {Error::kLearnerNotReady, Error::kMemberNotLearner}) {
      if (Says(reply, error)) return error;
    }
  }
  return Error::kNoLeader;
}

// Another URL would say the same.
bool IsFinal(Error error) {
  switch (error) {
    case Error::kOk:
    case Error::kLeaseNotFound:
    case Error::kMemberNotFound:
    case Error::kMemberNotLearner:
    case Error::kLearnerNotReady:
    case Error::kStopped:
      return true;
    default:
      return false;
  }
}

}  // namespace

PeerClient::PeerClient(Options options) : options_(std::move(options)) {}

PeerClient::~PeerClient() = default;

void PeerClient::Cancel() {
  absl::MutexLock lock(&mutex_);
  canceled_ = true;
  for (const auto& loop : calls_) loop->Finish();
}

// A loop of its own, run by the caller's thread until the answer or the end of its time is there.
StatusOr<HttpReply> PeerClient::Ask(const std::string& url, const Request& request,
                                    Duration timeout) {
  ASSIGN_OR_RETURN(const PeerUrl target, ParsePeerUrl(url));
  const auto loop = std::make_shared<IoLoop>();
  {
    absl::MutexLock lock(&mutex_);
    if (canceled_) return absl::CancelledError("canceled");
    calls_.insert(loop);
  }
  StatusOr<HttpReply> result = absl::CancelledError("canceled");
  bool timed_out = false;
  {
    HttpClient client(loop, {.dial_timeout = std::min(options_.dial_timeout, timeout),
                             .io_timeout = timeout,
                             .local_address = options_.local_address});
    Timer deadline(loop.get());
    loop->Post([&] {
      std::string bytes = RequestHead(request.method, request.path, target.HostHeader(),
                                      request.headers, {.bytes = request.body.size()}) +
                          request.body;
      deadline.After(timeout, [&] {
        timed_out = true;
        loop->Finish();
      });
      client.Send(target,
                  {.request = std::make_shared<const std::string>(std::move(bytes)),
                   .answer_timeout = timeout,
                   .max_body_bytes = kMaxReplyBytes},
                  [&](StatusOr<HttpReply> reply) {
                    result = std::move(reply);
                    deadline.Cancel();
                    loop->Finish();
                  });
    });
    loop->Run();
  }
  absl::MutexLock lock(&mutex_);
  calls_.erase(loop);
  if (timed_out && !result.ok()) return absl::DeadlineExceededError("request timed out");
  if (canceled_ && !result.ok()) return absl::CancelledError("canceled");
  return result;
}

Status PeerClient::AskEach(const Urls& urls, const Request& request, Duration timeout,
                           const std::function<Status(const HttpReply&)>& take) {
  Status last = Unusable("no URL to ask");
  for (const std::string& url : urls) {
    const StatusOr<HttpReply> reply = Ask(url, request, timeout);
    last = reply.ok() ? take(*reply) : reply.status();
    if (last.ok() || absl::IsCancelled(last)) return last;
    last = WithContext(last, url + request.path);
    LOG_WARN("failed to reach the peer URL", {"address", url + request.path}, {"error", last});
  }
  return last;
}

Error PeerClient::AskUntil(const Urls& urls, const Request& request, Duration timeout,
                           const std::function<Error(const HttpReply&)>& take) {
  const TimePoint deadline = SystemClock().Now() + timeout;
  Error last = Error::kNoLeader;
  for (const std::string& url : urls) {
    const Duration left = deadline - SystemClock().Now();
    if (left <= Duration::zero()) return Error::kTimeout;
    const StatusOr<HttpReply> reply = Ask(url, request, left);
    if (absl::IsCancelled(reply.status())) return Error::kStopped;
    last = reply.ok() ? take(*reply) : Error::kNoLeader;
    if (absl::IsDeadlineExceeded(reply.status())) last = Error::kTimeout;
    if (IsFinal(last)) return last;
  }
  return last;
}

StatusOr<PeerClient::Membership> PeerClient::GetMembers(const Urls& urls, Duration timeout) {
  Membership result;
  RETURN_IF_ERROR(AskEach(
      urls, {.method = "GET", .path = "/members"}, timeout, [&](const HttpReply& reply) -> Status {
        const std::string* const header = FindHeader(reply.headers, "X-Etcd-Cluster-ID");
        const auto id = ParseHexId(header == nullptr ? "" : *header);
        if (reply.status != kOk) return UnexpectedStatus(reply);
        if (!id) return Unusable("failed to parse cluster ID");
        result.cluster = ClusterId(*id);
        return ParseMembers(reply.body, &result.members);
      }));
  return result;
}

StatusOr<Versions> PeerClient::GetVersions(const Urls& urls, Duration timeout) {
  Versions result;
  RETURN_IF_ERROR(AskEach(urls, {.method = "GET", .path = "/version"}, timeout,
                          [&](const HttpReply& reply) -> Status {
                            const Json json = ParseJson(reply.body);
                            if (reply.status != kOk) return UnexpectedStatus(reply);
                            if (!json.is_object()) return Unusable("not a version");
                            result.server = StringField(json, "etcdserver");
                            result.cluster = StringField(json, "etcdcluster");
                            result.storage = StringField(json, "storage");
                            return absl::OkStatus();
                          }));
  return result;
}

StatusOr<bool> PeerClient::DowngradeEnabled(const Urls& urls, Duration timeout) {
  bool enabled = false;
  RETURN_IF_ERROR(AskEach(urls, {.method = "GET", .path = "/downgrade/enabled"}, timeout,
                          [&](const HttpReply& reply) -> Status {
                            if (reply.status != kOk) return UnexpectedStatus(reply);
                            enabled = reply.body == "true";
                            if (enabled || reply.body == "false") return absl::OkStatus();
                            return Unusable("neither true nor false");
                          }));
  return enabled;
}

Answer<std::vector<MemberInfo>> PeerClient::PromoteMember(const Urls& urls, MemberId id,
                                                          const std::string& token,
                                                          Duration timeout) {
  Request request = {.method = "POST", .path = StrCat("/members/promote/", id.value())};
  if (!token.empty()) request.headers.emplace_back("Authorization", token);
  Answer<std::vector<MemberInfo>> answer;
  answer.error = AskUntil(urls, request, timeout, [&](const HttpReply& reply) {
    const Error error = PromoteError(reply);
    if (error != Error::kOk) return error;
    return ParseMembers(reply.body, &answer.value).ok() ? Error::kOk : Error::kNoLeader;
  });
  return answer;
}

StatusOr<Answer<HashKvResult>> PeerClient::HashKv(const Urls& urls, ClusterId cluster,
                                                  Revision revision, Duration timeout) {
  Request request = {.method = "GET", .path = "/members/hashkv"};
  request.headers = {{"Content-Type", "application/json"}, {"X-Etcd-Cluster-ID", HexId(cluster)}};
  request.body = revision == Revision(0) ? "{}" : StrCat("{\"revision\":", revision.value(), "}");
  Answer<HashKvResult> answer;
  RETURN_IF_ERROR(AskEach(urls, request, timeout, [&](const HttpReply& reply) -> Status {
    answer.error = Error::kOk;
    if (reply.status == kOk) return ParseHashKv(reply.body, &answer.value);
    if (reply.body.find(kClusterIdMismatch) != std::string::npos) {
      answer.error = Error::kClusterIdMismatch;
      return absl::OkStatus();
    }
    for (const Error error : {Error::kCompacted, Error::kFutureRevision}) {
      if (!Says(reply, error)) continue;
      answer.error = error;
      return absl::OkStatus();
    }
    return UnexpectedStatus(reply);
  }));
  return answer;
}

Answer<int64_t> PeerClient::RenewLease(const Urls& urls, LeaseId id, Duration timeout) {
  etcdserverpb::LeaseKeepAliveRequest question;
  question.set_id(id.value());
  const Request request = {.method = "POST",
                           .path = "/leases",
                           .headers = {{"Content-Type", "application/protobuf"}},
                           .body = question.SerializeAsString()};
  Answer<int64_t> answer;
  answer.error = AskUntil(urls, request, timeout, [&](const HttpReply& reply) {
    const Error error = LeaseError(reply);
    etcdserverpb::LeaseKeepAliveResponse response;
    if (error != Error::kOk) return error;
    if (!response.ParseFromString(reply.body) || response.id() != id.value()) {
      return Error::kNoLeader;
    }
    answer.value = response.ttl();
    return Error::kOk;
  });
  return answer;
}

Answer<LeaseTtl> PeerClient::LeaseTimeToLive(const Urls& urls, LeaseId id, bool keys,
                                             Duration timeout) {
  leasepb::LeaseInternalRequest question;
  question.mutable_leasetimetoliverequest()->set_id(id.value());
  question.mutable_leasetimetoliverequest()->set_keys(keys);
  const Request request = {.method = "POST",
                           .path = "/leases/internal",
                           .headers = {{"Content-Type", "application/protobuf"}},
                           .body = question.SerializeAsString()};
  Answer<LeaseTtl> answer;
  answer.error = AskUntil(urls, request, timeout, [&](const HttpReply& reply) {
    const Error error = LeaseError(reply);
    leasepb::LeaseInternalResponse response;
    if (error != Error::kOk) return error;
    if (!response.ParseFromString(reply.body)) return Error::kNoLeader;
    const auto& lease = response.leasetimetoliveresponse();
    if (lease.id() != id.value()) return Error::kNoLeader;
    answer.value = {.ttl_seconds = lease.ttl(),
                    .granted_ttl_seconds = lease.grantedttl(),
                    .keys = {lease.keys().begin(), lease.keys().end()}};
    return Error::kOk;
  });
  return answer;
}

}  // namespace kvorum::server::peer
