// Calls that must not compile, one for each value of IMGSIM_REFUSAL: CMakeLists.txt holds the sentence that each gets.
#include <imgsim/cluster/k_means.hpp>
#include <imgsim/cluster/k_medoids.hpp>
#include <imgsim/metric/cosine.hpp>
#include <imgsim/search/similarity.hpp>
#include <imgsim/search/top_n.hpp>

#if IMGSIM_REFUSAL > 3
#include <imgsim/cpu/search.hpp>
using context_type = imgsim::cpu_context;
#else
struct context_type {
  using space = imgsim::host_space;
  [[nodiscard]] std::string name() const { return "nobody's"; }
  [[nodiscard]] imgsim::thread_pool& host_pool() const { return *pool; }
  imgsim::thread_pool* pool = nullptr;
};
#endif

void refused(const context_type& context, imgsim::matrix_view<const float> rows,
             imgsim::matrix_view<const imgsim::bfloat16> halves, imgsim::matrix_view<float> out) {
#if IMGSIM_REFUSAL == 0
  imgsim::distance_matrix(context, rows, imgsim::cosine{}, out);
#elif IMGSIM_REFUSAL == 1
  static_cast<void>(imgsim::top_n(context, rows, rows, imgsim::cosine{}, {.n = 1}));
#elif IMGSIM_REFUSAL == 2
  static_cast<void>(imgsim::prepared_gallery(context, rows));
#elif IMGSIM_REFUSAL == 3
  static_cast<void>(imgsim::k_medoids(context, rows, {.k = 2}));
#elif IMGSIM_REFUSAL == 4
  static_cast<void>(imgsim::top_n(context, rows, halves, imgsim::cosine{}, {.n = 1}));
#elif IMGSIM_REFUSAL == 5
  imgsim::distance_matrix(context, rows, halves, imgsim::cosine{}, out);
#elif IMGSIM_REFUSAL == 6
  static_cast<void>(imgsim::k_means(context, rows, {.k = 2}));
#endif
}
