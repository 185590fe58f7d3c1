#include "tests/testing/sparse_image.h"

#include <gtest/gtest.h>

#include <string>

#include "base/random.h"

namespace kvorum {
namespace {

std::string Contents(const SparseImage& image) {
  std::string out(image.size(), '?');
  EXPECT_EQ(image.Read(0, std::span<char>(out.data(), out.size())), out.size());
  return out;
}

TEST(SparseImageTest, HolesReadAsZerosAndCostNothing) {
  SparseImage image;
  image.Resize(64 << 20);
  EXPECT_EQ(image.allocated_bytes(), 0u);
  image.Write(40 << 20, "x");
  EXPECT_EQ(image.allocated_bytes(), SparseImage::kPageBytes);
  std::string out(3, '?');
  EXPECT_EQ(image.Read((40 << 20) - 1, std::span<char>(out.data(), 3)), 3u);
  EXPECT_EQ(out, std::string("\0x\0", 3));
}

TEST(SparseImageTest, WhatACutRemovedStaysRemoved) {
  SparseImage image;
  image.Write(0, std::string(10000, 'a'));
  image.Resize(5000);
  image.Resize(10000);
  EXPECT_EQ(Contents(image), std::string(5000, 'a') + std::string(5000, '\0'));
}

TEST(SparseImageTest, CopiesGoTheirOwnWays) {
  SparseImage a;
  a.Write(0, std::string(10000, 'a'));
  SparseImage b = a;
  a.Write(100, "AAA");
  b.Resize(50);
  b.Resize(60);
  EXPECT_EQ(Contents(a).substr(99, 5), "aAAAa");
  EXPECT_EQ(Contents(a).size(), 10000u);
  EXPECT_EQ(Contents(b), std::string(50, 'a') + std::string(10, '\0'));
}

TEST(SparseImageTest, SharedPageIsTheOthersUntilWritten) {
  SparseImage a;
  SparseImage b;
  a.Write(0, std::string(3 * SparseImage::kPageBytes, 'a'));
  b.Resize(a.size());
  b.SharePage(1, a);
  EXPECT_EQ(Contents(b),
            std::string(4096, '\0') + std::string(4096, 'a') + std::string(4096, '\0'));
  b.Write(4096, "b");
  EXPECT_EQ(Contents(a), std::string(3 * 4096, 'a'));
  b.SharePage(1, SparseImage());  // a hole
  EXPECT_EQ(Contents(b), std::string(3 * 4096, '\0'));
}

TEST(SparseImageTest, BehavesLikeAString) {
  const auto random = NewSeededRandom(1);
  SparseImage image;
  std::string model;
  for (int i = 0; i < 3000; ++i) {
    if (random->Uniform(10) == 0) {
      model.resize(random->Uniform(20000));
      image.Resize(model.size());
    } else {
      const uint64_t offset = random->Uniform(15000);
      const std::string bytes(random->Uniform(6000), static_cast<char>('a' + i % 26));
      if (!bytes.empty()) model.resize(std::max<size_t>(model.size(), offset + bytes.size()));
      model.replace(offset <= model.size() ? offset : model.size(), bytes.size(), bytes);
      image.Write(offset, bytes);
    }
    ASSERT_EQ(Contents(image), model) << "step " << i;
  }
}

}  // namespace
}  // namespace kvorum
