#include "server/membership/membership.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/strings.h"
#include "server/config.h"

namespace kvorum::server {
namespace {

constexpr std::string_view kClusterVersionKey = "clusterVersion";
constexpr std::string_view kRemovedValue = "removed";

template <typename F>
Status ForEachRow(mvcc::Backend& backend, mvcc::Bucket bucket, F f) {
  const auto rows = backend.NewIterator(bucket);
  for (; rows->Valid(); rows->Next()) RETURN_IF_ERROR(f(rows->key(), rows->value()));
  return rows->status();
}

StatusOr<MemberId> ParseMemberKey(std::string_view key) {
  uint64_t id = 0;
  if (!absl::SimpleHexAtoi(ToAbsl(key), &id)) {
    return absl::DataLossError(StrCat("a member's row is named \"", key, "\""));
  }
  return MemberId(id);
}

void PutMember(const MemberInfo& member, mvcc::Batch& batch) {
  batch.Put(mvcc::Bucket::kMembers, HexId(member.id), EncodeMemberJson(member));
}

std::string NumberList(const google::protobuf::RepeatedField<uint64_t>& ids) {
  return StrCat("[", absl::StrJoin(ids, ","), "]");
}

}  // namespace

std::optional<int> ParseMinorVersion(std::string_view version) {
  const std::vector<std::string> parts = absl::StrSplit(ToAbsl(version), '.');
  int major = 0;
  int minor = 0;
  if (parts.size() < 2 || !absl::SimpleAtoi(parts[0], &major) ||
      !absl::SimpleAtoi(parts[1], &minor)) {
    return std::nullopt;
  }
  return major * 1000 + minor;
}

std::string EncodeConfStateJson(const raftpb::ConfState& state) {
  std::string out = "{";
  const auto list = [&](std::string_view name, const auto& ids) {
    if (!ids.empty()) StrAppend(&out, "\"", name, "\":", NumberList(ids), ",");
  };
  list("voters", state.voters());
  list("learners", state.learners());
  list("voters_outgoing", state.voters_outgoing());
  list("learners_next", state.learners_next());
  StrAppend(&out, "\"auto_leave\":", state.auto_leave() ? "true" : "false", "}");
  return out;
}

StatusOr<raftpb::ConfState> ParseConfStateJson(std::string_view json) {
  const auto parsed = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
  raftpb::ConfState state;
  bool good = parsed.is_object();
  const auto read = [&](const char* name, auto* ids) {
    if (!good || !parsed.contains(name) || parsed[name].is_null()) return;
    good = parsed[name].is_array();
    if (!good) return;
    for (const auto& id : parsed[name]) {
      if (!id.is_number_unsigned()) {
        good = false;
        return;
      }
      ids->Add(id.template get<uint64_t>());
    }
  };
  read("voters", state.mutable_voters());
  read("learners", state.mutable_learners());
  read("voters_outgoing", state.mutable_voters_outgoing());
  read("learners_next", state.mutable_learners_next());
  if (!good) return absl::DataLossError("a stored configuration does not parse");
  if (parsed.contains("auto_leave") && parsed["auto_leave"].is_boolean()) {
    state.set_auto_leave(parsed["auto_leave"].get<bool>());
  }
  return state;
}

Status Membership::Load(mvcc::Backend& backend) {
  absl::MutexLock lock(&mutex_);
  members_.clear();
  removed_.clear();
  cluster_version_.clear();
  RETURN_IF_ERROR(ForEachRow(
      backend, mvcc::Bucket::kMembers, [&](std::string_view key, std::string_view value) -> Status {
        mutex_.AssertHeld();
        ASSIGN_OR_RETURN(const MemberId id, ParseMemberKey(key));
        ASSIGN_OR_RETURN(MemberInfo member, ParseMemberJson(value));
        if (member.id != id) return absl::DataLossError("a member's row has another member's id");
        members_.emplace(id, std::move(member));
        return absl::OkStatus();
      }));
  RETURN_IF_ERROR(ForEachRow(backend, mvcc::Bucket::kMembersRemoved,
                             [&](std::string_view key, std::string_view) -> Status {
                               mutex_.AssertHeld();
                               ASSIGN_OR_RETURN(const MemberId id, ParseMemberKey(key));
                               removed_.insert(id);
                               return absl::OkStatus();
                             }));
  ASSIGN_OR_RETURN(const auto schema, backend.Get(mvcc::Bucket::kMeta, mvcc::kStorageVersionKey));
  storage_version_ = schema.value_or("");
  ASSIGN_OR_RETURN(const auto version, backend.Get(mvcc::Bucket::kCluster, kClusterVersionKey));
  if (!version) return absl::OkStatus();
  const auto theirs = ParseMinorVersion(*version);
  if (!theirs) {
    return absl::DataLossError(StrCat("the cluster version is \"", *version, "\""));
  }
  if (*theirs > *ParseMinorVersion(kServerVersion)) {
    return absl::FailedPreconditionError(StrCat(
        "invalid downgrade; server version is lower than determined cluster version (server ",
        kServerVersion, ", cluster ", *version, ")"));
  }
  cluster_version_ = *version;
  return absl::OkStatus();
}

bool Membership::UrlTaken(const MemberInfo& member, bool by_others_only) const {
  for (const auto& [id, known] : members_) {
    if (by_others_only && id == member.id) continue;
    for (const std::string& url : member.peer_urls) {
      if (std::find(known.peer_urls.begin(), known.peer_urls.end(), url) != known.peer_urls.end()) {
        return true;
      }
    }
  }
  return false;
}

Error Membership::AddRefusal(MemberId id, const ConfChangeContext& context, bool as_learner) const {
  const auto existing = members_.find(id);
  if (context.is_promote) {
    if (existing == members_.end()) return Error::kMemberNotFound;
    return existing->second.is_learner ? Error::kOk : Error::kMemberNotLearner;
  }
  if (existing != members_.end()) return Error::kMemberExists;
  if (UrlTaken(context.member, /*by_others_only=*/false)) return Error::kPeerUrlExists;
  const auto learners = std::count_if(members_.begin(), members_.end(),
                                      [](const auto& entry) { return entry.second.is_learner; });
  if (as_learner && learners + 1 > max_learners_) {
    return Error::kTooManyLearners;
  }
  return Error::kOk;
}

Error Membership::Refusal(const raftpb::ConfChange& change,
                          const ConfChangeContext& context) const {
  const MemberId id(change.node_id());
  if (removed_.contains(id)) return Error::kMemberNotFound;
  switch (change.type()) {
    case raftpb::ConfChangeAddNode:
      return AddRefusal(id, context, /*as_learner=*/false);
    case raftpb::ConfChangeAddLearnerNode:
      return AddRefusal(id, context, /*as_learner=*/true);
    case raftpb::ConfChangeRemoveNode:
      return members_.contains(id) ? Error::kOk : Error::kMemberNotFound;
    case raftpb::ConfChangeUpdateNode:
      if (!members_.contains(id)) return Error::kMemberNotFound;
      return UrlTaken(context.member, /*by_others_only=*/true) ? Error::kPeerUrlExists : Error::kOk;
  }
  return Error::kInternal;
}

void Membership::Change(const raftpb::ConfChange& change, const ConfChangeContext& context,
                        mvcc::Batch& batch) {
  const MemberId id(change.node_id());
  if (change.type() == raftpb::ConfChangeRemoveNode) {
    members_.erase(id);
    removed_.insert(id);
    batch.Delete(mvcc::Bucket::kMembers, HexId(id));
    batch.Put(mvcc::Bucket::kMembersRemoved, HexId(id), kRemovedValue);
    LOG_INFO("removed member", {"removed-remote-peer-id", HexId(id)});
    return;
  }
  MemberInfo& member = members_[id];
  if (change.type() == raftpb::ConfChangeUpdateNode) {
    member.peer_urls = context.member.peer_urls;
    LOG_INFO("updated member", {"updated-remote-peer-id", HexId(id)},
             {"updated-remote-peer-urls", member.peer_urls});
  } else if (context.is_promote) {
    member.is_learner = false;
    LOG_INFO("promote member", {"promoted-member-id", HexId(id)});
  } else {
    member = context.member;
    member.is_learner = change.type() == raftpb::ConfChangeAddLearnerNode;
    LOG_INFO("added member", {"added-peer-id", HexId(id)},
             {"added-peer-peer-urls", member.peer_urls},
             {"added-peer-is-learner", member.is_learner});
  }
  member.id = id;
  PutMember(member, batch);
}

StatusOr<Error> Membership::ApplyConfChange(const raftpb::ConfChange& change, mvcc::Batch& batch) {
  ConfChangeContext context;
  if (change.type() != raftpb::ConfChangeRemoveNode) {
    ASSIGN_OR_RETURN(context, ParseConfChangeContext(change.context()));
    if (context.member.id.value() != change.node_id()) {
      return absl::DataLossError("a change of the configuration names two members");
    }
  }
  absl::MutexLock lock(&mutex_);
  const Error error = Refusal(change, context);
  if (error == Error::kOk) Change(change, context, batch);
  return error;
}

void Membership::ApplyAttributes(const membershippb::ClusterMemberAttrSetRequest& request,
                                 mvcc::Batch& batch) {
  absl::MutexLock lock(&mutex_);
  const auto it = members_.find(MemberId(request.member_id()));
  if (it == members_.end()) {
    // Published just before it was removed.
    LOG_WARN("skipped attributes update of removed member",
             {"updated-peer-id", HexId(request.member_id())});
    return;
  }
  MemberInfo& member = it->second;
  member.name = request.member_attributes().name();
  member.client_urls.assign(request.member_attributes().client_urls().begin(),
                            request.member_attributes().client_urls().end());
  PutMember(member, batch);
}

void Membership::ApplyClusterVersion(const std::string& version, mvcc::Batch& batch) {
  absl::MutexLock lock(&mutex_);
  if (cluster_version_.empty()) {
    LOG_INFO("set initial cluster version", {"cluster-version", version});
  } else if (cluster_version_ != version) {
    LOG_INFO("updated cluster version", {"from", cluster_version_}, {"to", version});
  }
  cluster_version_ = version;
  batch.Put(mvcc::Bucket::kCluster, kClusterVersionKey, version);
  // Schemas older than 3.6 have no such row.
  const auto minor = ParseMinorVersion(version);
  if (minor && *minor >= 3006) {
    storage_version_ = version;
    batch.Put(mvcc::Bucket::kMeta, mvcc::kStorageVersionKey, version);
  }
}

std::vector<MemberInfo> Membership::Members() const {
  absl::MutexLock lock(&mutex_);
  std::vector<MemberInfo> members;
  members.reserve(members_.size());
  for (const auto& [id, member] : members_) members.push_back(member);
  return members;
}

std::optional<MemberInfo> Membership::Find(MemberId id) const {
  absl::MutexLock lock(&mutex_);
  const auto it = members_.find(id);
  return it == members_.end() ? std::nullopt : std::optional(it->second);
}

bool Membership::IsLearner(MemberId id) const {
  absl::MutexLock lock(&mutex_);
  const auto it = members_.find(id);
  return it != members_.end() && it->second.is_learner;
}

bool Membership::IsRemoved(MemberId id) const {
  absl::MutexLock lock(&mutex_);
  return removed_.contains(id);
}

std::vector<MemberId> Membership::Removed() const {
  absl::MutexLock lock(&mutex_);
  return {removed_.begin(), removed_.end()};
}

std::string Membership::cluster_version() const {
  absl::MutexLock lock(&mutex_);
  return cluster_version_;
}

std::string Membership::storage_version() const {
  absl::MutexLock lock(&mutex_);
  return storage_version_;
}

raftpb::ConfState Membership::conf_state() const {
  absl::MutexLock lock(&mutex_);
  raftpb::ConfState state;
  for (const auto& [id, member] : members_) {
    member.is_learner ? state.add_learners(id.value()) : state.add_voters(id.value());
  }
  state.set_auto_leave(false);
  return state;
}

}  // namespace kvorum::server
