#include "tests/server/peer/messages.h"

#include <memory>
#include <utility>

namespace kvorum::server::peer {
namespace {

// Zero, small and huge numbers alike.
uint64_t Number(Random& random) {
  const uint64_t bits = random.Uniform(65);
  return bits == 0 ? 0 : random.Next() >> (64 - bits);
}

std::string Bytes(Random& random, uint64_t max) {
  std::string bytes(random.Uniform(max + 1), '\0');
  for (char& c : bytes) c = static_cast<char>(random.Next());
  return bytes;
}

raft::SnapshotPtr RandomSnapshot(Random& random) {
  raft::Snapshot snapshot;
  snapshot.data = SharedBytes(Bytes(random, 100));
  snapshot.metadata.index = Index(Number(random));
  snapshot.metadata.term = Term(Number(random));
  for (uint64_t n = random.Uniform(4); n > 0; --n) {
    snapshot.metadata.conf_state.add_voters(Number(random));
  }
  return std::make_shared<const raft::Snapshot>(std::move(snapshot));
}

raftpb::Message ToProtobuf(const raft::Message& m) {
  raftpb::Message out;
  out.set_type(static_cast<raftpb::MessageType>(m.type));
  out.set_to(m.to.value());
  out.set_from(m.from.value());
  out.set_term(m.term.value());
  out.set_logterm(m.log_term.value());
  out.set_index(m.index.value());
  for (const raft::Entry& entry : m.entries) {
    raftpb::Entry* const e = out.add_entries();
    e->set_type(static_cast<raftpb::EntryType>(entry.type));
    e->set_term(entry.term.value());
    e->set_index(entry.index.value());
    e->set_data(std::string(entry.data.view()));
  }
  out.set_commit(m.commit.value());
  if (m.snapshot != nullptr) {
    out.mutable_snapshot()->set_data(std::string(m.snapshot->data.view()));
    raftpb::SnapshotMetadata* const metadata = out.mutable_snapshot()->mutable_metadata();
    *metadata->mutable_conf_state() = m.snapshot->metadata.conf_state;
    metadata->set_index(m.snapshot->metadata.index.value());
    metadata->set_term(m.snapshot->metadata.term.value());
  }
  out.set_reject(m.reject);
  out.set_rejecthint(m.reject_hint.value());
  out.set_context(std::string(m.context.view()));
  return out;
}

}  // namespace

raft::Entry RandomEntry(Random& random) {
  return {.type = EntryType(random.Uniform(3)),
          .term = Term(Number(random)),
          .index = Index(Number(random)),
          .data = SharedBytes(Bytes(random, 300))};
}

raft::Message RandomMessage(Random& random) {
  raft::Message m;
  m.type = raft::MessageType(random.Uniform(raft::kMessageTypeCount));
  m.to = MemberId(Number(random));
  m.from = MemberId(Number(random));
  m.term = Term(Number(random));
  m.log_term = Term(Number(random));
  m.index = Index(Number(random));
  for (uint64_t n = random.Uniform(4); n > 0; --n) m.entries.push_back(RandomEntry(random));
  m.commit = Index(Number(random));
  if (m.type == raft::MessageType::kSnap) m.snapshot = RandomSnapshot(random);
  m.reject = random.Uniform(2) == 1;
  m.reject_hint = Index(Number(random));
  m.context = SharedBytes(Bytes(random, 16));
  return m;
}

raft::Message AppendOf(Random& random, Term term, Term log_term, Index index) {
  raft::Message m = {.type = raft::MessageType::kApp,
                     .to = MemberId(2),
                     .from = MemberId(1),
                     .term = term,
                     .log_term = log_term,
                     .index = index};
  for (uint64_t n = random.Uniform(6); n > 0; --n) {
    raft::Entry entry = RandomEntry(random);
    entry.term = term;
    entry.index = index + m.entries.size() + 1;
    m.entries.push_back(std::move(entry));
  }
  m.commit = Index(Number(random));
  return m;
}

raft::Message FromProtobuf(const raftpb::Message& in) {
  raft::Message m = {.type = raft::MessageType(in.type()),
                     .to = MemberId(in.to()),
                     .from = MemberId(in.from()),
                     .term = Term(in.term()),
                     .log_term = Term(in.logterm()),
                     .index = Index(in.index())};
  for (const raftpb::Entry& e : in.entries()) {
    m.entries.push_back({.type = EntryType(e.type()),
                         .term = Term(e.term()),
                         .index = Index(e.index()),
                         .data = SharedBytes(e.data())});
  }
  m.commit = Index(in.commit());
  if (in.has_snapshot()) {
    const raftpb::SnapshotMetadata& metadata = in.snapshot().metadata();
    m.snapshot = std::make_shared<const raft::Snapshot>(
        raft::Snapshot{.metadata = {.index = Index(metadata.index()),
                                    .term = Term(metadata.term()),
                                    .conf_state = metadata.conf_state()},
                       .data = SharedBytes(in.snapshot().data())});
  }
  m.reject = in.reject();
  m.reject_hint = Index(in.rejecthint());
  m.context = SharedBytes(in.context());
  return m;
}

bool Same(const raft::Message& a, const raft::Message& b) {
  return ToProtobuf(a).SerializeAsString() == ToProtobuf(b).SerializeAsString();
}

std::string Text(const raft::Message& message) { return ToProtobuf(message).ShortDebugString(); }

}  // namespace kvorum::server::peer
