// How far a network sees the same in two views of each photo: Barlow Twins (Zbontar, Jing, Misra, LeCun and Deny, 2021,
// arXiv:2103.03230), on the pooled taps themselves.
//
// With x_bi and y_bi the features of the two views of photo b, each standardised over the photos of the batch,
//
//   c_ij = mean over b of x_bi y_bj
//   loss = mean over i of (1 - c_ii)^2  +  lambda mean over i of sum over j != i of c_ij^2
//
// which is least where a feature is equal in both views and tells what no other does. It needs no negatives, and so
// works in small batches. A projector between features and loss, as in the paper, gained nothing in trials on two sets
// of photos, nor did VICReg or InfoNCE with one.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include <imgsim/core/error.hpp>
#include <imgsim/core/simd.hpp>
#include <imgsim/core/view.hpp>

namespace imgsim {

/// Of correlations between different features; the paper's, whose own sum is divided by nothing.
inline constexpr double kDecorrelation = 0.005;
/// Added to each variance: a feature that never changes has none.
inline constexpr double kInvarianceEpsilon = 1e-5;

/// The loss and its gradient, on the host in float64: features are few, some hundred a photo. Its memory serves the
/// next batches. O(N F^2) for N photos.
class invariance_loss {
 public:
  /// The loss of features [2 N, F], N >= 1: rows b and b + N are two views of a photo.
  [[nodiscard]] double operator()(matrix_view<const float> features) {
    standardise(features);
    return correlate();
  }

  /// The same; gradient [2 N, F] = `weight` times its derivative.
  double operator()(matrix_view<const float> features, double weight, matrix_view<float> gradient) {
    IMGSIM_EXPECTS(gradient.extents() == features.extents(), "the gradient of features ", shape_text(features),
                   " does not fit ", shape_text(gradient));
    const double loss = (*this)(features);
    differentiate(weight, gradient);
    return loss;
  }

 private:
  static constexpr std::size_t kLanes = 8;

  /// values_[2 N, F]: features less their mean, over their deviation, each half apart.
  void standardise(matrix_view<const float> features) {
    photos_ = features.extent(0) / 2;
    width_ = features.extent(1);
    IMGSIM_EXPECTS(photos_ > 0 && features.extent(0) % 2 == 0 && width_ > 0, "features ", shape_text(features),
                   " are not those of two views of each photo");
    values_.assign(features.extent(0) * width_, 0.0);
    inverse_.assign(2 * width_, 0.0);
    const auto count = static_cast<double>(photos_);
    for (std::size_t half = 0; half < 2; ++half) {
      double* const rows = values_.data() + half * photos_ * width_;
      for (std::size_t i = 0; i < width_; ++i) {
        double mean = 0.0;
        for (std::size_t b = 0; b < photos_; ++b) mean += static_cast<double>(features(half * photos_ + b, i));
        mean /= count;
        double squares = 0.0;
        for (std::size_t b = 0; b < photos_; ++b) {
          const double value = static_cast<double>(features(half * photos_ + b, i)) - mean;
          rows[b * width_ + i] = value;
          squares += value * value;
        }
        inverse_[half * width_ + i] = 1.0 / std::sqrt(squares / count + kInvarianceEpsilon);
        for (std::size_t b = 0; b < photos_; ++b) rows[b * width_ + i] *= inverse_[half * width_ + i];
      }
    }
  }

  /// slopes_[F, F]: the derivative of the loss by each correlation; the loss.
  [[nodiscard]] double correlate() {
    slopes_.assign(width_ * width_, 0.0);
    const double* const first = values_.data();
    const double* const second = first + photos_ * width_;
    add_products(first, second, photos_, 1.0 / static_cast<double>(photos_));
    const double scale = 1.0 / static_cast<double>(width_);
    double loss = 0.0;
    for (std::size_t i = 0; i < width_; ++i) {
      double across = 0.0;
      double* const row = slopes_.data() + i * width_;
      const double own = row[i];
      for (std::size_t j = 0; j < width_; ++j) {
        across += row[j] * row[j];
        row[j] *= 2.0 * kDecorrelation * scale;
      }
      row[i] = -2.0 * (1.0 - own) * scale;
      loss += ((1.0 - own) * (1.0 - own) + kDecorrelation * (across - own * own)) * scale;
    }
    return loss;
  }

  /// slopes_ += scale * (transpose of `a`[rows, F]) times `b`[rows, F].
  void add_products(const double* a, const double* b, std::size_t rows, double scale) {
    double* const out = slopes_.data();
    vectorised([=, n = width_]() IMGSIM_VECTORISED {
      for (std::size_t i = 0; i < n; ++i) {
        double* const to = out + i * n;
        for (std::size_t r = 0; r < rows; ++r) {
          const double factor = scale * a[r * n + i];
          const double* const from = b + r * n;
          for (std::size_t j = 0; j < n; ++j) to[j] += factor * from[j];
        }
      }
    });
  }

  void differentiate(double weight, matrix_view<float> gradient) {
    differences_.assign(values_.size(), 0.0);
    const std::size_t n = width_;
    const double* const first = values_.data();
    const double* const second = first + photos_ * n;
    double* const to_first = differences_.data();
    double* const to_second = to_first + photos_ * n;
    vectorised([=, slopes = slopes_.data(), photos = photos_]() IMGSIM_VECTORISED {
      for (std::size_t i = 0; i < n; ++i) {
        const double* const row = slopes + i * n;
        for (std::size_t b = 0; b < photos; ++b) {
          const double* const y = second + b * n;
          double* const to = to_second + b * n;
          const double x = first[b * n + i];
          for (std::size_t j = 0; j < n; ++j) to[j] += row[j] * x;
          // In lanes, so that the loop vectorises and the sum has one order.
          double lanes[kLanes] = {};
          std::size_t j = 0;
          for (; j + kLanes <= n; j += kLanes)
            for (std::size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += row[j + lane] * y[j + lane];
          double sum = 0.0;
          for (; j < n; ++j) sum += row[j] * y[j];
          for (std::size_t lane = 0; lane < kLanes; ++lane) sum += lanes[lane];
          to_first[b * n + i] = sum;
        }
      }
    });
    // Through the standardisation: with v' = v - mean over deviation, dv = (g - mean(g) - v' mean(g v')) / deviation.
    const auto count = static_cast<double>(photos_);
    for (std::size_t half = 0; half < 2; ++half) {
      const std::size_t begin = half * photos_ * n;
      for (std::size_t i = 0; i < n; ++i) {
        double sum = 0.0;
        double products = 0.0;
        for (std::size_t b = 0; b < photos_; ++b) {
          const double g = differences_[begin + b * n + i];
          sum += g;
          products += g * values_[begin + b * n + i];
        }
        const double scale = weight * inverse_[half * n + i] / count;
        for (std::size_t b = 0; b < photos_; ++b) {
          const std::size_t at = begin + b * n + i;
          gradient(half * photos_ + b, i) =
              static_cast<float>(scale * (differences_[at] - sum / count - values_[at] * products / count));
        }
      }
    }
  }

  std::size_t photos_ = 0;
  std::size_t width_ = 0;
  std::vector<double> values_, inverse_, slopes_, differences_;
};

}  // namespace imgsim
