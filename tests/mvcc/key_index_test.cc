#include "mvcc/key_index.h"

#include <gtest/gtest.h>

#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "mvcc/backend/schema.h"

namespace kvorum::mvcc {
namespace {

// A key written from a text such as "2 4 6t 8": puts and tombstones at main revisions, sub 0;
// "15.1" gives a sub revision.
class KeyIndexTest : public ::testing::Test {
 protected:
  void Write(const std::string& text) {
    std::istringstream in(text);
    for (std::string word; in >> word;) {
      const RowRevision revision{.main = Revision(std::stoll(word)),
                                 .sub = word.find('.') == std::string::npos
                                            ? 0
                                            : std::stoll(word.substr(word.find('.') + 1))};
      if (word.back() == 't') {
        key_.Tombstone(revision);
      } else {
        const std::optional<KeyMeta> latest = key_.Latest();
        key_.Put({.revision = revision,
                  .created = latest ? latest->created : revision.main,
                  .version = latest ? latest->version + 1 : 1});
      }
    }
  }
  void Compact(int64_t at) {
    key_.Compact(Revision(at), [this](const KeyIndex::Entry& e) { dropped_.push_back(e.main); });
  }
  std::string Entries() const {
    std::string text;
    for (const KeyIndex::Entry& e : key_.entries()) {
      if (!text.empty()) text += " ";
      text += std::to_string(e.main);
      if (e.sub != 0) text += "." + std::to_string(e.sub);
      if (e.tombstone) text += "t";
    }
    return text;
  }
  // "modified created version", or "-".
  std::string Find(int64_t at) const {
    const std::optional<KeyMeta> meta = key_.Find(Revision(at));
    if (!meta) return "-";
    return RevisionText(meta->modified) + " " + std::to_string(meta->created.value()) + " " +
           std::to_string(meta->version);
  }
  std::string Kept(int64_t at) const {
    const std::optional<RowRevision> kept = key_.KeptForHash(Revision(at));
    return kept ? RevisionText(*kept) : "-";
  }

