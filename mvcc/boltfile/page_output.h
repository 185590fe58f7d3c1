#pragma once
// PageOutput: nodes become pages of the file, one behind the other. Internal to the writer.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"
#include "mvcc/boltfile/format.h"

namespace kvorum::mvcc::boltfile {

// Takes the file's next bytes. The view lives as long as the call.
using Sink = std::function<Status(std::string_view)>;

// Of every file written here; the page size of the hosts etcd runs on.
inline constexpr size_t kPageBytes = 4096;

// One thread.
class PageOutput {
 public:
  // Without a sink pages are counted, nothing more. `pages_max`: of the file; a node beyond is not
  // begun.
  PageOutput(Sink sink, uint64_t pages_max) : sink_(std::move(sink)), pages_max_(pages_max) {}

  // The id the next node gets.
  PageId next() const { return next_; }
  // Writes a node: the header, `pieces`, and zeros to the end of its last page. Returns its id.
  StatusOr<PageId> Write(uint16_t flags, size_t count, std::span<const std::string_view> pieces);

 private:
  const Sink sink_;
  const uint64_t pages_max_;
  PageId next_ = 0;
  std::string page_;
};

}  // namespace kvorum::mvcc::boltfile
