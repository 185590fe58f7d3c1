// boltfile_tool: our reader, writer, import and export on files, for tests that hold them against
// bbolt (tests/compat/boltfile_test.go).
//
//   check FILE          what the checker counts
//   rows FILE           all rows, one a line: bucket, key, value in hex, separated by tabs; a line
//                       of the name alone begins each bucket
//   write FILE          a file with the rows from standard input, in the same form
//   transfer FILE OUT   imports FILE into a store, prints what the store says of it, exports to OUT
//   export MEMBER OUT   exports the store of a member's directory, which no server may be using
#include <absl/strings/escaping.h>
#include <absl/strings/str_split.h>

#include <functional>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/env.h"
#include "base/log.h"
#include "mvcc/boltfile/checker.h"
#include "mvcc/boltfile/export.h"
#include "mvcc/boltfile/import.h"
#include "mvcc/boltfile/reader.h"
#include "mvcc/boltfile/writer.h"
#include "mvcc/store.h"
#include "tests/testing/temp_dir.h"

namespace kvorum::mvcc::boltfile {
namespace {

constexpr size_t kPieceBytes = 32 << 10;

// Appends to a new file.
class Output {
 public:
  explicit Output(std::unique_ptr<File> file) : file_(std::move(file)) {}
  Status Append(std::string_view bytes) {
    RETURN_IF_ERROR(file_->WriteAt(size_, bytes));
    size_ += bytes.size();
    return absl::OkStatus();
  }

 private:
  std::unique_ptr<File> file_;
  uint64_t size_ = 0;
};

StatusOr<Output> Create(const std::string& path) {
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, PosixEnv().Open(path, OpenMode::kTruncate));
  return Output(std::move(file));
}

Status CheckFile(const std::string& path) {
  ASSIGN_OR_RETURN(const std::unique_ptr<File> file, PosixEnv().Open(path, OpenMode::kRead));
  ASSIGN_OR_RETURN(const CheckReport report, Check(*file));
  std::cout << "pages " << report.pages << " reachable " << report.reachable << " free "
            << report.free << " buckets " << report.buckets << " rows " << report.rows << "\n";
  return absl::OkStatus();
}

std::string Hex(std::string_view bytes) { return absl::BytesToHexString(std::string(bytes)); }

Status PrintRows(const std::string& path) {
  ASSIGN_OR_RETURN(const std::unique_ptr<File> file, PosixEnv().Open(path, OpenMode::kRead));
  ASSIGN_OR_RETURN(const Reader reader, Reader::Open(*file));
  for (const BucketInfo& info : reader.buckets()) {
    std::cout << info.name << "\n";
    Cursor row = reader.NewCursor(info);
    for (row.SeekToFirst(); row.Valid(); row.Next()) {
      std::cout << info.name << "\t" << Hex(row.key()) << "\t" << Hex(row.value()) << "\n";
    }
    RETURN_IF_ERROR(row.status());
  }
  return absl::OkStatus();
}

Status Feed(const std::vector<std::string>& lines, Writer* writer) {
  for (const std::string& line : lines) {
    const std::vector<std::string> fields = absl::StrSplit(line, '\t');
    if (fields.size() == 1) {
      RETURN_IF_ERROR(writer->StartBucket(fields[0]));
    } else {
      RETURN_IF_ERROR(
          writer->Add(absl::HexStringToBytes(fields[1]), absl::HexStringToBytes(fields.at(2))));
    }
  }
  return absl::OkStatus();
}

Status WriteRows(const std::string& path) {
  std::vector<std::string> lines;
  for (std::string line; std::getline(std::cin, line);) lines.push_back(line);
  Writer sizing;
  RETURN_IF_ERROR(Feed(lines, &sizing));
  ASSIGN_OR_RETURN(const FileLayout layout, sizing.Finish());
  ASSIGN_OR_RETURN(Output out, Create(path));
  Writer writer(layout, [&out](std::string_view bytes) { return out.Append(bytes); });
  RETURN_IF_ERROR(Feed(lines, &writer));
  return writer.Finish().status();
}

Status Export(const Store& store, const std::string& path) {
  ASSIGN_OR_RETURN(Output out, Create(path));
  DatabaseExport database(store.NewLogicalIterator());
  for (bool done = false; !done;) {
    ASSIGN_OR_RETURN(done, database.Plan());
  }
  for (;;) {
    ASSIGN_OR_RETURN(const std::string piece, database.Read(kPieceBytes));
    if (piece.empty()) return absl::OkStatus();
    RETURN_IF_ERROR(out.Append(piece));
  }
}

Status ExportMember(const std::string& member_dir, const std::string& path) {
  BackendOptions options{.env = &PosixEnv()};
  ASSIGN_OR_RETURN(options.directory, CurrentStoreDir(PosixEnv(), member_dir));
  ASSIGN_OR_RETURN(std::unique_ptr<Backend> backend, OpenBackend(options));
  ASSIGN_OR_RETURN(const std::unique_ptr<Store> store, Store::Open(std::move(backend), {}));
  return Export(*store, path);
}

Status Transfer(const std::string& from, const std::string& to) {
  const TempDir dir;
  const StoreDirOptions options{.env = &PosixEnv(), .member_dir = dir.path()};
  ASSIGN_OR_RETURN(ImportedStore imported,
                   ImportDatabase({.database = from, .store = options, .number = 1}));
  ASSIGN_OR_RETURN(const std::unique_ptr<Store> store,
                   Store::Open(std::move(imported.backend), {}));
  ASSIGN_OR_RETURN(const uint32_t hash, store->Hash());
  ASSIGN_OR_RETURN(const HashKvResult history, store->HashKv(Revision(0)));
  std::cout << "index " << imported.position.index << " term " << imported.position.term
            << " version " << imported.storage_version << " revision " << history.current
            << " compacted " << history.compacted << " hash " << hash << " hashkv " << history.hash
            << "\n";
  return Export(*store, to);
}

Status Run(const std::vector<std::string>& args) {
  const auto is = [&args](const std::string& verb, size_t arguments) {
    return args.size() == 1 + arguments && args[0] == verb;
  };
  if (is("check", 1)) return CheckFile(args[1]);
  if (is("rows", 1)) return PrintRows(args[1]);
  if (is("write", 1)) return WriteRows(args[1]);
  if (is("transfer", 2)) return Transfer(args[1], args[2]);
  if (is("export", 2)) return ExportMember(args[1], args[2]);
  return absl::InvalidArgumentError(
      "usage: check FILE | rows FILE | write FILE | transfer FILE OUT | export MEMBER OUT");
}

}  // namespace
}  // namespace kvorum::mvcc::boltfile

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  kvorum::Status status = kvorum::log::Configure({.level = kvorum::log::Level::kError});
  if (status.ok()) {
    status = kvorum::mvcc::boltfile::Run(std::vector<std::string>(argv + 1, argv + argc));
  }
  if (status.ok()) return 0;
  std::cerr << status << "\n";
  return 1;
}
