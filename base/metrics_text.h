#pragma once
// The text form of metrics, as Prometheus' Go client writes it: families as given, a histogram's
// buckets before its sum and count, numbers in Go's shortest form. prometheus-cpp's own serializer
// differs in all three.
//
// Follows prometheus/common expfmt/text_create.go.

#include <prometheus/serializer.h>

#include <iosfwd>
#include <vector>

namespace kvorum::metrics {

class GoTextSerializer final : public prometheus::Serializer {
 public:
  using prometheus::Serializer::Serialize;
  void Serialize(std::ostream& out,
                 const std::vector<prometheus::MetricFamily>& families) const override;
};

}  // namespace kvorum::metrics
