#include "mvcc/boltfile/reader.h"

#include <gtest/gtest.h>

#include "base/check.h"
#include "mvcc/boltfile/checker.h"
#include "tests/mvcc/boltfile/bolt_image.h"
#include "tests/testing/expect_ok.h"

namespace kvorum::mvcc::boltfile {
namespace {

constexpr size_t kPage = kPageBytes;

// A file with one bucket "b" of three levels, and the places of its pages.
class BoltReaderTest : public ::testing::Test {
 protected:
  BoltReaderTest() {
    // Leaves of four rows, so that 600 leaves need three branches.
    rows_ = NumberedRows(2400, std::string(900, 'v'));
    image_ = *WriteImage({{"b", rows_}});
    StringFile file(image_);
    bucket_root_ = Reader::Open(file)->FindBucket("b")->root.page;
    branch_ = ChildOf(bucket_root_, 0);
    leaf_ = ChildOf(branch_, 0);
  }

  size_t ElementAt(PageId page, size_t i) const {
    return page * kPage + kPageHeaderBytes + i * kElementBytes;
  }
  BranchElement BranchAt(PageId page, size_t i) const {
    return Load<BranchElement>(std::string_view(image_).substr(ElementAt(page, i)));
  }
  PageId ChildOf(PageId page, size_t i) const { return BranchAt(page, i).child; }
  PageHeader HeaderOf(PageId page) const {
    return Load<PageHeader>(std::string_view(image_).substr(page * kPage));
  }
  template <typename Change>
  void ChangeHeader(PageId page, Change change) {
    PageHeader header = HeaderOf(page);
    change(&header);
    Patch(&image_, page * kPage, header);
  }
  template <typename Change>
  void ChangeRow(PageId page, size_t i, Change change) {
    auto row = Load<LeafElement>(std::string_view(image_).substr(ElementAt(page, i)));
    change(&row);
    Patch(&image_, ElementAt(page, i), row);
  }
  void SetChild(PageId page, size_t i, PageId child) {
    BranchElement branch = BranchAt(page, i);
    branch.child = child;
    Patch(&image_, ElementAt(page, i), branch);
  }
  std::string ErrorOfReading() const {
    const auto read = ReadImage(image_);
    EXPECT_CODE(kDataLoss, read);
    StringFile file(image_);
    EXPECT_CODE(kDataLoss, Check(file));
    return std::string(read.status().message());
  }
  std::string PageName(PageId page) const { return "bucket b: page " + std::to_string(page); }

