#include "device/mpi/led_medoids.hpp"

#include <vector>

#include <imgsim/core/error.hpp>

namespace imgsim::app {

void follow_medoid_search(order_channel& channel, const mpi_context& context, const mpi::sharded_distances& distances) {
  mpi::medoid_searcher search(context, distances);
  std::vector<std::int64_t> savings;
  std::vector<std::uint32_t> counts;
  for (;;) {
    received_order next = channel.receive();
    switch (next.kind()) {
      case order_kind::leave_search:
        return;
      case order_kind::assign:
        search.assign(next.read_list<std::size_t>());
        break;
      case order_kind::add:
        search.add(next.read<std::size_t>());
        break;
      case order_kind::remove:
        search.remove(next.read<std::size_t>());
        break;
      case order_kind::swap: {
        const auto position = next.read<std::size_t>(), candidate = next.read<std::size_t>();
        search.swap({.position = position, .candidate = candidate, .change = next.read<std::int64_t>()});
        break;
      }
      case order_kind::first_improving_swap: {
        const auto first = next.read<std::size_t>();
        static_cast<void>(search.first_improving_swap(first, next.read<std::size_t>()));
        break;
      }
      case order_kind::best_addition: {
        const auto candidates = next.read_list<std::size_t>();
        static_cast<void>(search.best_addition(candidates, next.read_list<std::size_t>()));
        break;
      }
      case order_kind::savings:
        savings.resize(search.size());
        search.savings(next.read_list<float>(), savings);
        break;
      case order_kind::count_reached: {
        counts.assign(search.size(), 0);
        const auto rows = next.read_list<std::size_t>();
        search.count_reached(rows, next.read_list<float>(), counts);
        break;
      }
      case order_kind::labels:
        static_cast<void>(search.labels());
        break;
      case order_kind::nearest:
        static_cast<void>(search.nearest());
        break;
      case order_kind::second_nearest:
        static_cast<void>(search.second_nearest());
        break;
      case order_kind::distance_to: {
        const auto position = next.read<std::size_t>();
        static_cast<void>(search.distance_to(position, next.read<std::size_t>()));
        break;
      }
      default:
        throw error("an order came that belongs to no search");
    }
  }
}

}  // namespace imgsim::app
