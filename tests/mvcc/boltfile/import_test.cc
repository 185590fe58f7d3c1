#include "mvcc/boltfile/import.h"

#include <gtest/gtest.h>

#include "mvcc/compaction.h"
#include "tests/mvcc/boltfile/database_fixture.h"

namespace kvorum::mvcc::boltfile {
namespace {

class ImportDatabaseTest : public DatabaseTest {
 protected:
  Status ErrorOf(const Buckets& buckets) {
    const Status status = Import(*WriteImage(buckets)).status();
    EXPECT_FALSE(env_.Exists("/member/store-1"));
    return status;
  }
  // A row of the `key` bucket.
  static std::pair<std::string, std::string> KeyRow(int64_t main, std::string_view key,
                                                    bool tombstone = false, int64_t sub = 0) {
    KeyValueView kv{.key = key};
    if (!tombstone) {
      kv.create_revision = kv.mod_revision = Revision(main);
      kv.version = 1;
      kv.value = "value";
    }
    return {EncodeRowKey({Revision(main), sub}, tombstone), kv.Encode()};
  }
};

TEST_F(ImportDatabaseTest, AStoreSurvivesTheTransfer) {
  for (int i = 0; i < 3000; ++i) Put("k" + std::to_string(i % 700), std::string(i, 'v'));
  Delete("k5", "k6");
  store_->backend().batch().Put(Bucket::kMembers, "3e", R"({"id":62})");
  store_->backend().batch().Put(Bucket::kAuth, kAuthRevisionKey, BigEndian(4));
  ASSERT_OK(store_->Commit({.index = Index(7), .term = Term(2), .conf_state = "{}"}));
  const Buckets rows = RowsOfStore();
  const std::string listed = ListAll();
  const uint32_t hash = *store_->Hash();
  const uint32_t history = store_->HashKv(Revision(0))->hash;
  const int64_t in_use = store_->size_in_use_bytes();
  const Revision current = store_->current_revision();

  Adopt(*Export());
  EXPECT_TRUE(RowsOfStore() == rows);
  EXPECT_EQ(ListAll(), listed);
  EXPECT_EQ(*store_->Hash(), hash);
  EXPECT_EQ(store_->HashKv(Revision(0))->hash, history);
  EXPECT_EQ(store_->size_in_use_bytes(), in_use);
  EXPECT_EQ(store_->current_revision(), current);
  EXPECT_EQ(store_->opened_at().index, Index(7));
  EXPECT_EQ(store_->opened_at().term, Term(2));
  EXPECT_EQ(store_->opened_at().conf_state, "{}");

  // It is durable, and goes on like any other.
  env_.Crash();
  Reopen();
  EXPECT_EQ(Put("new", "row"), current + 1);
  Commit();
  EXPECT_EQ(store_->size_in_use_bytes(), in_use + 17 + 18 + kRowOverheadBytes);
}

TEST_F(ImportDatabaseTest, ItsPositionIsTold) {
  Buckets buckets = SmallDatabase();
  buckets["meta"]["confState"] = R"({"voters":[1]})";
  buckets["meta"]["storageVersion"] = "3.7.0";
  ASSERT_OK_AND_ASSIGN(const ImportedStore imported, Import(*WriteImage(buckets)));
  EXPECT_EQ(imported.position.index, Index(9));
  EXPECT_EQ(imported.position.term, Term(3));
  EXPECT_EQ(imported.position.conf_state, R"({"voters":[1]})");
  EXPECT_EQ(imported.storage_version, "3.7.0");
  EXPECT_EQ(*imported.backend->FlushedIndex(), Index(9));
}

TEST_F(ImportDatabaseTest, RowsAreThoseOfTheFileAndNoOthers) {
  ASSERT_OK_AND_ASSIGN(const ImportedStore imported, Import(*WriteImage(SmallDatabase())));
  EXPECT_EQ(*imported.backend->Get(Bucket::kAuth, kAuthRevisionKey), std::nullopt);
}

TEST_F(ImportDatabaseTest, UnknownRowsOfMetaAreKeptAndUnknownBucketsAreNot) {
  Buckets buckets = SmallDatabase();
  buckets["meta"]["later"] = "row";
  buckets["zoo"]["animal"] = "lion";
  Adopt(*WriteImage(buckets));
  Buckets found = RowsOfStore();
  EXPECT_EQ(found["meta"]["later"], "row");
  EXPECT_EQ(found.size(), 10u);
}

TEST_F(ImportDatabaseTest, AFileThatLacksWhatAServerNeedsIsRefused) {
  const auto error = [this](auto change) {
    Buckets buckets = SmallDatabase();
    change(&buckets);
    return ErrorOf(buckets);
  };
  const auto refused = [](const std::string& text) {
    return absl::FailedPreconditionError("/database: " + text);
  };
  EXPECT_EQ(error([](Buckets* b) { b->erase("meta"); }), refused("database has no bucket meta"));
  EXPECT_EQ(error([](Buckets* b) { b->erase("key"); }), refused("database has no bucket key"));
  EXPECT_EQ(error([](Buckets* b) { (*b)["meta"].erase("consistent_index"); }),
            refused("database has no consistent index: nothing was applied"));
  EXPECT_EQ(error([](Buckets* b) { (*b)["meta"].erase("term"); }),
            refused("database has no term: written before etcd 3.5"));
  EXPECT_CODE(kNotFound, ImportDatabase({.database = "/none", .store = DirOptions()}));
}

TEST_F(ImportDatabaseTest, DamagedRowsAreRefused) {
  const auto error = [this](const std::string& bucket, const std::string& key, std::string value) {
    Buckets buckets = SmallDatabase();
    buckets[bucket][key] = std::move(value);
    return ErrorOf(buckets);
  };
  for (const char* key :
       {"term", "consistent_index", "scheduledCompactRev", "finishedCompactRev"}) {
    EXPECT_EQ(error("meta", key, "short"),
              absl::DataLossError("/database: bucket meta: damaged row " + std::string(key)));
  }
  const std::string value = KeyRow(5, "a").second;
  const Status damaged =
      absl::DataLossError("/database: bucket key: damaged row behind revision 0.0");
  EXPECT_EQ(error("key", "short", value), damaged);
  EXPECT_EQ(error("key", KeyRow(5, "a").first, "no KeyValue"), damaged);
  EXPECT_EQ(error("key", KeyRow(0, "a").first, value), damaged);
  EXPECT_EQ(error("key", KeyRow(-1, "a").first, value), damaged);
  EXPECT_EQ(error("key", EncodeRowKey({Revision(5), int64_t{1} << 31}), value), damaged);
  EXPECT_EQ(error("key", KeyRow(4, "a").first, value), damaged);  // created later
  KeyValueView kv{.key = "a", .create_revision = Revision(5), .version = -1};
  EXPECT_EQ(error("key", KeyRow(5, "a").first, kv.Encode()), damaged);
}

// The index takes each revision once.
TEST_F(ImportDatabaseTest, APutAndADeletionOfOneRevisionAreRefused) {
  Buckets buckets = SmallDatabase();
  buckets["key"] = {KeyRow(5, "a"), KeyRow(5, "a", true)};
  EXPECT_EQ(ErrorOf(buckets),
            absl::DataLossError("/database: bucket key: damaged row behind revision 5.0"));
}

TEST_F(ImportDatabaseTest, ADamagedFileLeavesNothingBehind) {
  Buckets buckets = SmallDatabase();
  for (int i = 2; i < 3000; ++i) buckets["key"].insert(KeyRow(i, "key" + std::to_string(i)));
  std::string image = *WriteImage(buckets);
  image[image.size() / 2 / kPageBytes * kPageBytes] ^= 1;  // a page's id
  EXPECT_CODE(kDataLoss, Import(image));
  EXPECT_FALSE(env_.Exists("/member/store-1"));
  EXPECT_CODE(kDataLoss, Import(image.substr(0, image.size() - 1)));
}

TEST_F(ImportDatabaseTest, AFullDiskIsToldAndLeavesNothingBehind) {
  Buckets buckets = SmallDatabase();
  for (int i = 2; i < 3000; ++i) buckets["key"].insert(KeyRow(i, "key" + std::to_string(i)));
  ASSERT_OK(env_.WriteFile(kDatabase, *WriteImage(buckets)));
  env_.Inject({.op = FaultEnv::Op::kWrite,
               .and_all_after = true,
               .path_part = ".sst",
               .status = absl::ResourceExhaustedError("disk full")});
  EXPECT_CODE(kResourceExhausted,
              ImportDatabase({.database = kDatabase, .store = DirOptions(), .number = 1}));
  EXPECT_FALSE(env_.Exists("/member/store-1"));
}

TEST_F(ImportDatabaseTest, TheCurrentStoreIsUntouchedUntilThePublication) {
  Put("a", "old");
  CommitAndReopen();
  ASSERT_OK_AND_ASSIGN(ImportedStore imported, Import(*WriteImage(SmallDatabase())));
  imported.backend.reset();
  env_.Crash();
  Reopen();
  EXPECT_EQ(ListAll(), "a=old");
  ASSERT_OK(RemoveStaleStoreDirs(env_, kMemberDir));
  EXPECT_FALSE(env_.Exists("/member/store-1"));
}

// A copy taken in the middle of a compaction: it is resumed.
TEST_F(ImportDatabaseTest, AScheduledCompactionGoesOn) {
  Buckets buckets = SmallDatabase();
  for (int i = 2; i < 50; ++i) buckets["key"].insert(KeyRow(i, "key" + std::to_string(i % 5)));
  buckets["meta"]["scheduledCompactRev"] = EncodeRowKey({Revision(40)});
  Adopt(*WriteImage(buckets));
  EXPECT_EQ(store_->compacted_revision(), Revision(40));
  EXPECT_EQ(ListAll(39), "compacted");
  Compactor compactor(*store_, SystemClock());
  EXPECT_TRUE(compactor.Unfinished());
}

// As `etcdutl snapshot restore --bump-revision --mark-compacted` leaves it.
TEST_F(ImportDatabaseTest, ABumpedRevisionCounts) {
  Buckets buckets = SmallDatabase();
  buckets["key"] = {KeyRow(5, "a"), {EncodeRowKey({Revision(1005)}), ""}};
  buckets["meta"]["scheduledCompactRev"] = EncodeRowKey({Revision(1005)});
  Adopt(*WriteImage(buckets));
  EXPECT_EQ(store_->current_revision(), Revision(1005));
  EXPECT_EQ(store_->compacted_revision(), Revision(1005));
  EXPECT_EQ(Text(Range("a")), "a=value");
  CommitAndReopen();
  EXPECT_EQ(Put("a", "next"), Revision(1006));
}

// Rows that no compaction of ours has seen, in a file that says it is compacted.
TEST_F(ImportDatabaseTest, SuperfluousRowsBelowTheCompactionAreLeftToIt) {
  Buckets buckets = SmallDatabase();
  buckets["key"] = {KeyRow(5, "a"), KeyRow(6, "a"), KeyRow(7, "b"), KeyRow(8, "b", true),
                    KeyRow(12, "c")};
  buckets["meta"]["scheduledCompactRev"] = EncodeRowKey({Revision(10)});
  buckets["meta"]["finishedCompactRev"] = EncodeRowKey({Revision(10)});
  Adopt(*WriteImage(buckets));
  EXPECT_EQ(ListAll(), "a=value c=value");
  CommitAndReopen();
  EXPECT_EQ(ListAll(), "a=value c=value");
}

}  // namespace
}  // namespace kvorum::mvcc::boltfile
