#pragma once
// The written forms of questions and answers between members, on the side that answers: JSON as Go
// writes it, Protobuf, status codes and texts as etcd's. Pure functions.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/errors.h"
#include "server/peer/handler.h"
#include "server/peer/http_message.h"

namespace kvorum::server::peer {

// As members write it to each other, which is not always what clients are told.
std::string_view ErrorText(Error error);

std::optional<uint64_t> ParseDecimal(std::string_view text);

std::string MembersJson(const std::vector<MemberInfo>& members);
HttpReply PromoteReply(const Answer<std::vector<MemberInfo>>& answer);
std::string VersionsJson(const Versions& versions);

std::optional<Revision> ParseHashKvRequest(std::string_view json);
std::string HashKvJson(const HashKvResult& result);

std::optional<LeaseId> ParseRenewRequest(const std::string& body);
HttpReply RenewReply(LeaseId id, const Answer<int64_t>& answer);

struct LeaseQuestion {
  LeaseId id;
  bool keys;
};
std::optional<LeaseQuestion> ParseTimeToLiveRequest(const std::string& body);
HttpReply TimeToLiveReply(LeaseId id, const Answer<LeaseTtl>& answer);

}  // namespace kvorum::server::peer
