#include "mvcc/boltfile/export.h"

#include <gtest/gtest.h>

#include "mvcc/boltfile/checker.h"
#include "mvcc/compaction.h"
#include "mvcc/logical_rows.h"
#include "tests/mvcc/boltfile/database_fixture.h"

namespace kvorum::mvcc::boltfile {
namespace {

class DatabaseExportTest : public DatabaseTest {
 protected:
  // Applies the compaction; nothing is removed before the Compactor steps.
  void Compact(int64_t revision) {
    ASSERT_EQ(store_->Compact(Revision(revision)), Error::kNone);
    Commit();
  }
  void Purge() {
    Compactor compactor(*store_, SystemClock());
    for (auto progress = Compactor::Progress::kMore; progress != Compactor::Progress::kIdle;) {
      ASSERT_OK_AND_ASSIGN(progress, compactor.Step());
      if (progress == Compactor::Progress::kWaitCommit) Commit();
      if (progress == Compactor::Progress::kWaitDurable) CHECK_OK(store_->backend().Flush());
    }
  }
};

TEST_F(DatabaseExportTest, ANewStoreHasAllBuckets) {
  ASSERT_OK_AND_ASSIGN(const Buckets found, ReadImage(*Export()));
  EXPECT_EQ(found.size(), 10u);
  EXPECT_EQ(found, RowsOfStore());
}

TEST_F(DatabaseExportTest, RowsAreThoseOfTheStore) {
  for (int i = 0; i < 2000; ++i) {
    Put("key" + std::to_string(i), std::string(i, 'v'), LeaseId(i % 3));
  }
  Delete("key10", "key11");
  store_->backend().batch().Put(Bucket::kMembers, "3e", R"({"id":62})");
  store_->backend().batch().Put(Bucket::kLease, BigEndian(1), "lease");
  ASSERT_OK(
      store_->Commit({.index = Index(7), .term = Term(2), .conf_state = R"({"voters":[62]})"}));
  ASSERT_OK_AND_ASSIGN(const std::string image, Export());
  EXPECT_EQ(*ReadImage(image), RowsOfStore());
  StringFile file(image);
  EXPECT_OK(Check(file));
}

TEST_F(DatabaseExportTest, PositionIsThatOfTheRows) {
  Put("a", "1");
  ASSERT_OK(store_->Commit({.index = Index(7), .term = Term(2), .conf_state = "{}"}));
  DatabaseExport database(store_->NewLogicalIterator());
  Put("a", "2");
  ASSERT_OK(store_->Commit({.index = Index(8), .term = Term(3), .conf_state = "later"}));
  ASSERT_OK_AND_ASSIGN(const std::string image, ReadWhole(&database, 4096));
  EXPECT_EQ(database.position().index, Index(7));
  EXPECT_EQ(database.position().term, Term(2));
  EXPECT_EQ(database.position().conf_state, "{}");
  ASSERT_OK_AND_ASSIGN(Buckets found, ReadImage(image));
  EXPECT_EQ(found["meta"]["consistent_index"], BigEndian(7));
  EXPECT_EQ(found["key"].size(), 1u);
}

// Between any two calls others write and compact, and the file stays that of its beginning.
TEST_F(DatabaseExportTest, WritersGoOnMeanwhile) {
  for (int i = 0; i < 10'000; ++i) Put("key" + std::to_string(i % 1000), std::string(100, 'v'));
  Commit();
  const Buckets before = RowsOfStore();
  DatabaseExport database(store_->NewLogicalIterator());
  bool planned = false;
  for (int calls = 0; !planned; ++calls) {
    ASSERT_OK_AND_ASSIGN(planned, database.Plan());
    Put("other", std::to_string(calls));
    Commit();
  }
  std::string image;
  int pieces = 0;
  for (std::string piece = *database.Read(64 << 10); !piece.empty(); ++pieces) {
    image += piece;
    Put("other", std::to_string(pieces));
    Commit();
    if (pieces == 2) {
      Compact(store_->current_revision().value());
      Purge();
    }
    ASSERT_OK_AND_ASSIGN(piece, database.Read(64 << 10));
  }
  EXPECT_GT(pieces, 10);
  EXPECT_TRUE(*ReadImage(image) == before);
}

TEST_F(DatabaseExportTest, DeadRowsAreLeftOutBeforeTheyArePurged) {
  for (int i = 0; i < 100; ++i) Put("key", std::to_string(i));
  Commit();
  Compact(90);
  const std::string compacting = *Export();
  EXPECT_EQ((*ReadImage(compacting))["key"].size(), 100u);  // removal has not begun
  Purge();
  EXPECT_EQ((*ReadImage(*Export()))["key"].size(), 12u);  // 90 to 101
  EXPECT_EQ(*ReadImage(*Export()), RowsOfStore());
}

TEST_F(DatabaseExportTest, TheSizeOfThePiecesDoesNotMatter) {
  Put("large", std::string(100'000, 'v'));
  for (int i = 0; i < 300; ++i) Put("k" + std::to_string(i), std::string(50, 'v'));
  Commit();
  const std::string image = *Export();
  for (const size_t piece : {1, 7, 512, 4096, 5000, 70'000, 1 << 20}) {
    DatabaseExport database(store_->NewLogicalIterator());
    ASSERT_OK_AND_ASSIGN(const std::string same, ReadWhole(&database, piece));
    EXPECT_TRUE(same == image) << piece;
  }
}

TEST_F(DatabaseExportTest, MemoryIsThatOfAPieceAndARow) {
  constexpr size_t kPiece = 32 << 10;
  constexpr size_t kRow = 1 << 20;
  for (int i = 0; i < 8; ++i) Put("large" + std::to_string(i), std::string(kRow, 'v'));
  for (int i = 0; i < 5000; ++i) Put("k" + std::to_string(i), std::string(500, 'v'));
  Commit();
  DatabaseExport database(store_->NewLogicalIterator());
  while (!*database.Plan()) EXPECT_LE(database.memory_bytes(), 64u << 10);
  while (!database.Read(kPiece)->empty()) {
    ASSERT_LE(database.memory_bytes(), 3 * (kRow + kPiece) + (64 << 10));
  }
}

TEST_F(DatabaseExportTest, ARowThatDoesNotFitEtcdsFileIsNamed) {
  store_->backend().batch().Put(Bucket::kAuthUsers, std::string(kKeyBytesMax + 1, 'u'), "user");
  Commit();
  EXPECT_EQ(Export().status(), absl::InvalidArgumentError("authUsers: key too large"));
}

// A scan of RocksDB that ends early, without an error, in the pass after `whole_passes`.
class EndsEarly : public Iterator {
 public:
  static constexpr int kRows = 10;

  EndsEarly(std::unique_ptr<Iterator> rows, int whole_passes)
      : rows_(std::move(rows)), whole_passes_(whole_passes) {}
  bool Valid() const override { return rows_->Valid() && (whole_passes_ != 0 || left_ > 0); }
  void Next() override {
    --left_;
    rows_->Next();
  }
  void Seek(std::string_view key) override {
    --whole_passes_;
    left_ = kRows;
    rows_->Seek(key);
  }
  Bucket bucket() const override { return rows_->bucket(); }
  std::string_view key() const override { return rows_->key(); }
  std::string_view value() const override { return rows_->value(); }
  Status status() const override { return rows_->status(); }

 private:
  const std::unique_ptr<Iterator> rows_;
  int whole_passes_;
  int left_ = kRows;
};

TEST_F(DatabaseExportTest, MissingRowsAreNoticedInEitherPass) {
  for (int i = 0; i < 3000; ++i) Put("k" + std::to_string(i), std::string(100, 'v'));
  Commit();
  const auto read = [this](int whole_passes) {
    auto rows = std::make_unique<EndsEarly>(store_->backend().NewFullIterator(), whole_passes);
    DatabaseExport database(std::make_unique<LogicalRows>(
        std::move(rows), std::make_shared<RevisionSet>(), kNeverCompacted));
    return ReadWhole(&database, 4096);
  };
  EXPECT_CODE(kDataLoss, read(0));
  EXPECT_CODE(kDataLoss, read(1));
  EXPECT_OK(read(2));
}

}  // namespace
}  // namespace kvorum::mvcc::boltfile