  Rows rows_;
  std::string image_;
  PageId bucket_root_ = 0;
  PageId branch_ = 0;
  PageId leaf_ = 0;
};

TEST_F(BoltReaderTest, RowsComeInOrder) {
  ASSERT_EQ(HeaderOf(bucket_root_).flags, kBranchPage);
  ASSERT_EQ(HeaderOf(branch_).flags, kBranchPage);
  ASSERT_EQ(HeaderOf(leaf_).flags, kLeafPage);
  EXPECT_EQ(*ReadImage(image_), (Buckets{{"b", rows_}}));
}

TEST_F(BoltReaderTest, OnlyTheFileUpToItsLastPageCounts) {
  EXPECT_EQ(*ReadImage(image_ + std::string(32, '\xff')), (Buckets{{"b", rows_}}));
  EXPECT_CODE(kDataLoss, ReadImage(image_.substr(0, image_.size() - 1)));
}

TEST_F(BoltReaderTest, BucketsAreFoundByName) {
  StringFile file(image_);
  ASSERT_OK_AND_ASSIGN(const Reader reader, Reader::Open(file));
  ASSERT_NE(reader.FindBucket("b"), nullptr);
  EXPECT_EQ(reader.FindBucket("a"), nullptr);
  EXPECT_EQ(reader.FindBucket("c"), nullptr);
  EXPECT_EQ(reader.FindBucket(""), nullptr);
}

TEST_F(BoltReaderTest, AChildOutsideTheFileIsRefused) {
  SetChild(bucket_root_, 1, image_.size() / kPage);
  const std::string page = std::to_string(image_.size() / kPage);
  EXPECT_EQ(ErrorOfReading(),
            "bucket b: page " + page + ": not among the " + page + " of the database");
}

TEST_F(BoltReaderTest, AMetaIsNoNode) {
  SetChild(bucket_root_, 0, 1);
  EXPECT_NE(ErrorOfReading().find("page 1: not among"), std::string::npos);
}

TEST_F(BoltReaderTest, AFreelistIsNoNode) {
  SetChild(bucket_root_, 0, 2);
  EXPECT_EQ(ErrorOfReading(), PageName(2) + ": neither branch nor leaf: flags 16");
}

TEST_F(BoltReaderTest, ACircleIsRefused) {
  SetChild(branch_, 0, bucket_root_);
  EXPECT_EQ(ErrorOfReading(), "bucket b: tree is too deep, or a circle");
}

TEST_F(BoltReaderTest, APageMetTwiceIsRefused) {
  SetChild(branch_, 1, leaf_);
  EXPECT_EQ(ErrorOfReading(), "bucket b: keys out of order in a leaf");
}

TEST_F(BoltReaderTest, ABranchMetTwiceIsRefused) {
  SetChild(bucket_root_, 1, branch_);
  EXPECT_EQ(ErrorOfReading(),
            "bucket b: keys out of order in the branch to page " + std::to_string(leaf_));
}

TEST_F(BoltReaderTest, APageOfAnotherIdIsRefused) {
  ChangeHeader(leaf_, [](PageHeader* h) { h->id = 99; });
  EXPECT_EQ(ErrorOfReading(), PageName(leaf_) + ": identifies itself as 99");
}

TEST_F(BoltReaderTest, WrongFlagsAreRefused) {
  ChangeHeader(leaf_, [](PageHeader* h) { h->flags = kLeafPage | kBranchPage; });
  EXPECT_EQ(ErrorOfReading(), PageName(leaf_) + ": neither branch nor leaf: flags 3");
}

TEST_F(BoltReaderTest, AnEmptyLeafBelowABranchIsRefused) {
  ChangeHeader(leaf_, [](PageHeader* h) { h->count = 0; });
  EXPECT_EQ(ErrorOfReading(), PageName(leaf_) + " is empty");
}

TEST_F(BoltReaderTest, ABranchWithoutChildrenIsRefused) {
  ChangeHeader(bucket_root_, [](PageHeader* h) { h->count = 0; });
  EXPECT_EQ(ErrorOfReading(),
            "bucket b: branch page " + std::to_string(bucket_root_) + " has no children");
}

TEST_F(BoltReaderTest, AHugeCountIsRefused) {
  ChangeHeader(leaf_, [](PageHeader* h) { h->count = 0xFFFF; });
  EXPECT_EQ(ErrorOfReading(), PageName(leaf_) + ": too many elements: 65535");
}

TEST_F(BoltReaderTest, AHugeOverflowIsRefused) {
  ChangeHeader(leaf_, [](PageHeader* h) { h->overflow = 0xFFFFFFFF; });
  EXPECT_EQ(ErrorOfReading(), PageName(leaf_) + ": overflows the database");
}

TEST_F(BoltReaderTest, ElementsMustLieInThePageOneBehindTheOther) {
  const std::string whole = image_;
  const auto error = [&](auto change) {
    image_ = whole;
    ChangeRow(leaf_, 1, change);
    return ErrorOfReading();
  };
  const std::string element = PageName(leaf_) + ": element 1";
  EXPECT_EQ(error([](LeafElement* e) { e->pos -= 1; }), element + " overlaps what is before it");
  EXPECT_EQ(error([](LeafElement* e) { e->pos = 0; }), element + " overlaps what is before it");
  EXPECT_EQ(error([](LeafElement* e) { e->pos = 4096; }), element + " ends outside");
  EXPECT_EQ(error([](LeafElement* e) { e->pos = ~uint32_t{0}; }), element + " ends outside");
  EXPECT_EQ(error([](LeafElement* e) { e->value_bytes = 4096; }), element + " ends outside");
  EXPECT_EQ(error([](LeafElement* e) { e->key_bytes = ~uint32_t{0}; }), element + " ends outside");
  EXPECT_EQ(error([](LeafElement* e) { e->key_bytes = 0; }), element + " has no key");
  EXPECT_EQ(error([](LeafElement* e) { e->flags = 2; }), element + " has unknown flags");
  EXPECT_EQ(error([](LeafElement* e) { e->flags = 1; }), "bucket b: has a bucket inside");
}

TEST_F(BoltReaderTest, KeysMustAscend) {
  // The second key of the leaf becomes equal to the first.
  const size_t at = image_.find(NumberedKey(1));
  image_.replace(at, 7, NumberedKey(0));
  EXPECT_EQ(ErrorOfReading(), "bucket b: keys out of order in a leaf");
}

TEST_F(BoltReaderTest, AKeyMustBeBelowTheNextBranch) {
  const size_t at = image_.find(NumberedKey(3));
  image_.replace(at, 7, NumberedKey(4));
  EXPECT_EQ(ErrorOfReading(), "bucket b: keys out of order in a leaf");
}

TEST_F(BoltReaderTest, AKeyMustNotBeBelowItsBranch) {
  // In the branch alone: the leaf keeps its first key, which is now below.
  const size_t at = image_.find(NumberedKey(4), branch_ * kPage);
  ASSERT_LT(at, (branch_ + 1) * kPage);
  image_.replace(at, 7, NumberedKey(5));
  EXPECT_EQ(ErrorOfReading(), "bucket b: keys out of order in a leaf");
}

TEST_F(BoltReaderTest, BranchesMustAscend) {
  const size_t at = image_.find(NumberedKey(8), branch_ * kPage);
  ASSERT_LT(at, (branch_ + 1) * kPage);
  image_.replace(at, 7, NumberedKey(4));
  EXPECT_NE(ErrorOfReading().find("keys out of order behind the branch"), std::string::npos);
}

TEST(BoltReaderRootTest, AnInlineBucketIsCheckedLikeAPage) {
  const std::string whole = *WriteImage({{"b", {{"k", "v"}}}});
  StringFile file(whole);
  const TreeRoot root = Reader::Open(file)->FindBucket("b")->root;
  ASSERT_EQ(root.page, 0u);
  const auto code = [&](size_t offset, uint8_t value) {
    std::string image = whole;
    Patch(&image, root.inline_offset + offset, value);
    return ReadImage(image).status().code();
  };
  EXPECT_EQ(code(0, 1), absl::StatusCode::kDataLoss);                      // id
  EXPECT_EQ(code(8, kBranchPage), absl::StatusCode::kDataLoss);            // flags
  EXPECT_EQ(code(10, 2), absl::StatusCode::kDataLoss);                     // count
  EXPECT_EQ(code(12, 1), absl::StatusCode::kDataLoss);                     // overflow
  EXPECT_EQ(code(kPageHeaderBytes, 1), absl::StatusCode::kDataLoss);       // a bucket in it
  EXPECT_EQ(code(kPageHeaderBytes + 4, 15), absl::StatusCode::kDataLoss);  // pos
}

TEST(BoltReaderRootTest, TheRootHasBucketsOnly) {
  std::string image = *WriteImage({{"b", {{"k", "v"}}}});
  StringFile file(image);
  const PageId root = Reader::Open(file)->meta().root;
  const size_t element = root * kPage + kPageHeaderBytes;
  auto row = Load<LeafElement>(std::string_view(image).substr(element));
  row.flags = 0;
  Patch(&image, element, row);
  EXPECT_EQ(ReadImage(image).status().message(), "root bucket: has a row that is no bucket");
  row.flags = kBucketElement;
  row.value_bytes = 15;
  Patch(&image, element, row);
  EXPECT_EQ(ReadImage(image).status().message(), "root bucket: has a bucket cut short");
}

TEST(BoltReaderRootTest, ThereIsABoundOnBuckets) {
  Buckets buckets;
  for (size_t i = 0; i < Reader::kBucketsMax; ++i) buckets[NumberedKey(i)];
  EXPECT_EQ(*ReadImage(*WriteImage(buckets)), buckets);
  buckets["one more"];
  EXPECT_EQ(ReadImage(*WriteImage(buckets)).status().message(),
            "root bucket: has too many buckets");
}

// The most a cursor holds on its way through the bucket.
size_t MostHeld(std::string_view image, std::string_view bucket) {
  StringFile file(image);
  const StatusOr<Reader> reader = Reader::Open(file);
  CHECK_OK(reader.status());
  Cursor row = reader->NewCursor(*reader->FindBucket(bucket));
  size_t most = 0;
  for (row.SeekToFirst(); row.Valid(); row.Next()) most = std::max(most, row.memory_bytes());
  CHECK_OK(row.status());
  return most;
}

TEST(BoltReaderMemoryTest, APageForEachLevelIsHeld) {
  const std::string image = *WriteImage({{"b", NumberedRows(100'000, std::string(100, 'v'))}});
  EXPECT_GT(image.size(), 10u << 20);
  EXPECT_LE(MostHeld(image, "b"), 3 * (kPage + 1024));
}

TEST(BoltReaderMemoryTest, OfARowOfManyPagesItsBytesAreHeld) {
  constexpr size_t kRow = 3 << 20;
  const std::string image = *WriteImage({{"b", NumberedRows(5, std::string(kRow, 'v'))}});
  EXPECT_LE(MostHeld(image, "b"), kRow + 4 * kPage);
}

// Nothing longer is read at once, however many pages the node has.
TEST(BoltReaderMemoryTest, ANodeOfManyPagesIsReadRowByRow) {
  const Buckets buckets{{"b", {{"a", std::string(3 << 20, 'a')}, {"b", "small"}}}};
  const std::string image = *WriteImage(buckets);
  StringFile file(image);
  EXPECT_EQ(*ReadImage(file), buckets);
  EXPECT_EQ(file.longest_read(), (3u << 20) + 1);
}

}  // namespace
}  // namespace kvorum::mvcc::boltfile
