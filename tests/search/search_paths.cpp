#include "search/search_paths.hpp"

namespace imgsim_test {

template <class Metric>
imgsim::top_n_result search_along(const search_path& path, imgsim::matrix_view<const float> gallery,
                                  imgsim::matrix_view<const float> queries, const imgsim::top_n_options& options) {
  return imgsim::search_backend<imgsim::cpu_context>::top_n(path.context, gallery, queries, Metric{}, options,
                                                            path.policy);
}

#define IMGSIM_TEST_INSTANTIATE(Metric)                                                                    \
  template imgsim::top_n_result search_along<Metric>(const search_path&, imgsim::matrix_view<const float>, \
                                                     imgsim::matrix_view<const float>, const imgsim::top_n_options&)
IMGSIM_TEST_INSTANTIATE(imgsim::cosine);
IMGSIM_TEST_INSTANTIATE(imgsim::euclidean);
IMGSIM_TEST_INSTANTIATE(manhattan);

}  // namespace imgsim_test
