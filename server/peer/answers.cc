#include "server/peer/answers.h"

#include <charconv>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/strings.h"
#include "proto/lease.pb.h"
#include "proto/rpc.pb.h"

namespace kvorum::server::peer {
namespace {

HttpReply ProtobufReply(const google::protobuf::MessageLite& message) {
  return {.headers = {{"Content-Type", "application/protobuf"}},
          .body = message.SerializeAsString()};
}

// `otherwise`: the status of an error that has none of its own.
HttpReply LeaseErrorReply(Error error, int otherwise) {
  int status = otherwise;
  if (error == Error::kLeaseNotFound) status = 404;
  if (error == Error::kTimeoutWaitAppliedIndex) status = 408;
  return TextReply(status, ErrorText(error));
}

}  // namespace

std::string_view ErrorText(Error error) {
  switch (error) {
    case Error::kCompacted:
      return "mvcc: required revision has been compacted";
    case Error::kFutureRevision:
      return "mvcc: required revision is a future revision";
    case Error::kLeaseNotFound:
      return "lease not found";
    case Error::kNotPrimaryLessor:
      return "not a primary lessor";
    case Error::kTimeoutWaitAppliedIndex:
      return "waiting for node to catch up its applied index has timed out";
    case Error::kMemberNotFound:
      return "membership: ID not found";
    case Error::kMemberNotLearner:
      return "membership: can only promote a learner member";
    case Error::kLearnerNotReady:
      return "etcdserver: can only promote a learner member which is in sync with leader";
    case Error::kMemberNotEnoughStarted:
      return "etcdserver: re-configuration failed due to not enough started members";
    case Error::kTimeout:
      return "etcdserver: request timed out";
    case Error::kNoLeader:
      return "etcdserver: no leader";
    case Error::kNotLeader:
      return "etcdserver: not leader";
    case Error::kLeaderChanged:
      return "etcdserver: leader changed";
    case Error::kUnhealthy:
      return "etcdserver: unhealthy cluster";
    case Error::kTooManyRequests:
      return "etcdserver: too many requests";
    case Error::kStopped:
      return "etcdserver: server stopped";
    default:
      return "etcdserver: request failed";
  }
}

std::optional<uint64_t> ParseDecimal(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string MembersJson(const std::vector<MemberInfo>& members) {
  if (members.empty()) return "null\n";
  std::string json = "[";
  for (const MemberInfo& member : members) {
    if (json.size() > 1) json.push_back(',');
    json += EncodeMemberJson(member);
  }
  return json + "]\n";
}

HttpReply PromoteReply(const Answer<std::vector<MemberInfo>>& answer) {
  switch (answer.error) {
    case Error::kOk:
      return {.headers = {{"Content-Type", "application/json"}}, .body = MembersJson(answer.value)};
    case Error::kMemberNotFound:
      return TextReply(404, ErrorText(answer.error));
    case Error::kMemberNotLearner:
    case Error::kLearnerNotReady:
      return TextReply(412, ErrorText(answer.error));
    default:
      return {.status = 500,
              .headers = {{"Content-Type", "application/json"}},
              .body = R"({"message":"Internal Server Error"})"};
  }
}

std::string VersionsJson(const Versions& versions) {
  const std::string cluster = versions.cluster.empty() ? "not_decided" : versions.cluster;
  const std::string storage = versions.storage.empty() ? "unknown" : versions.storage;
  return StrCat("{\"etcdserver\":", GoJsonString(versions.server),
                ",\"etcdcluster\":", GoJsonString(cluster), ",\"storage\":", GoJsonString(storage),
                "}");
}

std::optional<Revision> ParseHashKvRequest(std::string_view json) {
  const auto request = nlohmann::json::parse(json.begin(), json.end(), nullptr, false);
  if (request.is_null()) return Revision(0);
  if (!request.is_object()) return std::nullopt;
  const auto revision = request.find("revision");
  if (revision == request.end() || revision->is_null()) return Revision(0);
  if (!revision->is_number_integer()) return std::nullopt;
  if (revision->is_number_unsigned() && revision->get<uint64_t>() > INT64_MAX) return std::nullopt;
  return Revision(revision->get<int64_t>());
}

// Fields of value zero are left out.
std::string HashKvJson(const HashKvResult& result) {
  std::string json = "{\"header\":{";
  if (result.revision != 0) StrAppend(&json, "\"revision\":", result.revision);
  json += "}";
  if (result.hash != 0) StrAppend(&json, ",\"hash\":", result.hash);
  if (result.compact_revision != 0) {
    StrAppend(&json, ",\"compact_revision\":", result.compact_revision);
  }
  if (result.hash_revision != 0) StrAppend(&json, ",\"hash_revision\":", result.hash_revision);
  return json + "}";
}

std::optional<LeaseId> ParseRenewRequest(const std::string& body) {
  etcdserverpb::LeaseKeepAliveRequest request;
  if (!request.ParseFromString(body)) return std::nullopt;
  return LeaseId(request.id());
}

HttpReply RenewReply(LeaseId id, const Answer<int64_t>& answer) {
  if (answer.error != Error::kOk) return LeaseErrorReply(answer.error, 400);
  etcdserverpb::LeaseKeepAliveResponse response;
  response.set_id(id.value());
  response.set_ttl(answer.value);
  return ProtobufReply(response);
}

std::optional<LeaseQuestion> ParseTimeToLiveRequest(const std::string& body) {
  leasepb::LeaseInternalRequest request;
  if (!request.ParseFromString(body) || !request.has_leasetimetoliverequest()) return std::nullopt;
  return LeaseQuestion{.id = LeaseId(request.leasetimetoliverequest().id()),
                       .keys = request.leasetimetoliverequest().keys()};
}

HttpReply TimeToLiveReply(LeaseId id, const Answer<LeaseTtl>& answer) {
  if (answer.error != Error::kOk) return LeaseErrorReply(answer.error, 500);
  leasepb::LeaseInternalResponse response;
  auto& lease = *response.mutable_leasetimetoliveresponse();
  lease.mutable_header();
  lease.set_id(id.value());
  lease.set_ttl(answer.value.ttl_seconds);
  lease.set_grantedttl(answer.value.granted_ttl_seconds);
  for (const std::string& key : answer.value.keys) lease.add_keys(key);
  return ProtobufReply(response);
}

}  // namespace kvorum::server::peer
