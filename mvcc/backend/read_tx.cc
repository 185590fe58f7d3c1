#include "mvcc/backend/read_tx.h"

#include "mvcc/backend/status_convert.h"

namespace kvorum::mvcc {

namespace {

// What a whole scan reads ahead; more gained nothing when measured.
constexpr size_t kReadaheadBytes = 1 << 20;

class ReadTx : public Iterator {
 public:
  ReadTx(rocksdb::DB& db, ReadTxOptions options)
      : options_(std::move(options)), lower_(options_.lower), upper_(options_.upper) {
    rocksdb::ReadOptions read;
    read.iterate_lower_bound = &lower_;
    read.iterate_upper_bound = &upper_;
    if (options_.whole_scan) {
      read.fill_cache = false;
      read.readahead_size = kReadaheadBytes;
    }
    it_.reset(db.NewIterator(read));
    it_->Seek(lower_);
  }

  bool Valid() const override { return it_->Valid(); }
  void Next() override { it_->Next(); }
  void Seek(std::string_view key) override { it_->Seek(BackendKey(options_.seek_bucket, key)); }
  Bucket bucket() const override { return static_cast<Bucket>(it_->key()[0]); }
  std::string_view key() const override { return {it_->key().data() + 1, it_->key().size() - 1}; }
  std::string_view value() const override { return {it_->value().data(), it_->value().size()}; }
  Status status() const override { return FromRocksDb(it_->status()); }

 private:
  const ReadTxOptions options_;
  // RocksDB keeps pointers to these.
  const rocksdb::Slice lower_;
  const rocksdb::Slice upper_;
  std::unique_ptr<rocksdb::Iterator> it_;
};

}  // namespace

std::unique_ptr<Iterator> NewReadTx(rocksdb::DB& db, ReadTxOptions options) {
  return std::make_unique<ReadTx>(db, std::move(options));
}

}  // namespace kvorum::mvcc
