#include "mvcc/boltfile/writer.h"

#include <gtest/gtest.h>

#include "mvcc/boltfile/checker.h"
#include "tests/mvcc/boltfile/bolt_image.h"
#include "tests/testing/expect_ok.h"

namespace kvorum::mvcc::boltfile {
namespace {

PageHeader HeaderOf(const std::string& image, PageId page) {
  return Load<PageHeader>(std::string_view(image).substr(page * kPageBytes));
}

void ExpectRoundTrip(const Buckets& buckets) {
  ASSERT_OK_AND_ASSIGN(const std::string image, WriteImage(buckets));
  EXPECT_EQ(image.size() % kPageBytes, 0u);
  ASSERT_OK_AND_ASSIGN(const Buckets read, ReadImage(image));
  EXPECT_TRUE(read == buckets);
  StringFile file(image);
  ASSERT_OK_AND_ASSIGN(const CheckReport report, Check(file));
  EXPECT_EQ(report.reachable, report.pages);  // nothing is free
}

TEST(BoltWriterTest, AFileWithoutBucketsIsFourPages) {
  ASSERT_OK_AND_ASSIGN(const std::string image, WriteImage({}));
  EXPECT_EQ(image.size(), 4 * kPageBytes);
  EXPECT_TRUE(ReadImage(image)->empty());
}

// As the example in format.md.
TEST(BoltWriterTest, ASmallFileIsAsInTheDescription) {
  ASSERT_OK_AND_ASSIGN(const std::string image, WriteImage({{"b", {{"key", "value"}}}, {"e", {}}}));
  const std::string expected(
      "\x03\0\0\0\0\0\0\0\x02\0\x02\0\0\0\0\0"          // page 3: leaf, 2 elements
      "\x01\0\0\0\x20\0\0\0\x01\0\0\0\x38\0\0\0"        // bucket at +32, key 1, value 56 bytes
      "\x01\0\0\0\x49\0\0\0\x01\0\0\0\x20\0\0\0"        // bucket at +73, key 1, value 32 bytes
      "b"                                               //
      "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"                // root 0: inline, sequence 0
      "\0\0\0\0\0\0\0\0\x02\0\x01\0\0\0\0\0"            // leaf, 1 element
      "\0\0\0\0\x10\0\0\0\x03\0\0\0\x05\0\0\0keyvalue"  //
      "e"                                               //
      "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"                //
      "\0\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0",             // leaf, no elements
      138);
  EXPECT_EQ(image.substr(3 * kPageBytes, expected.size()), expected);
  EXPECT_EQ(image.find_first_not_of('\0', 3 * kPageBytes + expected.size()), std::string::npos);
}

TEST(BoltWriterTest, MetasAreEqualButForTheirTransaction) {
  const std::string image = *WriteImage({{"b", {}}});
  const auto meta = [&](size_t page) {
    return *ParseMeta(image.substr(page * kPageBytes + kPageHeaderBytes, 64));
  };
  EXPECT_EQ(HeaderOf(image, 0).id, 0u);
  EXPECT_EQ(HeaderOf(image, 1).id, 1u);
  EXPECT_EQ(HeaderOf(image, 0).flags, kMetaPage);
  EXPECT_EQ(meta(0).txid, 2u);
  EXPECT_EQ(meta(1).txid, 1u);
  for (const size_t page : {0, 1}) {
    EXPECT_EQ(meta(page).pages, 4u);
    EXPECT_EQ(meta(page).root, 3u);
    EXPECT_EQ(meta(page).freelist, 2u);
    EXPECT_EQ(meta(page).page_bytes, kPageBytes);
  }
  EXPECT_EQ(HeaderOf(image, 2).flags, kFreelistPage);
  EXPECT_EQ(HeaderOf(image, 2).count, 0);
}

TEST(BoltWriterTest, ABucketIsInlineUpToAQuarterOfAPage) {
  const auto pages = [](size_t value) {
    return Size({{"b", {{"k", std::string(value, 'v')}}}})->pages;
  };
  constexpr size_t kFits = kPageBytes / 4 - kPageHeaderBytes - kElementBytes - 1;
  EXPECT_EQ(pages(kFits), 4u);
  EXPECT_EQ(pages(kFits + 1), 5u);
}

TEST(BoltWriterTest, LeavesAreFilledToTheLastByte) {
  // Sixteen rows and the header take a page exactly.
  constexpr size_t kValue = (kPageBytes - kPageHeaderBytes) / 16 - kElementBytes - 7;
  static_assert(16 * (kElementBytes + 7 + kValue) + kPageHeaderBytes == kPageBytes);
  const std::string value(kValue, 'v');
  EXPECT_EQ(Size({{"b", NumberedRows(16, value)}})->pages, 5u);
  EXPECT_EQ(Size({{"b", NumberedRows(17, value)}})->pages, 7u);
  ExpectRoundTrip({{"b", NumberedRows(160, value)}});
}

TEST(BoltWriterTest, ARowLargerThanAPageTakesSeveral) {
  const auto pages = [](size_t value) {
    return Size({{"b", {{"k", std::string(value, 'v')}}}})->pages - 4;
  };
  constexpr size_t kRest = kPageHeaderBytes + kElementBytes + 1;
  EXPECT_EQ(pages(kPageBytes - kRest), 1u);
  EXPECT_EQ(pages(kPageBytes - kRest + 1), 2u);
  EXPECT_EQ(pages(2 * kPageBytes - kRest), 2u);
  EXPECT_EQ(pages(2 * kPageBytes - kRest + 1), 3u);
  const std::string image = *WriteImage({{"b", {{"k", std::string(20'000, 'v')}}}});
  EXPECT_EQ(HeaderOf(image, 3).overflow, 4u);
}

TEST(BoltWriterTest, LargeRowsBetweenSmallOnesKeepTheirOrder) {
  Rows rows = NumberedRows(3000, "small");
  for (size_t i = 0; i < 3000; i += 7) rows[NumberedKey(i)] = std::string(4000 + i, 'L');
  ExpectRoundTrip({{"a", {}}, {"b", rows}, {"c", {{"k", "v"}}}});
}

// Every branch has two children at least, whatever number is left over at the end of each level.
TEST(BoltWriterTest, NoBranchHasASingleChild) {
  for (size_t leaves = 1; leaves < 420; ++leaves) {
    const std::string image = *WriteImage({{"b", NumberedRows(leaves, std::string(4000, 'v'))}});
    StringFile file(image);
    ASSERT_EQ(Check(file)->rows, leaves);
    const PageId root = Reader::Open(file)->FindBucket("b")->root.page;
    EXPECT_EQ(HeaderOf(image, root).flags, leaves == 1 ? kLeafPage : kBranchPage);
    for (PageId page = 3; page < image.size() / kPageBytes; ++page) {
      if (HeaderOf(image, page).flags != kBranchPage) continue;
      ASSERT_GE(HeaderOf(image, page).count, 2) << leaves << " leaves, page " << page;
    }
  }
}

TEST(BoltWriterTest, BranchesOfTheLongestKeysHaveTwoChildrenAndMore) {
  for (size_t n = 1; n < 20; ++n) {
    Rows rows;
    for (size_t i = 0; i < n; ++i) {
      rows[NumberedKey(i) + std::string(kKeyBytesMax - 7, 'k')] = "value";
    }
    ExpectRoundTrip({{"b", rows}});
  }
}

TEST(BoltWriterTest, TheTreeOfBucketsMayTakeSeveralPages) {
  Buckets buckets;
  for (size_t i = 0; i < 600; ++i) buckets[NumberedKey(i)] = {{"k", std::string(i, 'v')}};
  ExpectRoundTrip(buckets);
}

TEST(BoltWriterTest, RowsThatBboltCouldNotHoldAreRefused) {
  Writer writer;
  ASSERT_OK(writer.StartBucket("b"));
  EXPECT_CODE(kInvalidArgument, writer.Add("", "v"));
  EXPECT_CODE(kInvalidArgument, writer.Add(std::string(kKeyBytesMax + 1, 'k'), "v"));
  ASSERT_OK(writer.Add("b", "v"));
  EXPECT_CODE(kInvalidArgument, writer.Add("b", "v"));
  EXPECT_CODE(kInvalidArgument, writer.Add("a", "v"));
  EXPECT_OK(writer.Add("c", ""));
}

TEST(BoltWriterTest, BucketsWithoutANameOrOutOfOrderAreRefused) {
  EXPECT_CODE(kInvalidArgument, Size({{"", {}}}));
  Writer writer;
  ASSERT_OK(writer.StartBucket("b"));
  ASSERT_OK(writer.StartBucket("a"));
  EXPECT_CODE(kInvalidArgument, writer.Finish());
}

// What was announced is never exceeded, and what does not fit it is told.
TEST(BoltWriterTest, PassesThatDifferAreAnError) {
  const Buckets small{{"b", NumberedRows(100, "v")}};
  const Buckets large{{"b", NumberedRows(1000, "v")}};
  const auto write = [](const Buckets& sized, const Buckets& written, size_t* bytes) -> Status {
    Writer writer(*Size(sized), [bytes](std::string_view piece) {
      *bytes += piece.size();
      return absl::OkStatus();
    });
    RETURN_IF_ERROR(Feed(written, &writer));
    return writer.Finish().status();
  };
  size_t bytes = 0;
  EXPECT_CODE(kInternal, write(small, large, &bytes));
  EXPECT_LE(bytes, Size(small)->bytes());
  EXPECT_CODE(kInternal, write(large, small, &bytes));
}

TEST(BoltWriterTest, TheSinksErrorIsPassedOn) {
  const Buckets buckets{{"b", NumberedRows(1000, "v")}};
  const FileLayout layout = *Size(buckets);
  for (int nth = 0; nth < static_cast<int>(layout.pages); ++nth) {
    int calls = 0;
    Writer writer(layout, [&](std::string_view) -> Status {
      return calls++ == nth ? absl::ResourceExhaustedError("full") : absl::OkStatus();
    });
    Status status = Feed(buckets, &writer);
    if (status.ok()) status = writer.Finish().status();
    EXPECT_CODE(kResourceExhausted, status);
    EXPECT_EQ(calls, nth + 1);
  }
}

// A hundred thousand rows of the `key` bucket's shape, and what is held of them.
TEST(BoltWriterTest, MemoryDoesNotGrowWithTheRows) {
  constexpr size_t kBound = 64 << 10;
  Writer writer;
  ASSERT_OK(writer.StartBucket("key"));
  const std::string value(100, 'v');
  for (size_t i = 0; i < 100'000; ++i) {
    ASSERT_OK(writer.Add("0123456789" + NumberedKey(i), value));
    ASSERT_LE(writer.memory_bytes(), kBound);
  }
  EXPECT_GT(writer.Finish()->pages, 3000u);
}

}  // namespace
}  // namespace kvorum::mvcc::boltfile
