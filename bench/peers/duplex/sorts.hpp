// Windows no longer than the shortest delay, and units that are all nodes of a sort: the correspondent, the home agent, gateways,
// routers, mobile nodes. What a unit sends in a window arrives in a later one, so units take turns. Without moves the directions
// have nothing in common, and each is a unit of its own.
//
// Packets on their way to a unit lie in boxes, one for each source unit and delay. A unit works in the order of time, so that
// they enter a box almost in order.
#pragma once
#include "calendar.hpp"

#include <map>
#include <memory>
#include <utility>

// A ring of packets in the order of (time, rank).
class Box {
 public:
  bool empty() const { return head_ == tail_; }
  const Packet& front() const { return slot_[head_ & mask_]; }
  void pop_front() { ++head_; }
  void insert(const Network& n, const Packet& p) {
    if (tail_ - head_ > mask_) [[unlikely]] grow();
    std::uint32_t i = tail_++;
    while (i != head_ && n.before(p, slot_[(i - 1) & mask_])) [[unlikely]] {
      slot_[i & mask_] = slot_[(i - 1) & mask_];
      --i;
    }
    slot_[i & mask_] = p;
  }

 private:
  [[gnu::noinline, gnu::cold]] void grow() {
    std::vector<Packet> larger(2 * slot_.size());
    std::uint32_t count = 0;
    for (std::uint32_t i = head_; i != tail_; ++i) larger[count++] = slot_[i & mask_];
    slot_.swap(larger);
    head_ = 0;
    tail_ = count;
    mask_ = static_cast<std::uint32_t>(slot_.size() - 1);
  }

  std::vector<Packet> slot_ = std::vector<Packet>(64);
  std::uint32_t head_ = 0, tail_ = 0, mask_ = 63;
};

class Sorts {
 public:
  explicit Sorts(Network& network) : n_(network), split_(network.move.empty()), window_(network.shortest_delay()) {
    units_.resize(split_ ? 10 : 5);
    std::map<std::pair<std::pair<std::size_t, std::size_t>, Time>, std::uint32_t> known;
    for (std::uint32_t i = 0; i < n_.links; ++i) {
      Link& l = n_.link[i];
      const std::size_t from = unit_of(l.from, n_.upward[i]), to = unit_of(l.to, n_.upward[i]);
      const auto [box, is_new] = known.insert({{{from, to}, l.delay}, static_cast<std::uint32_t>(box_.size())});
      if (is_new) {
        units_[to].boxes.push_back(box->second);
        box_.emplace_back();
      }
      l.box = box->second;
    }
    waiting_.resize(n_.source.size() + 1);
  }

  void add(const Packet& p) {
    if (p.kind() >= Kind::Emission) [[unlikely]] wait(p);
    else box_[n_.link[p.link].box].insert(n_, p);
  }
  void advance(const Packet& p) { add(p); }
  void finish(const Packet&) {}

  template <class Simulator>
  [[gnu::flatten]] void run(Simulator& simulator, Time until) {
    for (Time end = 0; end < until;) {
      end = std::min(end + window_, until);
      for (Unit& u : units_) visit(simulator, u, end);
    }
  }

 private:
  struct Unit {
    std::vector<std::uint32_t> boxes;
    std::unique_ptr<Calendar> own;  // emissions and moves
  };

  std::size_t unit_of(std::uint16_t node, bool upward) const {
    const std::size_t sort = node <= home_agent ? node : node < n_.first_router ? 2 : node < n_.fleet ? 3 : 4;
    return split_ && upward ? 9 - sort : sort;
  }
  void wait(const Packet& p) {
    const bool is_move = p.kind() == Kind::Move, upward = is_move || n_.source[p.number].upward;
    const std::uint32_t id = is_move ? static_cast<std::uint32_t>(n_.source.size()) : p.number;
    waiting_[id] = p;
    Unit& u = units_[upward ? unit_of(n_.fleet, true) : unit_of(correspondent, false)];
    if (!u.own) {
      const double per_second = n_.packets_per_second() / 2;
      u.own = std::make_unique<Calendar>(n_, waiting_.data(), waiting_.size(), per_second, 3 * n_.longest_gap() / 2);
    }
    u.own->insert(id);
  }

  template <class Simulator>
  void visit(Simulator& simulator, Unit& u, Time end) {
    std::uint32_t active[64], count = 0;
    for (const std::uint32_t b : u.boxes) {
      if (!box_[b].empty() && box_[b].front().time < end && count < 64) active[count++] = b;
    }
    if (count == 1 && !u.own) return visit_one(simulator, box_[active[0]], end);
    for (;;) {
      const Packet* first = nullptr;
      std::uint32_t from = count;
      if (u.own && !u.own->empty()) {
        first = &waiting_[u.own->front().id];
        if (first->time >= end) first = nullptr;
      }
      for (std::uint32_t i = 0; i < count; ++i) {
        const Packet& p = box_[active[i]].front();
        if (first == nullptr || n_.before(p, *first)) first = &p, from = i;
      }
      if (first == nullptr) return;
      Packet p = *first;
      if (from == count) {
        u.own->pop_front();
      } else {
        Box& b = box_[active[from]];
        b.pop_front();
        if (b.empty() || b.front().time >= end) active[from] = active[--count];
      }
      simulator.handle(p);
    }
  }
  template <class Simulator>
  void visit_one(Simulator& simulator, Box& b, Time end) {
    while (!b.empty() && b.front().time < end) {
      Packet p = b.front();
      b.pop_front();
      simulator.handle(p);
    }
  }

  Network& n_;
  bool split_;
  Time window_;
  std::vector<Unit> units_;
  std::vector<Box> box_;
  std::vector<Packet> waiting_;
};
