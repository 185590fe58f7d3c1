#pragma once
// Replaying: records, in order, into the state of a log. Pure but for the decoder it reads from.
//
// Follows ReadAll in etcd server/storage/wal/wal.go.

#include <string>

#include "base/status.h"
#include "wal/decoder.h"
#include "wal/wal.h"

namespace kvorum::wal {

// A Replay, and what only the Wal needs to go on writing.
struct ReplayedLog {
  Replay replay;
  std::string metadata_bytes;
  Index last_index;
};

// Reads to the end of the last segment. On error `*log` holds what came before: a reader that
// tolerates a torn end uses that. DataLoss for a gap in the entries, metadata that changes, a
// snapshot record that contradicts `start`, or a record of unknown kind.
Status ReplayRecords(Decoder& decoder, const WalSnapshot& start, ReplayedLog* log);

// The message of a record's data, or DataLoss.
StatusOr<LogEntry> DecodeEntry(std::string_view data);
StatusOr<HardState> DecodeState(std::string_view data);
StatusOr<WalSnapshot> DecodeSnapshot(std::string_view data);
StatusOr<Metadata> DecodeMetadata(std::string_view data);

}  // namespace kvorum::wal
