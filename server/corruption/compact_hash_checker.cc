#include "server/corruption/compact_hash_checker.h"

#include <algorithm>
#include <map>

#include "base/log.h"
#include "base/strings.h"

namespace kvorum::server {

using mvcc::CompactionHash;

TimePoint CompactHashChecker::Step(TimePoint now) {
  if (asking_) {
    if (!answered_.load(std::memory_order_acquire)) return TimePoint::max();  // until run_soon
    asking_ = false;
    const CompactionHash& own = unchecked_[looked_at_++];
    return Compare(own, std::exchange(answers_, {})) ? End(now) : AskNext(now);
  }
  if (!round_at_) return NextRound(now);
  if (now < *round_at_) return *round_at_;
  return parts_.leads() ? Begin(now) : NextRound(now);
}

TimePoint CompactHashChecker::NextRound(TimePoint now) {
  round_at_ = now + parts_.interval;
  return *round_at_;
}

TimePoint CompactHashChecker::Begin(TimePoint now) {
  LOG_INFO("starting compact hash check", {"local-member-id", HexId(parts_.self)},
           {"timeout", parts_.timeout});
  unchecked_ = parts_.hashes();
  std::erase_if(unchecked_, [this](const auto& hash) { return hash.revision <= latest_checked_; });
  std::reverse(unchecked_.begin(), unchecked_.end());
  looked_at_ = 0;
  return AskNext(now);
}

TimePoint CompactHashChecker::AskNext(TimePoint now) {
  if (parts_.peers == nullptr) looked_at_ = unchecked_.size();
  if (looked_at_ == unchecked_.size()) return End(now);
  asking_ = true;
  answered_.store(false, std::memory_order_relaxed);
  parts_.peers->Ask(unchecked_[looked_at_].revision, [this](std::vector<PeerHash> answers) {
    answers_ = std::move(answers);
    answered_.store(true, std::memory_order_release);
    parts_.run_soon();
  });
  return TimePoint::max();
}

TimePoint CompactHashChecker::End(TimePoint now) {
  LOG_INFO("finished compaction hash check", {"number-of-hashes-checked", looked_at_});
  return NextRound(now);
}

// ---- What the answers say -----------------------------------------------------------------------

namespace {

using MembersByHash = std::map<uint32_t, std::vector<MemberId>>;

// Why an answer cannot be compared; empty if it can.
std::string SkipReason(const CompactionHash& own, const PeerHash& peer) {
  if (!peer.hash) return "no response";
  if (peer.hash->compacted == own.compacted) return "";
  return StrCat("the peer's CompactRevision ", peer.hash->compacted.value(),
                " doesn't match leader's CompactRevision ", own.compacted.value());
}

std::string HexIds(const std::vector<MemberId>& ids) {
  std::string text;
  for (const MemberId id : ids) StrAppend(&text, text.empty() ? "" : ",", HexId(id));
  return text;
}

// Takes out the hash that a majority of `members` has, if there is one.
bool TakeMajority(size_t members, MembersByHash* by_hash) {
  return std::erase_if(*by_hash,
                       [&](const auto& entry) { return entry.second.size() > members / 2; }) > 0;
}

void LogMismatch(MemberId self, const CompactionHash& own, uint32_t hash,
                 const std::vector<MemberId>& ids, bool majority) {
  LOG_ERROR("Detected compaction hash mismatch", {"leader-id", HexId(self)},
            {"leader-revision", own.revision.value()},
            {"leader-compact-revision", own.compacted.value()}, {"leader-hash", own.hash},
            {"peer-hash", hash}, {"peer-ids", HexIds(ids)}, {"quorum-exist", majority});
}

}  // namespace

bool CompactHashChecker::Compare(const CompactionHash& own, const std::vector<PeerHash>& answers) {
  if (answers.empty()) return false;
  MembersByHash by_hash = {{own.hash, {parts_.self}}};
  size_t compared = 0;
  for (const PeerHash& peer : answers) {
    if (const std::string reason = SkipReason(own, peer); !reason.empty()) {
      LOG_WARN("Skipped peer's hash", {"number-of-peers", answers.size()},
               {"leader-id", HexId(parts_.self)}, {"peer-id", HexId(peer.id)}, {"reason", reason});
      continue;
    }
    ++compared;
    by_hash[peer.hash->hash].push_back(peer.id);
  }
  if (by_hash.size() == 1) return OnEqual(own, compared, answers.size());
  const bool majority = TakeMajority(answers.size() + 1, &by_hash);
  if (!majority) {
    LOG_ERROR(
        "Detected compaction hash mismatch but cannot identify the corrupted members, so "
        "intentionally set the memberID as 0",
        {"leader-id", HexId(parts_.self)}, {"leader-revision", own.revision.value()},
        {"leader-compact-revision", own.compacted.value()}, {"leader-hash", own.hash});
    parts_.raise_corrupt(MemberId(0));
  }
  for (const auto& [hash, ids] : by_hash) {
    LogMismatch(parts_.self, own, hash, ids, majority);
    if (majority) std::for_each(ids.begin(), ids.end(), parts_.raise_corrupt);
  }
  return true;
}

bool CompactHashChecker::OnEqual(const CompactionHash& own, size_t compared, size_t peers) {
  if (compared < peers) {
    LOG_WARN("skipped revision in compaction hash check; was not able to check all peers",
             {"number-of-peers-checked", compared}, {"number-of-peers", peers},
             {"revision", own.revision.value()}, {"compactRevision", own.compacted.value()});
    return false;
  }
  LOG_INFO("successfully checked hash on whole cluster", {"number-of-peers-checked", compared},
           {"revision", own.revision.value()}, {"compactRevision", own.compacted.value()});
  latest_checked_ = std::max(latest_checked_, own.revision);
  return true;
}

}  // namespace kvorum::server
