#pragma once
// Meta: what pages 0 and 1 say about the rest of a bbolt file.
//
// A transaction of bbolt writes new pages, syncs, and then overwrites the older of the two metas.
// So a file copied or killed at any moment has one valid meta at least, and the pages it leads to
// are whole. Follows go.etcd.io/bbolt internal/common/meta.go, db.go.

#include <cstdint>
#include <string>

#include "base/env.h"
#include "base/status.h"
#include "mvcc/boltfile/format.h"

namespace kvorum::mvcc::boltfile {

struct Meta {
  uint32_t page_bytes = 0;
  PageId root = 0;  // of the tree of buckets
  uint64_t root_sequence = 0;
  PageId freelist = kNoFreelist;
  uint64_t pages = 0;  // of the whole file; what lies beyond is garbage
  uint64_t txid = 0;
};

// The 64 bytes after the page's header, checksum included.
std::string EncodeMeta(const Meta& meta);
// DataLoss with bbolt's text ("invalid database", "version mismatch", "checksum error"), or when
// the numbers cannot be true.
StatusOr<Meta> ParseMeta(std::string_view bytes);

// The newest valid meta of the file. DataLoss when there is none, or the file is shorter than it
// says.
StatusOr<Meta> ReadMeta(File& file);

}  // namespace kvorum::mvcc::boltfile
