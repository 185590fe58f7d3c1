#pragma once
// The data of a `.snap` file: the membership as the JSON of etcd's former store, which nobody opens
// at a normal start, but etcd up to 3.6 reads when a directory is given back, and its tools print.
// Follows etcd server/etcdserver/api/v2store and api/membership/storev2.go.

#include <string>

#include "server/membership/membership.h"

namespace kvorum::server {

std::string V2StoreJson(const Membership& membership);

}  // namespace kvorum::server
