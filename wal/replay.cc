#include "wal/replay.h"

#include <absl/strings/str_format.h>

#include "proto/etcdserver.pb.h"
#include "proto/raft.pb.h"
#include "proto/record.pb.h"
#include "wal/segment.h"

namespace kvorum::wal {
namespace {

// The checksum held, so this was written so: no torn write, but a writer unlike any we know.
template <typename Message>
Status Parse(std::string_view data, std::string_view what, Message* message) {
  if (message->ParseFromArray(data.data(), static_cast<int>(data.size()))) return absl::OkStatus();
  return absl::DataLossError(absl::StrFormat("wal: cannot parse %s record", what));
}

Status AcceptEntry(std::string_view data, const WalSnapshot& start, ReplayedLog* log) {
  ASSIGN_OR_RETURN(LogEntry entry, DecodeEntry(data));
  log->last_index = entry.index;
  auto& entries = log->replay.entries;
  if (entry.index <= start.index) {
    // It is in the snapshot, but it replaced all that stood from there on. etcd misses this: it may
    // revive an entry of an older term behind the snapshot, and vote by that one's term.
    if (entry.index > Index(0)) entries.clear();
    return absl::OkStatus();
  }

  const uint64_t slot = entry.index - start.index - 1;
  if (slot > entries.size()) {
    return absl::DataLossError(absl::StrFormat(
        "wal: slice bounds out of range, snapshot[Index: %d, Term: %d], current entry[Index: %d, "
        "Term: %d], len(ents): %d",
        start.index.value(), start.term.value(), entry.index.value(), entry.term.value(),
        entries.size()));
  }
  entries.resize(slot);  // what stood from here on was never committed
  entries.push_back(std::move(entry));
  return absl::OkStatus();
}

Status AcceptMetadata(std::string_view data, ReplayedLog* log) {
  if (!log->metadata_bytes.empty() && log->metadata_bytes != data) {
    return absl::DataLossError("wal: conflicting metadata found");
  }
  log->metadata_bytes = data;
  ASSIGN_OR_RETURN(log->replay.metadata, DecodeMetadata(data));
  return absl::OkStatus();
}

Status AcceptSnapshot(std::string_view data, const WalSnapshot& start, ReplayedLog* log) {
  ASSIGN_OR_RETURN(const WalSnapshot snapshot, DecodeSnapshot(data));
  log->last_index = std::max(log->last_index, snapshot.index);
  if (snapshot.index != start.index) return absl::OkStatus();
  if (snapshot.term != start.term) return absl::DataLossError("wal: snapshot mismatch");
  log->replay.snapshot_found = true;
  return absl::OkStatus();
}

Status Accept(const Record& record, const WalSnapshot& start, ReplayedLog* log) {
  switch (record.type) {
    case RecordType::kEntry:
      return AcceptEntry(record.data, start, log);
    case RecordType::kState: {
      ASSIGN_OR_RETURN(log->replay.hard_state, DecodeState(record.data));
      return absl::OkStatus();
    }
    case RecordType::kMetadata:
      return AcceptMetadata(record.data, log);
    case RecordType::kSnapshot:
      return AcceptSnapshot(record.data, start, log);
    case RecordType::kCrc:
      break;  // the decoder keeps those to itself
  }
  return absl::DataLossError(
      absl::StrFormat("unexpected block type %d", static_cast<int64_t>(record.type)));
}

}  // namespace

Status ReplayRecords(Decoder& decoder, const WalSnapshot& start, ReplayedLog* log) {
  for (Record record;;) {
    ASSIGN_OR_RETURN(const bool more, decoder.Next(&record));
    if (!more) break;
    RETURN_IF_ERROR(Accept(record, start, log));
  }
  // A segment gets its name after its head is durable, so no crash leaves one without. etcd goes on
  // here, as member 0.
  if (log->metadata_bytes.empty()) return absl::DataLossError("wal: no metadata record");
  return absl::OkStatus();
}

StatusOr<LogEntry> DecodeEntry(std::string_view data) {
  raftpb::Entry message;
  RETURN_IF_ERROR(Parse(data, "entry", &message));
  for (int i = 0; i < message.unknown_fields().field_count(); ++i) {
    // Where protobuf puts the value of an enum it does not know.
    if (message.unknown_fields().field(i).number() == raftpb::Entry::kTypeFieldNumber) {
      return absl::DataLossError("wal: unknown entry type");
    }
  }
  LogEntry entry{.type = static_cast<EntryType>(message.type()),
                 .term = Term(message.term()),
                 .index = Index(message.index())};
  entry.data = SharedBytes(std::move(*message.mutable_data()));
  return entry;
}

StatusOr<HardState> DecodeState(std::string_view data) {
  raftpb::HardState message;
  RETURN_IF_ERROR(Parse(data, "state", &message));
  return HardState{.term = Term(message.term()),
                   .vote = MemberId(message.vote()),
                   .commit = Index(message.commit())};
}

StatusOr<WalSnapshot> DecodeSnapshot(std::string_view data) {
  walpb::Snapshot message;
  RETURN_IF_ERROR(Parse(data, "snapshot", &message));
  WalSnapshot snapshot{.index = Index(message.index()), .term = Term(message.term())};
  if (message.has_conf_state()) snapshot.conf_state = std::move(*message.mutable_conf_state());
  return snapshot;
}

StatusOr<Metadata> DecodeMetadata(std::string_view data) {
  etcdserverpb::Metadata message;
  RETURN_IF_ERROR(Parse(data, "metadata", &message));
  return Metadata{.node = MemberId(message.nodeid()), .cluster = ClusterId(message.clusterid())};
}

StatusOr<Replay> ReadLog(Env& env, const std::string& dir, const WalSnapshot& start) {
  ASSIGN_OR_RETURN(auto names, ListSegments(env, dir));
  ASSIGN_OR_RETURN(names, SelectSegments(std::move(names), start.index));
  ASSIGN_OR_RETURN(const auto segments, OpenSegments(env, dir, names, SegmentAccess::kRead));
  ASSIGN_OR_RETURN(auto inputs, DecoderInputs(segments));
  Decoder decoder(std::move(inputs));
  ReplayedLog log;
  const Status status = ReplayRecords(decoder, start, &log);
  if (!status.ok() && !IsUnexpectedEof(status)) return status;
  if (!log.replay.snapshot_found) return absl::NotFoundError("wal: snapshot not found");
  return std::move(log.replay);
}

namespace {

StatusOr<std::vector<WalSnapshot>> ScanSnapshots(Env& env, const std::string& dir) {
  ASSIGN_OR_RETURN(const auto names, ListSegments(env, dir));
  ASSIGN_OR_RETURN(const auto segments, OpenSegments(env, dir, names, SegmentAccess::kRead));
  ASSIGN_OR_RETURN(auto inputs, DecoderInputs(segments));
  Decoder decoder(std::move(inputs));
  std::vector<WalSnapshot> snapshots;
  HardState state;
  for (Record record;;) {
    const StatusOr<bool> more = decoder.Next(&record);
    if (!more.ok() && !IsUnexpectedEof(more.status())) return more.status();
    if (!more.ok() || !*more) break;
    if (record.type == RecordType::kState) {
      ASSIGN_OR_RETURN(state, DecodeState(record.data));
    } else if (record.type == RecordType::kSnapshot) {
      ASSIGN_OR_RETURN(WalSnapshot snapshot, DecodeSnapshot(record.data));
      snapshots.push_back(std::move(snapshot));
    }
  }
  std::erase_if(snapshots, [&](const WalSnapshot& s) { return s.index > state.commit; });
  return snapshots;
}

}  // namespace

StatusOr<std::vector<WalSnapshot>> ValidSnapshotEntries(Env& env, const std::string& dir) {
  // A purge may delete a segment between listing and opening.
  constexpr int kAttempts = 3;
  StatusOr<std::vector<WalSnapshot>> snapshots;
  for (int i = 0; i < kAttempts; ++i) {
    snapshots = ScanSnapshots(env, dir);
    if (!absl::IsNotFound(snapshots.status())) break;
  }
  return snapshots;
}

}  // namespace kvorum::wal
