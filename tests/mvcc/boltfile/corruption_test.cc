// Files with anything wrong in them: the reader answers with a status or with rows, and in bounds.
#include <gtest/gtest.h>

#include "base/random.h"
#include "tests/mvcc/boltfile/bolt_image.h"
#include "tests/mvcc/boltfile/use_image.h"
#include "tests/testing/expect_ok.h"

namespace kvorum::mvcc::boltfile {
namespace {

// Of a page: the header and the first elements, where a change means most.
constexpr size_t kDenseBytes = 96;

// Metas that fit what they say now, so that what follows is looked at.
void RepairMetas(std::string* image) {
  for (const size_t page : {0, 1}) {
    const size_t at = page * kPageBytes + kPageHeaderBytes;
    const auto number = [&](size_t offset) {
      return ReadLittleEndian64(std::string_view(*image).substr(at + offset));
    };
    const std::string meta = EncodeMeta({.page_bytes = static_cast<uint32_t>(number(8)),
                                         .root = number(16),
                                         .root_sequence = number(24),
                                         .freelist = number(32),
                                         .pages = number(40),
                                         .txid = number(48)});
    image->replace(at, meta.size(), meta);
  }
}

// An inline bucket, a leaf, a tree of three levels, a row of several pages.
const std::string& Image() {
  static const std::string image = [] {
    Rows tree;
    for (size_t i = 0; i < 12; ++i) tree[NumberedKey(i) + std::string(1500, 'k')] = "v";
    return *WriteImage({{"inline", {{"k", "v"}, {"l", "w"}}},
                        {"leaf", NumberedRows(40, std::string(30, 'v'))},
                        {"row", {{"k", std::string(10'000, 'v')}}},
                        {"tree", tree}});
  }();
  return image;
}

TEST(BoltCorruptionTest, TheImageItselfIsWhole) {
  EXPECT_OK(ReadBuckets(Image()));
  EXPECT_OK(UseImage(Image()));
}

TEST(BoltCorruptionTest, AnyByteOfTheHeadersMayBeAnything) {
  for (size_t page = 0; page < Image().size(); page += kPageBytes) {
    for (size_t i = 0; i < kDenseBytes; ++i) {
      for (const int value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
        std::string image = Image();
        image[page + i] = static_cast<char>(value);
        (void)UseImage(image);
        RepairMetas(&image);
        (void)UseImage(image);
      }
    }
  }
}

TEST(BoltCorruptionTest, ATruncatedFileIsNotTaken) {
  for (size_t size = 0; size < Image().size(); size += 61) {
    const std::string image = Image().substr(0, size);
    EXPECT_CODE(kDataLoss, ReadBuckets(image));
    EXPECT_CODE(kDataLoss, UseImage(image));
  }
}

TEST(BoltCorruptionTest, PagesMayChangePlaces) {
  const size_t pages = Image().size() / kPageBytes;
  for (size_t a = 2; a < pages; ++a) {
    for (size_t b = 2; b < pages; ++b) {
      std::string image = Image();
      image.replace(a * kPageBytes, kPageBytes, Image(), b * kPageBytes, kPageBytes);
      // Also as if it belonged there.
      Patch(&image, a * kPageBytes, uint64_t{a});
      (void)UseImage(image);
    }
  }
}

class BoltRandomCorruptionTest : public ::testing::TestWithParam<int> {};

TEST_P(BoltRandomCorruptionTest, ManyBytesMayBeWrong) {
  const auto random = NewSeededRandom(GetParam());
  for (int round = 0; round < 500; ++round) {
    std::string image = Image();
    for (uint64_t n = 1 + random->Uniform(6); n > 0; --n) {
      const uint64_t page = random->Uniform(image.size() / kPageBytes);
      const uint64_t at = page * kPageBytes + random->Uniform(random->Uniform(2) == 0 ? 96 : 4096);
      if (random->Uniform(2) == 0) {
        image[at] = static_cast<char>(random->Next());
      } else {
        // A small number at the place of a size, an id or a position.
        Patch(&image, at & ~uint64_t{3}, static_cast<uint32_t>(random->Uniform(5000)));
      }
    }
    RepairMetas(&image);
    (void)UseImage(image);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, BoltRandomCorruptionTest, ::testing::Range(0, 8));

}  // namespace
}  // namespace kvorum::mvcc::boltfile
