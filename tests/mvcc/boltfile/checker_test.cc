#include "mvcc/boltfile/checker.h"

#include <gtest/gtest.h>

#include "tests/mvcc/boltfile/bolt_image.h"
#include "tests/testing/expect_ok.h"

namespace kvorum::mvcc::boltfile {
namespace {

StatusOr<CheckReport> CheckImage(std::string_view image) {
  StringFile file(image);
  return Check(file);
}

// An image with `spare` pages behind the trees, and a freelist with `ids`.
std::string WithFree(size_t spare, const std::vector<uint64_t>& ids, bool long_count = false) {
  const FileLayout layout = *Size({{"b", {{"k", "v"}}}});
  std::string image = *WriteImage({{"b", {{"k", "v"}}}});
  image.resize(image.size() + spare * kPageBytes);
  const Meta meta{.page_bytes = kPageBytes,
                  .root = layout.root,
                  .freelist = 2,
                  .pages = layout.pages + spare,
                  .txid = 9};
  image.replace(kPageHeaderBytes, 64, EncodeMeta(meta));
  PageHeader header{.id = 2,
                    .flags = kFreelistPage,
                    .count = long_count ? uint16_t{0xFFFF} : static_cast<uint16_t>(ids.size())};
  std::string page;
  Append(&page, header);
  if (long_count) AppendLittleEndian64(&page, ids.size());
  for (const uint64_t id : ids) AppendLittleEndian64(&page, id);
  return image.replace(2 * kPageBytes, page.size(), page);
}

TEST(BoltCheckerTest, CountsWhatIsThere) {
  const std::string image = *WriteImage({{"a", {}}, {"b", NumberedRows(1000, "value")}});
  ASSERT_OK_AND_ASSIGN(const CheckReport report, CheckImage(image));
  EXPECT_EQ(report.pages, image.size() / kPageBytes);
  EXPECT_EQ(report.reachable, report.pages);
  EXPECT_EQ(report.free, 0u);
  EXPECT_EQ(report.buckets, 2u);
  EXPECT_EQ(report.rows, 1000u);
}

TEST(BoltCheckerTest, FreePagesAreOfNoUseOtherwise) {
  ASSERT_OK_AND_ASSIGN(const CheckReport report, CheckImage(WithFree(2, {4, 5})));
  EXPECT_EQ(report.free, 2u);
  EXPECT_EQ(report.reachable, 4u);
  EXPECT_OK(CheckImage(WithFree(2, {4, 5}, true)));
  const auto error = [](size_t spare, const std::vector<uint64_t>& ids) {
    return std::string(CheckImage(WithFree(spare, ids)).status().message());
  };
  EXPECT_EQ(error(2, {4}), "page 5: unreachable unfreed");
  EXPECT_EQ(error(2, {3, 4}), "freelist: page 3: multiple references");
  EXPECT_EQ(error(2, {4, 4}), "page 4: out of order in the freelist");
  EXPECT_EQ(error(2, {5, 4}), "page 4: out of order in the freelist");
  EXPECT_EQ(error(2, {4, 5, 6}), "page 6: free, but not there");
  EXPECT_EQ(error(0, {1}), "page 1: free, but not there");
}

TEST(BoltCheckerTest, TheFreelistMustBeOne) {
  const auto error = [](size_t offset, uint16_t value) {
    std::string image = WithFree(2, {4, 5}, true);
    Patch(&image, 2 * kPageBytes + offset, value);
    return std::string(CheckImage(image).status().message());
  };
  EXPECT_EQ(error(0, 7), "page 2: not a freelist");
  EXPECT_EQ(error(8, kLeafPage), "page 2: not a freelist");
  EXPECT_EQ(error(12, 9), "page 2: overflows the database");
  EXPECT_EQ(error(16, 9999), "page 2: more ids than there is room for");
  EXPECT_EQ(error(22, 0xFFFF), "page 2: more ids than there is room for");
}

TEST(BoltCheckerTest, TwoBucketsMustNotShareATree) {
  const Rows rows = NumberedRows(1000, "value");
  std::string image = *WriteImage({{"a", rows}, {"b", rows}});
  StringFile file(image);
  ASSERT_OK_AND_ASSIGN(const Reader reader, Reader::Open(file));
  // The root of b, the last thing in the root page, becomes that of a.
  const auto header = BucketHeader{.root = reader.FindBucket("a")->root.page};
  std::string old;
  Append(&old, BucketHeader{.root = reader.FindBucket("b")->root.page});
  Patch(&image, image.rfind(old), header);
  EXPECT_OK(ReadImage(image));
  const Status status = CheckImage(image).status();
  EXPECT_NE(status.message().find("multiple references"), std::string_view::npos) << status;
}

}  // namespace
}  // namespace kvorum::mvcc::boltfile
