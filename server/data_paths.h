#pragma once
// Where things are below the data directory; etcd's layout, with our store beside the log.
//
//   <data>/member/wal/        segments of the raft log
//   <data>/member/snap/       .snap files, received databases
//   <data>/member/STORE       names the store in use, member/store-<n>/
// Follows etcd server/storage/datadir/datadir.go.

#include <string>

#include "base/env.h"
#include "server/config.h"

namespace kvorum::server {

struct DataPaths {
  std::string data;
  std::string member;
  std::string wal;
  std::string snap;

  static DataPaths Of(const Config& config) {
    DataPaths paths;
    paths.data = config.data_dir.empty() ? config.name + ".etcd" : config.data_dir;
    paths.member = JoinPath(paths.data, "member");
    paths.wal = JoinPath(paths.member, "wal");
    paths.snap = JoinPath(paths.member, "snap");
    return paths;
  }
  // The database of an etcd that ran here.
  std::string etcd_database() const { return JoinPath(snap, "db"); }
};

}  // namespace kvorum::server
