#include "server/corruption/member_hashes.h"

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <memory>
#include <utility>

#include "base/log.h"
#include "server/own_call.h"

namespace kvorum::server {
namespace {

// Kept by the answers still to come.
struct Round {
  absl::Mutex mutex;
  std::vector<PeerHash> answers ABSL_GUARDED_BY(mutex);
  size_t missing ABSL_GUARDED_BY(mutex) = 0;
  PeerHashes::OnAnswers done;
};

void OnAnswer(Round& round, MemberId id, const peer::Answer<peer::HashKvResult>& answer) {
  PeerHash hash{.id = id, .hash = std::nullopt};
  if (answer.error == Error::kOk) {
    hash.hash = {.hash = answer.value.hash,
                 .revision = Revision(answer.value.hash_revision),
                 .compacted = Revision(answer.value.compact_revision)};
  } else {
    LOG_WARN("failed hash kv request", {"remote-peer-id", HexId(id)},
             {"error", TextOf(answer.error)});
  }
  std::vector<PeerHash> all;
  {
    absl::MutexLock lock(&round.mutex);
    round.answers.push_back(std::move(hash));
    if (--round.missing > 0) return;
    all.swap(round.answers);
  }
  round.done(std::move(all));
}

}  // namespace

void MemberHashes::Ask(Revision revision, OnAnswers done) {
  std::vector<MemberInfo> others = membership_.Members();
  std::erase_if(others, [&](const MemberInfo& m) { return m.id == membership_.self(); });
  if (others.empty()) return done({});
  auto round = std::make_shared<Round>();
  round->done = std::move(done);
  {
    absl::MutexLock lock(&round->mutex);
    round->missing = others.size();
  }
  for (const MemberInfo& member : others) {
    peers_.HashKv(member.peer_urls, revision,
                  [round, id = member.id](const peer::Answer<peer::HashKvResult>& answer) {
                    OnAnswer(*round, id, answer);
                  });
  }
}

}  // namespace kvorum::server
