# A Spack recipe for a checkout of imgsim:
#
#   spack repo add third_party/packaging/spack
#   spack dev-build imgsim@0.1.0 +cuda
#
# Header-only for those who include it; +apps adds the command. Checked by tests/package/spack_recipe.py.
from spack.package import *


class Imgsim(CMakePackage):
    """Exact similarity search, K-medoids and convolutional autoencoders for photos and embeddings: a header-only
    C++20 library for CPUs and CUDA, and a command."""

    license("Apache-2.0")

    version("0.1.0")

    variant("apps", default=True, description="Build the imgsim command")
    variant("keras", default=True, description="Read Keras .h5 weights")
    variant("url", default=True, when="+apps", description="Query with photos behind http(s) URLs")
    variant("cuda", default=False, description="Search, clustering and networks on CUDA devices")
    variant("mpi", default=False, description="Search and clustering over the ranks of MPI, in the library and the command")

    depends_on("cxx", type="build")
    depends_on("cmake@3.25:", type="build")
    depends_on("pkgconfig", type=("build", "run"))

    # What its users compile and link with it.
    with default_args(type=("build", "link", "run")):
        depends_on("onednn@2.6: cpu_runtime=omp")
        depends_on("eigen@3.4:3")
        depends_on("nlohmann-json@3.11:")
        depends_on("libpng")
        depends_on("libjpeg-turbo@2.1:")
        depends_on("libwebp")
        depends_on("libexif")
        depends_on("xxhash@0.8:")
        depends_on("hdf5", when="+keras")
        depends_on("mpi", when="+mpi")
        depends_on("cuda@13:", when="+cuda")
        depends_on("cudnn@9:", when="+cuda")

    depends_on("boost@1.74: +program_options", when="+apps")
    depends_on("curl@7.85:", when="+url")

    def cmake_args(self):
        return [
            self.define("IMGSIM_BUILD_TESTS", False),
            self.define("IMGSIM_BUILD_BENCH", False),
            self.define("IMGSIM_WITH_SERVE", False),  # Debian's shared cpp-httplib is not what Spack has
            self.define("IMGSIM_WITH_TOML", False),
            self.define("IMGSIM_WITH_HNSW", False),
            self.define_from_variant("IMGSIM_BUILD_APPS", "apps"),
            self.define_from_variant("IMGSIM_WITH_KERAS", "keras"),
            self.define_from_variant("IMGSIM_WITH_URL", "url"),
            self.define_from_variant("IMGSIM_WITH_CUDA", "cuda"),
            self.define_from_variant("IMGSIM_WITH_MPI", "mpi"),
        ]
