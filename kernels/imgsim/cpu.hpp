// The CPU backend, whole: the context, and every stage's implementation.
#pragma once

#include <imgsim/cpu/cluster.hpp>
#include <imgsim/cpu/context.hpp>
#include <imgsim/cpu/graph_search.hpp>
#include <imgsim/cpu/network.hpp>
#include <imgsim/cpu/search.hpp>
