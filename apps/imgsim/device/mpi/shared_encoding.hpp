// Photos that the ranks decode and encode together.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "device/compute.hpp"
#include "device/file_encoding.hpp"

#include <imgsim/mpi/communicator.hpp>
#include <imgsim/mpi/context.hpp>

namespace imgsim::app {

/// Batch b of the paths is rank b % ranks' to read, from the same folder, and to encode. Rank 0 has `paths` and gets
/// all batches, in their order, by `use`. What another rank cannot read, rank 0 tries itself: it alone says what is
/// skipped, and why, and where the others do not see the folder it does their work. Collective, between the beginning
/// and the end of `together`; `encoder` is each rank's own.
void encode_together(mpi::lockstep& together, const mpi_context& context, encoder& encoder,
                     const std::filesystem::path& root, const decode_limits& limits, std::span<const std::string> paths,
                     const std::function<void(const encoded_batch&)>& use);

}  // namespace imgsim::app
