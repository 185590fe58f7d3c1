#include "api/http/gzip.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>

namespace kvorum::api {
namespace {

TEST(GzipTest, IsChosenAsGoChooses) {
  EXPECT_TRUE(PrefersGzip("gzip"));
  EXPECT_TRUE(PrefersGzip("deflate, GZIP;q=0.5"));
  EXPECT_TRUE(PrefersGzip("gzip;q=1.0, identity; q=0.5"));
  EXPECT_FALSE(PrefersGzip(""));
  EXPECT_FALSE(PrefersGzip("br, zstd"));
  EXPECT_FALSE(PrefersGzip("gzip;q=0"));
  EXPECT_FALSE(PrefersGzip("gzip;q=x"));
  EXPECT_FALSE(PrefersGzip("*"));
  EXPECT_FALSE(PrefersGzip("gzip, identity"));
}

std::string Gunzip(const std::string& compressed, size_t size) {
  std::string text(size, '\0');
  z_stream stream = {};
  inflateInit2(&stream, 15 + 16);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
  stream.avail_in = static_cast<uInt>(compressed.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  EXPECT_EQ(stream.total_out, size);
  inflateEnd(&stream);
  return text;
}

TEST(GzipTest, WhatIsCompressedComesBack) {
  std::string text;
  for (int i = 0; i < 100000; ++i) text += std::to_string(i * 7919);
  const std::string compressed = Gzip(text);
  EXPECT_LT(compressed.size(), text.size() / 2);
  EXPECT_EQ(Gunzip(compressed, text.size()), text);
  EXPECT_EQ(Gunzip(Gzip(""), 0), "");
}

}  // namespace
}  // namespace kvorum::api
