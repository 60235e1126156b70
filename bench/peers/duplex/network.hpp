// The network that bench/duplex_networks.py writes: links, routes, mobile nodes, sources, moves, and the order of ties.
#pragma once
#include "packet.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

constexpr std::uint16_t correspondent = 0, home_agent = 1, no_entry = 0xFFFF;

struct Link {
  Time free, delay;  // free: end of the last transmission
  std::uint32_t picoseconds_per_byte;
  std::uint32_t order;  // rank of its key
  std::uint16_t from, to;
  std::uint32_t box;  // of a schedule with boxes
};

// Flows that take turns: constant bit rates with one interval, or one flow of which all times are listed.
struct Source {
  bool upward;
  Time interval;  // 0: times are listed
  std::uint32_t first, count, turn = 0;
  std::uint64_t time_index = 0, time_end = 0;
};

struct Flow {
  Time time;  // of the next packet
  std::uint32_t mobile, order;
};

struct MoveEvent {
  Time time;
  std::uint32_t mobile;
  std::uint16_t old_router, new_router;
};

struct Network {
  Time until;
  std::uint16_t nodes, first_router, fleet;  // fleet: number of the node that all mobile nodes form
  std::uint32_t routers, mobiles, wires, downlinks, uplinks, links;
  bool roaming;  // mobile nodes move among all routers, whose downlinks they share; else each has links of its own
  std::vector<Link> link;
  std::vector<bool> upward;            // link leads away from mobile nodes
  std::vector<std::uint32_t> next;     // [node][destination]: link
  std::vector<std::uint16_t> router;   // of a mobile node: where it sends
  std::vector<std::uint16_t> binding;  // of a mobile node at the home agent: care-of node
  std::vector<std::uint16_t> entry;    // of a mobile node at a router: the router itself, another one, or none
  std::vector<std::uint32_t> mobile_order;
  std::vector<Source> source;
  std::vector<Flow> flow;
  std::vector<Time> times;
  std::vector<MoveEvent> move;

  explicit Network(const char* path) {
    read_file(path);
    until = take();
    nodes = fleet = take<std::uint16_t>();
    first_router = take<std::uint16_t>();
    routers = nodes - first_router;
    mobiles = take<std::uint32_t>();
    roaming = take() != 0;
    wires = downlinks = take<std::uint32_t>();
    uplinks = wires + (roaming ? routers : mobiles);
    links = uplinks + mobiles * (roaming ? routers : 1);
    for (std::uint32_t i = 0; i < links; ++i) {
      Link l{0, take(), take<std::uint32_t>(), take<std::uint32_t>(), take<std::uint16_t>(), take<std::uint16_t>(), 0};
      link.push_back(l);
      upward.push_back(take() != 0);
    }
    for (std::uint32_t i = 0; i < std::uint32_t{nodes} * nodes; ++i) next.push_back(take<std::uint32_t>());
    for (std::uint32_t m = 0; m < mobiles; ++m) router.push_back(take<std::uint16_t>());
    for (std::uint32_t m = 0; m < mobiles; ++m) mobile_order.push_back(take<std::uint32_t>());
    binding = router;
    entry.assign(roaming ? mobiles * routers : mobiles, no_entry);
    for (std::uint32_t m = 0; m < mobiles; ++m) entry[at(m, router[m])] = router[m];
    for (std::size_t count = take(); count > 0; --count) {
      source.push_back({take() != 0, take(), static_cast<std::uint32_t>(flow.size()), take<std::uint32_t>()});
      Source& s = source.back();
      for (std::uint32_t i = 0; i < s.count; ++i) flow.push_back({take(), take<std::uint32_t>(), take<std::uint32_t>()});
      if (s.interval == 0) {
        s.time_index = times.size();
        for (std::size_t k = take(); k > 0; --k) times.push_back(take());
        s.time_end = times.size();
      }
    }
    for (std::size_t count = take(); count > 0; --count) {
      move.push_back({take(), take<std::uint32_t>(), take<std::uint16_t>(), take<std::uint16_t>()});
    }
    word_.clear();
    word_.shrink_to_fit();
  }

  // Index of a mobile node's entry at a router, and of its uplink there.
  std::uint32_t at(std::uint32_t m, std::uint16_t at_router) const {
    return roaming ? m * routers + at_router - first_router : m;
  }
  std::uint32_t uplink(std::uint32_t m, std::uint16_t at_router) const { return uplinks + at(m, at_router); }
  std::uint32_t downlink(std::uint32_t m, std::uint16_t at_router) const {
    return downlinks + (roaming ? at_router - first_router : m);
  }
  std::uint32_t route(std::uint16_t node, std::uint16_t to) const { return next[std::uint32_t{node} * nodes + to]; }

  // Rank of an event among those of its node and instant (docs/model.md, 4).
  [[gnu::noinline, gnu::cold]] std::uint64_t rank(const Packet& p) const {
    constexpr std::uint64_t phase = std::uint64_t{1} << 60;
    switch (p.kind()) {
      case Kind::Move: return phase + (std::uint64_t{mobile_order[p.number]} << 32);
      case Kind::Emission: {
        const Source& s = source[p.number];
        return 2 * phase + flow[s.first + s.turn].order;
      }
      case Kind::MessageToNode:
        if (link[p.link].to != p.to) break;
        return phase + (std::uint64_t{mobile_order[p.number]} << 32) + 1 + link[p.link].order;
      case Kind::MessageToMobile:
        if (link[p.link].to != fleet) break;
        return phase + (std::uint64_t{mobile_order[p.number]} << 32) + 1 + link[p.link].order;
      default: break;
    }
    return 3 * phase + link[p.link].order;
  }
  bool before(const Packet& a, const Packet& b) const { return a.time < b.time || (a.time == b.time && rank(a) < rank(b)); }

  // Estimates from which a calendar takes the size of its buckets and its reach.
  double gap(const Source& s) const {
    return s.interval ? static_cast<double>(s.interval) / s.count
                      : static_cast<double>(until) / static_cast<double>(s.time_end - s.time_index);
  }
  double packets_per_second() const {
    double rate = 1;
    for (const Source& s : source) rate += 1e12 / gap(s);
    return rate;
  }
  Time longest_gap() const {
    double most = 0;
    for (const Source& s : source) most = std::max(most, gap(s));
    return static_cast<Time>(most);
  }
  Time longest_delay() const {
    Time most = 0;
    for (const Link& l : link) most = std::max(most, l.delay);
    return most;
  }
  Time shortest_delay() const {
    Time least = until;
    for (const Link& l : link) least = std::min(least, l.delay);
    return least;
  }

 private:
  std::vector<std::int64_t> word_;
  std::size_t taken_ = 0;

  void read_file(const char* path) {
    std::FILE* file = std::fopen(path, "rb");
    if (file == nullptr) fail(path, "cannot be opened");
    std::int64_t block[4096];
    for (std::size_t n; (n = std::fread(block, sizeof *block, 4096, file)) > 0;) word_.insert(word_.end(), block, block + n);
    std::fclose(file);
  }
  template <class Number = std::int64_t>
  Number take() {
    if (taken_ == word_.size()) fail("network", "ends early");
    return static_cast<Number>(word_[taken_++]);
  }
  [[noreturn]] static void fail(const char* where, const char* what) {
    std::fprintf(stderr, "%s: %s\n", where, what);
    std::exit(2);
  }
};
