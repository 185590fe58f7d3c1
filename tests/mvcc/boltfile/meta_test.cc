#include "mvcc/boltfile/meta.h"

#include <gtest/gtest.h>

#include "tests/mvcc/boltfile/bolt_image.h"
#include "tests/testing/expect_ok.h"

namespace kvorum::mvcc::boltfile {
namespace {

using ::kvorum::ReadLittleEndian64;

// The numbers of a database that etcd 3.7.1 wrote.
constexpr Meta kOfEtcd{.page_bytes = 4096, .root = 3, .pages = 5, .txid = 28};
constexpr size_t kChecksumOffset = 56;

// A file of empty pages with `meta` on page `page`.
void PutMeta(std::string* image, const Meta& meta, size_t page) {
  image->resize(std::max<size_t>(image->size(), meta.pages * meta.page_bytes));
  image->replace(page * meta.page_bytes + kPageHeaderBytes, 64, EncodeMeta(meta));
}

StatusOr<Meta> Read(std::string_view image) {
  StringFile file(image);
  return ReadMeta(file);
}

TEST(BoltMetaTest, ChecksumIsBbolts) {
  Meta meta = kOfEtcd;
  EXPECT_EQ(ReadLittleEndian64(EncodeMeta(meta).substr(kChecksumOffset)), 0x43f99487f76fcc79u);
  meta.txid = 27;
  EXPECT_EQ(ReadLittleEndian64(EncodeMeta(meta).substr(kChecksumOffset)), 0xdedf77b52e1c3f1eu);
}

TEST(BoltMetaTest, ComesBackAsItWas) {
  const Meta meta{.page_bytes = 16384,
                  .root = 7,
                  .root_sequence = 5,
                  .freelist = 6,
                  .pages = 9,
                  .txid = 1u << 31};
  ASSERT_OK_AND_ASSIGN(const Meta read, ParseMeta(EncodeMeta(meta)));
  EXPECT_EQ(EncodeMeta(read), EncodeMeta(meta));
}

TEST(BoltMetaTest, SaysWhatIsWrongAsBboltDoes) {
  const auto text = [](size_t offset) {
    std::string bytes = EncodeMeta(kOfEtcd);
    bytes[offset] ^= 1;
    return std::string(ParseMeta(bytes).status().message());
  };
  EXPECT_EQ(text(0), "invalid database");
  EXPECT_EQ(text(4), "version mismatch");
  for (size_t offset = 8; offset < 64; ++offset) EXPECT_EQ(text(offset), "checksum error");
  EXPECT_CODE(kDataLoss, ParseMeta(EncodeMeta(kOfEtcd).substr(1)));
}

TEST(BoltMetaTest, NumbersThatCannotBeTrueAreRefusedInSpiteOfTheChecksum) {
  const auto parse = [](auto change) {
    Meta meta = kOfEtcd;
    change(&meta);
    return ParseMeta(EncodeMeta(meta));
  };
  EXPECT_CODE(kDataLoss, parse([](Meta* m) { m->page_bytes = 0; }));
  EXPECT_CODE(kDataLoss, parse([](Meta* m) { m->page_bytes = 512; }));
  EXPECT_CODE(kDataLoss, parse([](Meta* m) { m->page_bytes = 5000; }));
  EXPECT_CODE(kDataLoss, parse([](Meta* m) { m->page_bytes = 32 << 20; }));
  EXPECT_CODE(kDataLoss, parse([](Meta* m) { m->root = 1; }));
  EXPECT_CODE(kDataLoss, parse([](Meta* m) { m->root = m->pages; }));
}

TEST(BoltMetaTest, TheNewerOfTwoCounts) {
  for (const size_t newer : {0, 1}) {
    std::string image;
    PutMeta(&image, {.page_bytes = 4096, .root = 3, .pages = 5, .txid = 8}, 1 - newer);
    PutMeta(&image, {.page_bytes = 4096, .root = 4, .pages = 5, .txid = 9}, newer);
    ASSERT_OK_AND_ASSIGN(const Meta meta, Read(image));
    EXPECT_EQ(meta.root, 4u);
  }
}

TEST(BoltMetaTest, TheOlderOneServesWhenTheNewerIsTorn) {
  for (const size_t newer : {0, 1}) {
    std::string image;
    PutMeta(&image, {.page_bytes = 4096, .root = 3, .pages = 5, .txid = 8}, 1 - newer);
    PutMeta(&image, {.page_bytes = 4096, .root = 4, .pages = 5, .txid = 9}, newer);
    image[newer * 4096 + kPageHeaderBytes + 20] ^= 1;
    ASSERT_OK_AND_ASSIGN(const Meta meta, Read(image));
    EXPECT_EQ(meta.root, 3u);
  }
}

TEST(BoltMetaTest, TheSecondIsFoundAtAnyPageSize) {
  for (uint32_t page = kPageBytesMin; page <= kPageBytesMax; page *= 2) {
    std::string image;
    PutMeta(&image, {.page_bytes = page, .root = 2, .pages = 3, .txid = 1}, 1);
    ASSERT_OK_AND_ASSIGN(const Meta meta, Read(image));
    EXPECT_EQ(meta.page_bytes, page);
  }
}

TEST(BoltMetaTest, NoneMeansTheFirstOnesError) {
  EXPECT_CODE(kDataLoss, Read(""));
  EXPECT_CODE(kDataLoss, Read(std::string(70, '\0')));
  EXPECT_EQ(Read(std::string(1 << 20, '\0')).status().message(), "invalid database");
}

TEST(BoltMetaTest, AFileMayBeLongerThanItsPagesButNotShorter) {
  std::string image;
  PutMeta(&image, kOfEtcd, 0);
  EXPECT_OK(Read(image + std::string(32, 'x')));
  image.pop_back();
  EXPECT_EQ(Read(image).status().message(), "database is cut short: 20479 bytes of 5 pages");
  PutMeta(&image, {.page_bytes = 4096, .root = 3, .pages = 5, .txid = 1}, 0);
  const std::string huge = EncodeMeta({.page_bytes = 4096, .root = 3, .pages = ~uint64_t{0}});
  image.replace(kPageHeaderBytes, 64, huge);
  EXPECT_CODE(kDataLoss, Read(image));
}

}  // namespace
}  // namespace kvorum::mvcc::boltfile
