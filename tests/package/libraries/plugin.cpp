// Somebody's plugin that happens to use imgsim. It is compiled twice, with other flags, and neither copy knows of the
// other.
#include <cstddef>
#include <functional>

#include <imgsim/cpu/cluster.hpp>
#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/search.hpp>
#include <imgsim/metric/cosine.hpp>
#include <imgsim/search/top_n.hpp>

#define PASTE_AGAIN(a, b) a##b
#define PASTE(a, b) PASTE_AGAIN(a, b)

/// Writes to out [M, n] the rows nearest to each of the M rows; what the search throws comes through.
extern "C" [[gnu::visibility("default")]] void PASTE(PLUGIN_NAME, _neighbours)(const float* rows, std::size_t m,
                                                                               std::size_t d, std::size_t n,
                                                                               std::size_t threads, long* out) {
  const imgsim::cpu_context context(threads);
  const imgsim::matrix_view<const float> gallery(rows, {m, d});
  const auto found = imgsim::top_n(context, gallery, gallery, imgsim::cosine{}, {.n = n, .exclude_self = true});
  for (std::size_t i = 0; i < found.rows.size(); ++i) out[i] = found.rows.data()[i];
}

/// Calls body(i) for each i in [0, count) on a pool of the plugin's own.
extern "C" [[gnu::visibility("default")]] void PASTE(PLUGIN_NAME,
                                                     _for_each)(std::size_t threads, std::size_t count,
                                                                const std::function<void(std::size_t)>& body) {
  imgsim::thread_pool(threads).for_each(count, body);
}

/// Refuses its argument as the library does.
extern "C" [[gnu::visibility("default")]] void PASTE(PLUGIN_NAME, _refuse)() {
  IMGSIM_EXPECTS(false, "refused by the plugin");
}
