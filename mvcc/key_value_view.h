#pragma once
// Reading and writing canonical KeyValue bytes without a protobuf object.
//
// Canonical: mvccpb.KeyValue in field order key, create_revision, mod_revision, version, value,
// lease, zero fields left out; a tombstone's row has only the key. These bytes are what the `key`
// bucket stores, what the hashes cover and what Range and watch replies splice in undecoded, so
// they must be equal on every member and to the reference's.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/types.h"
#include "mvcc/revision.h"

namespace kvorum::mvcc {

// The fields of one KeyValue. The views point into the bytes it was parsed from (or that the caller
// holds) and live as long as those.
struct KeyValueView {
  std::string_view key;
  Revision create_revision;
  Revision mod_revision;
  int64_t version = 0;
  std::string_view value;
  LeaseId lease;

  // Nothing when `bytes` is not a KeyValue. Unknown fields are skipped. Costs about 20 ns.
  static std::optional<KeyValueView> Parse(std::string_view bytes);

  // The canonical bytes.
  std::string Encode() const;
};

}  // namespace kvorum::mvcc
