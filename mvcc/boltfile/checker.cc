#include "mvcc/boltfile/checker.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "mvcc/boltfile/reader.h"

namespace kvorum::mvcc::boltfile {

namespace {

// In a freelist page's `count`: the true count is the first of the ids.
constexpr uint16_t kLongFreelist = 0xFFFF;
constexpr size_t kIdBytes = 8;
constexpr uint64_t kIdsAtOnce = 8192;

Status PageError(PageId id, std::string_view what) {
  return absl::DataLossError("page " + std::to_string(id) + ": " + std::string(what));
}

class PageMap {
 public:
  explicit PageMap(uint64_t pages) : used_(pages) {}

  // REQUIRES: the pages are of the file.
  Status Use(PageId first, uint64_t n) {
    for (PageId id = first; id < first + n; ++id) {
      if (used_[id]) return PageError(id, "multiple references");
      used_[id] = true;
    }
    return absl::OkStatus();
  }
  uint64_t size() const { return used_.size(); }
  uint64_t used() const { return std::count(used_.begin(), used_.end(), true); }
  // The first page in no use; size() for none.
  PageId FirstUnused() const {
    return std::find(used_.begin(), used_.end(), false) - used_.begin();
  }

 private:
  std::vector<bool> used_;
};

class FreelistChecker {
 public:
  FreelistChecker(File& file, const Meta& meta, PageMap* map)
      : file_(file), meta_(meta), map_(*map) {}

  Status Run();
  // Of the free pages.
  uint64_t ids() const { return ids_; }

 private:
  StatusOr<std::string> Read(uint64_t offset, size_t bytes);
  Status ReadHeader();
  Status UseFree(std::string_view ids);

  File& file_;
  const Meta& meta_;
  PageMap& map_;
  const uint64_t begin_ = meta_.freelist * meta_.page_bytes;
  uint64_t skipped_ = 0;  // words before the ids
  uint64_t ids_ = 0;
  PageId last_ = 0;
};

StatusOr<std::string> FreelistChecker::Read(uint64_t offset, size_t bytes) {
  std::string out(bytes, '\0');
  ASSIGN_OR_RETURN(const size_t n, file_.ReadAt(offset, out));
  if (n < bytes) return PageError(meta_.freelist, "beyond the end of the file");
  return out;
}

Status FreelistChecker::ReadHeader() {
  if (meta_.freelist < kFirstDataPage || meta_.freelist >= meta_.pages) {
    return PageError(meta_.freelist, "the freelist is not in the database");
  }
  ASSIGN_OR_RETURN(const std::string bytes, Read(begin_, kPageHeaderBytes + kIdBytes));
  const auto header = Load<PageHeader>(bytes);
  if (header.id != meta_.freelist || header.flags != kFreelistPage) {
    return PageError(meta_.freelist, "not a freelist");
  }
  if (header.overflow >= meta_.pages - meta_.freelist) {
    return PageError(meta_.freelist, "overflows the database");
  }
  if (header.count == kLongFreelist) skipped_ = 1;
  ids_ = skipped_ == 0 ? header.count : ReadLittleEndian64(bytes.substr(kPageHeaderBytes));
  const uint64_t pages = uint64_t{header.overflow} + 1;
  if (ids_ > (pages * meta_.page_bytes - kPageHeaderBytes) / kIdBytes - skipped_) {
    return PageError(meta_.freelist, "more ids than there is room for");
  }
  return map_.Use(meta_.freelist, pages);
}

Status FreelistChecker::UseFree(std::string_view ids) {
  for (; !ids.empty(); ids.remove_prefix(kIdBytes)) {
    const PageId id = ReadLittleEndian64(ids);
    if (id < kFirstDataPage || id >= meta_.pages) return PageError(id, "free, but not there");
    if (id <= last_) return PageError(id, "out of order in the freelist");
    last_ = id;
    RETURN_IF_ERROR(map_.Use(id, 1), "freelist");
  }
  return absl::OkStatus();
}

Status FreelistChecker::Run() {
  RETURN_IF_ERROR(ReadHeader());
  const uint64_t first = begin_ + kPageHeaderBytes + skipped_ * kIdBytes;
  for (uint64_t done = 0; done < ids_; done += kIdsAtOnce) {
    const uint64_t n = std::min(kIdsAtOnce, ids_ - done);
    ASSIGN_OR_RETURN(const std::string ids, Read(first + done * kIdBytes, n * kIdBytes));
    RETURN_IF_ERROR(UseFree(ids));
  }
  if (const PageId id = map_.FirstUnused(); id < map_.size()) {
    return PageError(id, "unreachable unfreed");
  }
  return absl::OkStatus();
}

}  // namespace

StatusOr<CheckReport> Check(File& file) {
  ASSIGN_OR_RETURN(const Meta meta, ReadMeta(file));
  PageMap map(meta.pages);
  RETURN_IF_ERROR(map.Use(0, kFirstDataPage));
  const auto observer = [&map](PageId id, uint64_t pages) { return map.Use(id, pages); };
  ASSIGN_OR_RETURN(const Reader reader, Reader::Open(file, observer));
  CheckReport report{.pages = meta.pages, .buckets = reader.buckets().size()};
  for (const BucketInfo& bucket : reader.buckets()) {
    Cursor cursor = reader.NewCursor(bucket, observer);
    for (cursor.SeekToFirst(); cursor.Valid(); cursor.Next()) ++report.rows;
    RETURN_IF_ERROR(cursor.status());
  }
  if (meta.freelist != kNoFreelist) {
    FreelistChecker freelist(file, meta, &map);
    RETURN_IF_ERROR(freelist.Run());
    report.free = freelist.ids();
  }
  report.reachable = map.used() - report.free;
  return report;
}

}  // namespace kvorum::mvcc::boltfile
