#include "commands/info.hpp"

#include <iostream>

#include "cli/text.hpp"
#include "device/cpu_features.hpp"
#include "device/library_versions.hpp"
#include "device/open_compute.hpp"
#include "pipeline/describe_files.hpp"
#include "pipeline/open_model.hpp"

#include <imgsim/core/version.hpp>
#include <imgsim/report/number.hpp>
#include <imgsim/report/table.hpp>

namespace imgsim::app {

command_help info_command::help() const {
  return {
      .usage = "[FILE]",
      .about =
          "Without an argument: the devices that can compute, whether ranks of mpirun can share the work, what this "
          "CPU offers, and the versions of imgsim and its libraries. With a model (.safetensors) or the folder of an "
          "index: what it holds.",
      .examples = {"imgsim info", "imgsim info photos.safetensors", "imgsim info photos.idx --json"},
      .exit_codes = {}};
}

void info_command::describe(option_set& options) {
  options.positional({.metavar = "FILE", .target = &paths_, .least = 0, .most = 1, .kind = value_kind::file});
}

namespace {

void describe_machine(const session& session) {
  const std::vector<device_status> devices = list_devices(session.threads());
  const device_status mpi = mpi_status();
  const cpu_description cpu = describe_cpu();
  const std::vector<library_version> libraries = library_versions();
  if (session.wants_json()) {
    json document{{"version", version},
                  {"devices", json::array()},
                  {"mpi", {{"available", mpi.available}, {"detail", mpi.detail}}},
                  {"cpu",
                   {{"model", cpu.model},
                    {"features", cpu.features},
                    {"hardware_threads", cpu.hardware_threads},
                    {"memory_bytes", cpu.memory_bytes}}},
                  {"libraries", json::object()}};
    for (const device_status& device : devices)
      document["devices"].push_back(
          {{"name", device.name}, {"available", device.available}, {"detail", device.detail}});
    for (const library_version& library : libraries) document["libraries"][library.name] = library.version;
    session.print(document);
    return;
  }
  std::cout << "imgsim " << version << "\n\n";
  text_table device_table{{{"device"}, {"available"}, {"detail"}}, {}};
  for (const device_status& device : devices)
    device_table.add_row({device.name, device.available ? "yes" : "no", device.detail});
  std::cout << session.text_of(device_table) << "\nmpirun: " << (mpi.available ? "yes, " : "no: ") << mpi.detail
            << "\ncpu: " << cpu.model << ", " << count_text(cpu.hardware_threads, "thread") << ", "
            << bytes_text(cpu.memory_bytes) << " of memory\n    ";
  for (const std::string& feature : cpu.features) std::cout << ' ' << feature;
  std::cout << "\n\n";
  text_table library_table{{{"library"}, {"version"}}, {}};
  for (const library_version& library : libraries) library_table.add_row({library.name, library.version});
  std::cout << session.text_of(library_table);
}

}  // namespace

exit_code info_command::run(session& session) {
  if (paths_.empty()) {
    describe_machine(session);
    return session.finish();
  }
  const std::filesystem::path path = paths_.front();
  expect_index_or_model(path);
  const json document = std::filesystem::is_directory(path) ? index_json(path) : model_json(path);
  if (session.wants_json()) {
    session.print(document);
  } else {
    std::cout << described(document);
  }
  return session.finish();
}

}  // namespace imgsim::app
