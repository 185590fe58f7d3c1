#pragma once
// Stores and database files, and the ways between them.

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "mvcc/boltfile/export.h"
#include "mvcc/boltfile/import.h"
#include "tests/mvcc/boltfile/bolt_image.h"
#include "tests/mvcc/store_fixture.h"

namespace kvorum::mvcc::boltfile {

class DatabaseTest : public StoreTest {
 protected:
  static constexpr char kDatabase[] = "/database";

  // The whole file, read in pieces of `piece` bytes.
  static StatusOr<std::string> ReadWhole(DatabaseExport* database, size_t piece) {
    for (bool done = false; !done;) {
      ASSIGN_OR_RETURN(done, database->Plan());
    }
    std::string image;
    for (;;) {
      ASSIGN_OR_RETURN(const std::string bytes, database->Read(piece));
      if (bytes.empty()) break;
      image += bytes;
      if (image.size() % piece != 0 && image.size() != database->bytes()) {
        return absl::InternalError("a short piece within the file");
      }
    }
    if (image.size() == database->bytes()) return image;
    return absl::InternalError("not as long as announced");
  }
  StatusOr<std::string> Export() {
    DatabaseExport database(store_->NewLogicalIterator());
    return ReadWhole(&database, 32 << 10);
  }
  StatusOr<ImportedStore> Import(std::string_view image) {
    RETURN_IF_ERROR(env_.WriteFile(kDatabase, image));
    return ImportDatabase({.database = kDatabase, .store = DirOptions(), .number = 1});
  }
  // The file's rows become the store.
  void Adopt(std::string_view image) {
    ASSERT_OK_AND_ASSIGN(ImportedStore imported, Import(image));
    store_.reset();
    ASSERT_OK(PublishStoreDir(env_, kMemberDir, 1));
    OpenWith(std::move(imported.backend));
  }
  // All buckets, as an export would have them.
  Buckets RowsOfStore() {
    Buckets buckets;
    for (const Bucket bucket : kEtcdBuckets) buckets[std::string(BucketName(bucket))];
    const std::unique_ptr<Iterator> row = store_->NewLogicalIterator();
    for (; row->Valid(); row->Next()) {
      buckets[std::string(BucketName(row->bucket()))].emplace(row->key(), row->value());
    }
    CHECK_OK(row->status());
    return buckets;
  }
  // The least that an import takes, and what it leads to.
  static Buckets SmallDatabase() {
    return {{"key", {}}, {"meta", {{"consistent_index", BigEndian(9)}, {"term", BigEndian(3)}}}};
  }
  static std::string BigEndian(uint64_t v) {
    std::string out;
    AppendBigEndian64(&out, v);
    return out;
  }
};

}  // namespace kvorum::mvcc::boltfile
