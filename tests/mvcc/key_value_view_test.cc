#include "mvcc/key_value_view.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "proto/kv.pb.h"

namespace kvorum::mvcc {
namespace {

std::string Canonical(const mvccpb::KeyValue& kv) { return kv.SerializeAsString(); }

TEST(KeyValueViewTest, EmptyIsEmpty) {
  EXPECT_EQ(KeyValueView().Encode(), "");
  const auto parsed = KeyValueView::Parse("");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->key, "");
}

TEST(KeyValueViewTest, BytesAreThoseOfTheProtobufLibrary) {
  const auto random = NewSeededRandom(1);
  const auto number = [&] {
    // Of every length, the negative ones included; often zero.
    const uint64_t shift = random->Uniform(80);
    return shift >= 64 ? int64_t{0} : static_cast<int64_t>(random->Next() >> shift);
  };
  const auto text = [&] { return std::string(random->Uniform(300), 'x'); };
  for (int i = 0; i < 2000; ++i) {
    mvccpb::KeyValue kv;
    kv.set_key(text());
    kv.set_create_revision(number());
    kv.set_mod_revision(number());
    kv.set_version(number());
    kv.set_value(text());
    kv.set_lease(number());
    const std::string bytes = Canonical(kv);
    const auto view = KeyValueView::Parse(bytes);
    ASSERT_TRUE(view);
    EXPECT_EQ(view->key, kv.key());
    EXPECT_EQ(view->create_revision.value(), kv.create_revision());
    EXPECT_EQ(view->mod_revision.value(), kv.mod_revision());
    EXPECT_EQ(view->version, kv.version());
    EXPECT_EQ(view->value, kv.value());
    EXPECT_EQ(view->lease.value(), kv.lease());
    EXPECT_EQ(view->Encode(), bytes);
  }
}

TEST(KeyValueViewTest, DamagedBytesAreRefusedOrReadWithin) {
  const std::string good = KeyValueView{.key = "key",
                                        .create_revision = Revision(1 << 20),
                                        .value = "value",
                                        .lease = LeaseId(-1)}
                               .Encode();
  for (size_t n = 0; n < good.size(); ++n) (void)KeyValueView::Parse(good.substr(0, n));
  for (size_t n = 0; n < good.size(); ++n) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      bad[n] = static_cast<char>(bad[n] ^ (1 << bit));
      (void)KeyValueView::Parse(bad);
    }
  }
  EXPECT_FALSE(
      KeyValueView::Parse("\x0a\x05"
                          "abc"));
  EXPECT_FALSE(KeyValueView::Parse("\x10"));
}

TEST(KeyValueViewTest, UnknownFieldsAreSkipped) {
  const std::string key("\x0a\x01k", 3);
  const std::string unknown(
      "\x38\x05\x42\x02xy\x49"
      "12345678"
      "\x55"
      "1234",
      20);
  const std::string bytes = unknown + key;  // the view looks into it
  const auto view = KeyValueView::Parse(bytes);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->key, "k");
}

}  // namespace
}  // namespace kvorum::mvcc
