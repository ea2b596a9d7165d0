// The order is that of the help text.
#include "commands/registry.hpp"

#include "commands/choose_k.hpp"
#include "commands/cluster.hpp"
#include "commands/compare.hpp"
#include "commands/completion.hpp"
#include "commands/demo.hpp"
#include "commands/duplicates.hpp"
#include "commands/evaluate.hpp"
#include "commands/graph.hpp"
#include "commands/import_keras.hpp"
#include "commands/index.hpp"
#include "commands/info.hpp"
#include "commands/manual.hpp"
#include "commands/neighbors.hpp"
#include "commands/predict.hpp"
#include "commands/query.hpp"
#include "commands/serve.hpp"
#include "commands/train.hpp"
#include "commands/verify.hpp"
#include "commands/watch.hpp"

namespace imgsim::app {

command_list all_commands() {
  command_list commands;
  commands.push_back(std::make_unique<demo_command>());
  commands.push_back(std::make_unique<train_command>());
  commands.push_back(std::make_unique<index_command>());
  commands.push_back(std::make_unique<watch_command>());
  commands.push_back(std::make_unique<query_command>());
  commands.push_back(std::make_unique<serve_command>());
  commands.push_back(std::make_unique<neighbors_command>());
  commands.push_back(std::make_unique<graph_command>());
  commands.push_back(std::make_unique<choose_k_command>());
  commands.push_back(std::make_unique<cluster_command>());
  commands.push_back(std::make_unique<predict_command>());
  commands.push_back(std::make_unique<duplicates_command>());
  commands.push_back(std::make_unique<evaluate_command>());
  commands.push_back(std::make_unique<compare_command>());
  commands.push_back(std::make_unique<info_command>());
  commands.push_back(std::make_unique<verify_command>());
  commands.push_back(std::make_unique<import_keras_command>());
  commands.push_back(std::make_unique<completion_command>());
  commands.push_back(std::make_unique<manual_command>());
  return commands;
}

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const auto& command : all_commands()) names.emplace_back(command->name());
  return names;
}

}  // namespace imgsim::app