  KeyIndex key_{"foo"};
  std::vector<int64_t> dropped_;
};

// Three generations, as in the reference's scenario (key_index_test.go, newTestKeyIndex).
constexpr char kThreeGenerations[] = "2 4 6t 8 10 12t 14 15.1 16t";

TEST_F(KeyIndexTest, FindsTheGenerationAndTheVersion) {
  Write(kThreeGenerations);
  const struct {
    int64_t at;
    const char* found;
  } cases[] = {{17, "-"},      {16, "-"},      {15, "15.1 14 2"}, {14, "14.0 14 1"},
               {13, "-"},      {12, "-"},      {11, "10.0 8 2"},  {10, "10.0 8 2"},
               {9, "8.0 8 1"}, {8, "8.0 8 1"}, {7, "-"},          {6, "-"},
               {5, "4.0 2 2"}, {4, "4.0 2 2"}, {3, "2.0 2 1"},    {2, "2.0 2 1"},
               {1, "-"},       {0, "-"}};
  for (const auto& c : cases) EXPECT_EQ(Find(c.at), c.found) << c.at;
}

TEST_F(KeyIndexTest, CompactedBeginningIsGoneButCounts) {
  Write(kThreeGenerations);
  Compact(4);
  EXPECT_EQ(Find(5), "4.0 2 2");
  EXPECT_EQ(Find(4), "4.0 2 2");
  EXPECT_EQ(Find(3), "-");
  EXPECT_EQ(Find(15), "15.1 14 2");
}

TEST_F(KeyIndexTest, CompactionKeepsTheNewestUpToItAndEverythingAbove) {
  const struct {
    int64_t at;
    const char* left;
    const char* hash_keeps;
  } cases[] = {
      {1, "2 4 6t 8 10 12t 14 15.1 16t", "-"},
      {2, "2 4 6t 8 10 12t 14 15.1 16t", "2.0"},
      {3, "2 4 6t 8 10 12t 14 15.1 16t", "2.0"},
      {4, "4 6t 8 10 12t 14 15.1 16t", "4.0"},
      {5, "4 6t 8 10 12t 14 15.1 16t", "4.0"},
      {6, "6t 8 10 12t 14 15.1 16t", "-"},  // a tombstone exactly there stays, but has no hash
      {7, "8 10 12t 14 15.1 16t", "-"},
      {8, "8 10 12t 14 15.1 16t", "8.0"},
      {9, "8 10 12t 14 15.1 16t", "8.0"},
      {10, "10 12t 14 15.1 16t", "10.0"},
      {11, "10 12t 14 15.1 16t", "10.0"},
      {12, "12t 14 15.1 16t", "-"},
      {13, "14 15.1 16t", "-"},
      {14, "14 15.1 16t", "14.0"},
      {15, "15.1 16t", "15.1"},
      {16, "16t", "-"},
      {17, "", "-"},
  };
  for (const auto& c : cases) {
    std::destroy_at(&key_);
    std::construct_at(&key_, "foo");
    Write(kThreeGenerations);
    EXPECT_EQ(Kept(c.at), c.hash_keeps) << c.at;
    Compact(c.at);
    EXPECT_EQ(Entries(), c.left) << c.at;
    EXPECT_EQ(key_.empty(), std::string(c.left).empty());
  }
}

TEST_F(KeyIndexTest, RepeatedCompactionDropsEachRevisionOnce) {
  Write(kThreeGenerations);
  for (int64_t at = 1; at <= 17; ++at) Compact(at);
  EXPECT_TRUE(key_.empty());
  EXPECT_EQ(dropped_, (std::vector<int64_t>{2, 4, 6, 8, 10, 12, 14, 15, 16}));
}

TEST_F(KeyIndexTest, ReadBackPutKeepsItsCreationAndVersion) {
  key_.Put({.revision = {.main = Revision(7)}, .created = Revision(5), .version = 2});
  EXPECT_EQ(Find(7), "7.0 5 2");
  Write("9");
  EXPECT_EQ(Find(9), "9.0 5 3");
  EXPECT_EQ(Find(8), "7.0 5 2");
}

TEST_F(KeyIndexTest, ReadBackTombstoneIsAGenerationOfItsOwn) {
  Write("16t");
  for (int64_t at = 15; at <= 20; ++at) EXPECT_EQ(Find(at), "-");
  EXPECT_EQ(Kept(16), "-");
  Write("17 18");
  EXPECT_EQ(Find(17), "17.0 17 1");
  EXPECT_EQ(Find(18), "18.0 17 2");
  Compact(17);
  EXPECT_EQ(Entries(), "17 18");
}

TEST_F(KeyIndexTest, SeveralChangesInOneRevisionShowTheLast) {
  Write("5 6.0t 6.1");
  EXPECT_EQ(Find(6), "6.1 6 1");
  Compact(6);
  EXPECT_EQ(Entries(), "6t 6.1");
}

TEST_F(KeyIndexTest, LeaseIsOfTheNewestPut) {
  key_.Put({.revision = {.main = Revision(2)},
            .created = Revision(2),
            .version = 1,
            .lease = LeaseId(7)});
  EXPECT_EQ(key_.Latest()->lease, LeaseId(7));
  Write("3t");
  EXPECT_FALSE(key_.Latest().has_value());
  Write("4");
  EXPECT_EQ(key_.Latest()->lease, LeaseId(0));
}

TEST_F(KeyIndexTest, RowBytesAreThoseOfTheStoredRow) {
  Write("2 3t");
  const std::string row = KeyValueView{.key = "foo"}.Encode();
  EXPECT_EQ(key_.RowBytes(key_.entries()[1]), LogicalRowBytes(kTombstoneRowKeyBytes, row.size()));
}

}  // namespace
}  // namespace kvorum::mvcc
