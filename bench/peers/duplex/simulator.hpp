// What happens to packets, messages, sources and moves; when it happens is the schedule's business.
//
// A schedule calls ``handle`` with each event of a node in the order of (time, rank). It offers ``add`` for a new packet,
// ``advance`` for the packet that is being handled, with its next time, and ``finish`` for one that has arrived.
#pragma once
#include "network.hpp"

struct Outcome {
  std::uint64_t delivered = 0, hops = 0, acknowledged = 0, markers = 0;
  Time delay_sum = 0;
  std::uint64_t weighted_delays = 0;  // sum over flows of delay sum x weight of the flow, which sees who waited for whom
};

template <class Schedule>
class Simulator {
 public:
  explicit Simulator(Network& network) : n_(network), schedule_(network) {
    for (std::uint32_t i = 0; i < n_.source.size(); ++i) {
      const Source& s = n_.source[i];
      schedule_.add({n_.flow[s.first].time, 0, 0, i, 0, 0, 0, Packet::pack(s.upward, Kind::Emission)});
    }
    if (!n_.move.empty()) schedule_.add({n_.move[0].time, 0, 0, n_.move[0].mobile, 0, 0, 0, Packet::pack(0, Kind::Move)});
  }

  Outcome run() {
    schedule_.run(*this, n_.until);
    return out_;
  }

  void handle(Packet& p) {
    if (p.is_data()) [[likely]] return handle_data(p);
    if (p.kind() == Kind::Emission) return emit(p);
    if (p.kind() == Kind::Move) return move(p);
    handle_message(p);
  }

 private:
  // Lindley: the packet leaves when those before it have left.
  void cross(std::uint32_t link, Packet& p) {
    Link& l = n_.link[link];
    l.free = std::max(p.time, l.free) + Time{l.picoseconds_per_byte} * p.bytes();
    p.time = l.free + l.delay;
    p.link = link;
    ++out_.hops;
  }
  void forward(std::uint32_t link, Packet& p) {
    cross(link, p);
    schedule_.advance(p);
  }
  void start(std::uint32_t link, Packet p) {
    cross(link, p);
    schedule_.add(p);
  }

  void emit(Packet& p) {
    Source& s = n_.source[p.number];
    Flow& f = n_.flow[s.first + s.turn];
    const std::uint32_t m = f.mobile;
    const std::uint16_t router = n_.router[m], to = s.upward ? correspondent : n_.roaming ? home_agent : router;
    const Kind kind = s.upward ? Kind::DataUp : Kind::DataDown;
    start(s.upward ? n_.uplink(m, router) : n_.route(correspondent, to),
          {p.time, p.time, 0, m, 0, 0, to, Packet::pack(data_bytes, kind)});
    if (s.interval) {
      f.time += s.interval;
      if (++s.turn == s.count) s.turn = 0;
    } else if (++s.time_index < s.time_end) {
      f.time = n_.times[s.time_index];
    } else {
      return schedule_.finish(p);
    }
    p.time = n_.flow[s.first + s.turn].time;
    schedule_.advance(p);
  }

  void handle_data(Packet& p) {
    const std::uint16_t node = n_.link[p.link].to;
    if (node == n_.fleet) return deliver(p);
    if (node != p.to) return forward(n_.route(node, p.to), p);
    if (p.kind() == Kind::DataUp) return deliver(p);
    look_up(node, p);
  }
  void deliver(const Packet& p) {
    const Time delay = p.time - p.born;
    ++out_.delivered;
    out_.delay_sum += delay;
    const std::uint64_t flow = 2 * p.number + (p.kind() == Kind::DataUp);
    out_.weighted_delays += static_cast<std::uint64_t>(delay) * ((flow + 1) * 0x9E3779B97F4A7C15);
    schedule_.finish(p);
  }

  // Data or a message for a mobile node at the node that it is addressed to.
  void look_up(std::uint16_t node, Packet& p) {
    const bool home = n_.roaming && node == home_agent;
    const std::uint16_t care_of = home ? n_.binding[p.number] : n_.entry[n_.at(p.number, node)];
    if (care_of == no_entry) return schedule_.finish(p);
    if (care_of == node) {
      p.resize(p.own_bytes());
      return forward(n_.downlink(p.number, node), p);
    }
    p.resize(p.own_bytes() + tunnel_bytes);
    p.to = care_of;
    forward(n_.route(node, care_of), p);
  }

  [[gnu::noinline, gnu::cold]] void handle_message(Packet& p) {
    const std::uint16_t node = n_.link[p.link].to;
    if (node == n_.fleet) {
      if (p.code() == Code::Marker) ++out_.markers;
      else send(n_.uplink(p.number, p.new_router), p, Kind::MessageToNode, Code::Acknowledgement, home_agent);
      return schedule_.finish(p);
    }
    if (node != p.to) return forward(n_.route(node, p.to), p);
    if (p.kind() == Kind::MessageToMobile) return look_up(node, p);
    answer(node, p);
    schedule_.finish(p);
  }

  // A message at the node that it is for: the node changes its entry and answers at once.
  void answer(std::uint16_t node, const Packet& p) {
    const std::uint32_t m = p.number;
    switch (p.code()) {
      case Code::Leave: n_.entry[n_.at(m, node)] = p.new_router; break;
      case Code::Enter:
        n_.entry[n_.at(m, node)] = node;
        send(n_.route(node, home_agent), p, Kind::MessageToNode, Code::Bind, home_agent);
        break;
      case Code::Bind:
        n_.binding[m] = p.new_router;
        send(n_.route(node, p.old_router), p, Kind::MessageToNode, Code::Marker, p.old_router);
        send(n_.route(node, p.new_router), p, Kind::MessageToMobile, Code::Reply, p.new_router);
        break;
      case Code::Marker:  // nothing comes behind it from the home agent
        n_.entry[n_.at(m, node)] = no_entry;
        send(n_.route(node, p.new_router), p, Kind::MessageToMobile, Code::Marker, p.new_router);
        break;
      case Code::Acknowledgement: ++out_.acknowledged; break;
      default: break;
    }
  }
  void send(std::uint32_t link, Packet p, Kind kind, Code code, std::uint16_t to) {
    p.born = p.time;
    p.to = to;
    p.bits = Packet::pack(message_bytes, kind, code);
    start(link, p);
  }

  [[gnu::noinline, gnu::cold]] void move(Packet& p) {
    const MoveEvent e = n_.move[moves_++];
    n_.router[e.mobile] = e.new_router;
    const Packet message{p.time, p.time, 0, e.mobile, e.old_router, e.new_router, 0, 0};
    send(n_.uplink(e.mobile, e.old_router), message, Kind::MessageToNode, Code::Leave, e.old_router);
    send(n_.uplink(e.mobile, e.new_router), message, Kind::MessageToNode, Code::Enter, e.new_router);
    if (moves_ == n_.move.size()) return schedule_.finish(p);
    p.time = n_.move[moves_].time;
    p.number = n_.move[moves_].mobile;
    schedule_.advance(p);
  }

  Network& n_;
  Schedule schedule_;
  Outcome out_;
  std::size_t moves_ = 0;
};
