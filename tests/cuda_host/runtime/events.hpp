// Events, as the graphs' side of them needs to know them.
#pragma once

#include <memory>

#include "cuda_host/runtime/streams.hpp"

namespace imgsim::cuda_host {

struct event_state {
  bool timing = true;
  std::shared_ptr<stream_point> point;   // of the last record, outside captures
  std::shared_ptr<capture> captured_in;  // of the last record, inside one
  stream_queue* captured_stream = nullptr;
};

}  // namespace imgsim::cuda_host
