// Whatever rows are written come back, and the file is whole.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "mvcc/boltfile/checker.h"
#include "tests/mvcc/boltfile/bolt_image.h"

namespace kvorum::mvcc::boltfile {
namespace {

// Mostly short, now and then of several pages.
rc::Gen<std::string> AnyValue() {
  const auto of_size = [](int from, int to) {
    return rc::gen::map(rc::gen::pair(rc::gen::inRange(from, to), rc::gen::arbitrary<char>()),
                        [](const auto& v) { return std::string(v.first, v.second); });
  };
  return rc::gen::weightedOneOf<std::string>({{20, of_size(0, 40)},
                                              {4, of_size(900, 1100)},
                                              {2, of_size(4000, 4200)},
                                              {1, of_size(8000, 9000)}});
}

rc::Gen<std::string> AnyKey() {
  return rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::arbitrary<char>()));
}

rc::Gen<Buckets> AnyBuckets() {
  return rc::gen::container<Buckets>(AnyKey(), rc::gen::container<Rows>(AnyKey(), AnyValue()));
}

void CheckRoundTrip(const Buckets& buckets) {
  const StatusOr<std::string> image = WriteImage(buckets);
  RC_ASSERT(image.ok());
  const StatusOr<Buckets> read = ReadImage(*image);
  RC_ASSERT(read.ok());
  RC_ASSERT(*read == buckets);
  StringFile file(*image);
  const StatusOr<CheckReport> report = Check(file);
  RC_ASSERT(report.ok());
  RC_ASSERT(report->reachable == report->pages);
}

RC_GTEST_PROP(BoltRoundTripTest, AnyRowsComeBack, ()) { CheckRoundTrip(*AnyBuckets()); }

// From one row to a hundred thousand, all of one length, so that each level of branches is met full
// and nearly empty.
RC_GTEST_PROP(BoltRoundTripTest, AnyNumberOfRowsComesBack, ()) {
  const auto most = *rc::gen::weightedElement<int64_t>(
      {{8, 1}, {8, 10}, {8, 100}, {8, 1000}, {8, 10'000}, {1, 100'000}});
  const auto n = *rc::gen::inRange<int64_t>(1, most + 1);
  const auto value_bytes = *rc::gen::inRange<int64_t>(0, std::max<int64_t>(2, 200'000 / n));
  CheckRoundTrip({{"b", NumberedRows(n, std::string(value_bytes, 'v'))}});
}

}  // namespace
}  // namespace kvorum::mvcc::boltfile
