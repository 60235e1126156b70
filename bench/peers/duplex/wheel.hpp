// Everything in the order of time, from a calendar. A packet keeps its place in a pool on all its way.
#pragma once
#include "calendar.hpp"

class Wheel {
 public:
  explicit Wheel(const Network& network)
      : calendar_(network, pool_, 4 * network.packets_per_second(), 3 * std::max(network.longest_delay(), network.longest_gap()) / 2) {}

  void add(const Packet& p) {
    std::uint32_t id = static_cast<std::uint32_t>(pool_.size());
    if (unused_.empty()) {
      pool_.push_back(p);
    } else {
      id = unused_.back();
      unused_.pop_back();
      pool_[id] = p;
    }
    calendar_.insert(id);
  }
  void advance(const Packet& p) {
    pool_[current_] = p;
    calendar_.insert(current_);
  }
  void finish() { unused_.push_back(current_); }

  template <class Simulator>
  [[gnu::flatten]] void run(Simulator& simulator, Time until) {
    while (!calendar_.empty()) {
      current_ = calendar_.front();
      if (pool_[current_].time >= until) return;
      calendar_.pop_front();
      simulator.handle(pool_[current_]);
    }
  }

 private:
  std::vector<Packet> pool_;
  std::vector<std::uint32_t> unused_;
  Calendar calendar_;
  std::uint32_t current_ = 0;
};
