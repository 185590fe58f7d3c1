#include "mvcc/boltfile/page_output.h"

namespace kvorum::mvcc::boltfile {

StatusOr<PageId> PageOutput::Write(uint16_t flags, size_t count,
                                   std::span<const std::string_view> pieces) {
  uint64_t bytes = kPageHeaderBytes;
  for (const std::string_view piece : pieces) bytes += piece.size();
  const uint64_t pages = (bytes + kPageBytes - 1) / kPageBytes;
  if (pages > pages_max_ - next_) {
    return absl::InternalError("more rows than when the database was sized");
  }
  const PageId id = next_;
  next_ += pages;
  if (!sink_) return id;

  page_.clear();
  Append(&page_, PageHeader{.id = id,
                            .flags = flags,
                            .count = static_cast<uint16_t>(count),
                            .overflow = static_cast<uint32_t>(pages - 1)});
  for (const std::string_view piece : pieces) {
    if (piece.size() < kPageBytes) {
      page_.append(piece);
      continue;
    }
    if (!page_.empty()) RETURN_IF_ERROR(sink_(page_));
    page_.clear();
    RETURN_IF_ERROR(sink_(piece));
  }
  page_.resize(page_.size() + (pages * kPageBytes - bytes), '\0');
  if (!page_.empty()) RETURN_IF_ERROR(sink_(page_));
  return id;
}

}  // namespace kvorum::mvcc::boltfile
